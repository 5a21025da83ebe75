# Sourced by the scripts of this folder: a small data set and a small training. TINCTOR names another tinctor than that of this repository.
root="$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")"
tinctor="${TINCTOR:-$root/tinctor}"
work="$(mktemp -d)"
steps=20
checkpoint="checkpoints/step-$(printf %08d $steps).safetensors"

# train ARGUMENT...: pix2pix with batch norm, dropout and a discriminator.
train() {
    "$tinctor" train pix2pix --data "$work/data" --steps $steps --batch-size 4 --set data.crop_size=32 --set data.load_size=0 \
        --set model.generator=resnet_6blocks --set model.ngf=4 --set model.ndf=8 "$@"
}

# Images without glass: batch norm of equal pixels amplifies rounding.
make_data() { "$tinctor" phantom -o "$work/data" --slides 8 --fields 2 --size 64x64 --on-tumour >"$work/phantom.log" 2>&1; }

compare() { "$root/bench/distributed/compare.py" "$work/$1/$checkpoint" "$work/$2/$checkpoint" 1e-5; }
