# Sourced by benchmarks that compare trained models. The caller defines $work and study(), which runs `tinctor ablate` with further options.

# train_classifier ROLE SEED HALF OPTIONS...: trains a classifier of target images on one half of the slides, independent of the other one.
train_classifier() {
    local role="$1" seed="$2" half="$3" common=(-o "$work/$1" --threads 1)
    shift 3
    [ -f "$work/$role/model/card.json" ] && return
    [ -d "$work/$role" ] && { tinctor train classifier "${common[@]}" --resume; return; }
    tinctor train classifier --data "$work/data" --role "$role" --seed "$seed" --half "$half" --image-size 0 "$@" "${common[@]}"
}

# train_all SEEDS VARIANT...: trains every variant with every seed, one training run per processor core.
train_all() {
    local seeds="$1" seed variant job jobs=()
    shift
    for seed in ${seeds//,/ }; do
        for variant in "$@"; do
            while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do sleep 1; done
            echo "training $variant, seed $seed"
            train_one "$seed" "$variant" & jobs+=($!)
        done
    done
    for job in "${jobs[@]}"; do wait "$job"; done
}

train_one() {
    local log="$work/$2-$1.log"
    study --seeds "$1" --variants "$2" --only-train --threads 1 >"$log" 2>&1 || { tail -5 "$log" >&2; return 1; }
}
