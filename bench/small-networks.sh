# Sourced by benchmarks that train small networks, one model per processor core, in minutes. The caller defines $work, the folder of the data set,
# and $half, the size in pixels of the largest crops. Other settings are those of the papers or official codes.

common=(data.rotate=true training.batch_size=4 training.microbatch=0 training.ema=0.99)
native=(data.load_size=0 data.crop_size=96)
bridge=(model.network.model_channels=32 model.network.channel_mult=1,1,2,2 model.network.num_res_blocks=1
    model.network.attention_resolutions=8 model.sampling.evaluations=10 data.crop_size=64)
gan=(model.ngf=16 model.ndf=16)
resnet=(model.generator=resnet_6blocks "${gan[@]}")

# settings METHOD: the method's settings, one a line. Methods that learn the level of a field see whole fields, and MS-SSIM needs 164 pixels.
settings() {
    case "$1" in
        unet) printf '%s\n' model.width=16 model.depth=3 ;;
        nafnet) printf '%s\n' model.width=16 model.enc_blk_nums=1,1,2 model.middle_blk_num=2 model.dec_blk_nums=1,1,1 ;;
        pix2pixhd) printf '%s\n' model.ngf=8 model.ndf=16 model.n_downsample_global=3 model.n_blocks_global=4 ;;
        derestainer)
            printf '%s\n' "${gan[@]}" data.crop_size=$half
            [ ! -d "$work/comparator" ] || printf '%s\n' "model.comparator.path=$work/comparator" ;;
        psp-stain) printf '%s\n' "${resnet[@]}" data.crop_size=164 ;;
        bcistainer) printf '%s\n' model.ngf=8 model.ndf=16 model.full_size=$half data.crop_size=$half ;;
        ceff) printf '%s\n' model.ngf=8 model.ndf=16 "model.encoders.path=$work/encoders" ;;
        cgan) printf '%s\n' model.width=16 model.depth=3 model.ndf=16 ;;
        bbdm | i2sb) printf '%s\n' "${bridge[@]}" ;;
        *) printf '%s\n' "${resnet[@]}" ;;
    esac
}
