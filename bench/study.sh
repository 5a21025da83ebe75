# Sourced by benchmarks that compare trained models. The caller defines $work, the folder of the benchmark.

# Consecutive sections of 480 slides, one field of 384 pixels (192 um) each, displaced by up to 8 pixels; the HER2 level of a slide shows in
# whole fields only. 400 slides for training, 40 for validation, 40 for testing.
consecutive=(--slides 480 --size 384x384 --serial --level-in-fields --misalign 8 --on-tumour --val 0.0834 --test 0.0834)

# train_classifier ROLE SEED HALF OPTIONS...: trains a classifier of target images on one half of the slides, independent of the other one.
train_classifier() {
    local role="$1" seed="$2" half="$3" common=(-o "$work/$1" --threads 1)
    shift 3
    [ -f "$work/$role/model/card.json" ] && return
    [ -d "$work/$role" ] && { tinctor train classifier "${common[@]}" --resume; return; }
    tinctor train classifier --data "$work/data" --role "$role" --seed "$seed" --half "$half" "$@" "${common[@]}"
}

# train_encoders OPTIONS...: trains the encoders of CEFF, for 40 epochs or $ENCODER_EPOCHS. Their crops are half of those of the generators of
# bench/ceff, the size that these pass to an encoder.
train_encoders() {
    local options=(-o "$work/encoders" --threads 1)
    [ -f "$work/encoders/model/card.json" ] && return
    [ -d "$work/encoders" ] && { tinctor train ceff-encoder "${options[@]}" --resume; return; }
    tinctor train ceff-encoder --crop-size 64 --batch-size 32 --epochs "${ENCODER_EPOCHS:-40}" --learning-rate 5e-4 --set ngf=8 \
        --set feature_dim=128 "$@" "${options[@]}"
}
