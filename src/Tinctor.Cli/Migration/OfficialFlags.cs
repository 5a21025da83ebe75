namespace Tinctor.Cli.Migration;

/// <summary>Flags that several official repositories have in common: those of pytorch-CycleGAN-and-pix2pix and its descendants.</summary>
internal static class OfficialFlags
{
    /// <summary>Modes of preprocessing that use the size to which images are loaded.</summary>
    public static readonly string[] Resizing = ["resize_and_crop", "scale_width", "scale_width_and_crop"];

    /// <summary>Modes of preprocessing that use the size of crops.</summary>
    public static readonly string[] Cropping = ["resize_and_crop", "crop", "scale_width_and_crop"];

    /// <summary>Folders, name and device of the experiment.</summary>
    public static IEnumerable<OfficialFlag> Experiment { get; } =
    [
        OfficialFlag.Option("dataroot", "`--data` of train, data set of stain"),
        OfficialFlag.Option("name", "last part of the run folder", "experiment_name"),
        OfficialFlag.Option("checkpoints_dir", "first part of the run folder", "./checkpoints"),
        OfficialFlag.Option("model", "method"),
        OfficialFlag.Option("gpu_ids", "`--device`: -1 is cpu, N is cuda:N; one GPU is used"),
        OfficialFlag.Option("continue_train", "`--resume`") with { Value = FlagValue.Optional },
        OfficialFlag.Option("phase", "`--split` of stain"),
        OfficialFlag.Option("results_dir", "first part of `--output` of stain", "./results/"),
        OfficialFlag.Option("eval", "running statistics of batch norm (`model.inference.statistics`); without it those of the image")
            with { Value = FlagValue.Switch },
        .. OfficialFlag.None("only names the experiment", "easy_label"),
        OfficialFlag.Setting("epoch_count", "training.epoch_count"),
        .. OfficialFlag.Missing("stain uses the finished model, or the best checkpoint with --best", "load_iter"),
        .. OfficialFlag.None("stain uses the finished model, or the best checkpoint with --best", "epoch")
            .Select(flag => flag with { OlderNames = ["which_epoch"] }),
        .. OfficialFlag.None("all images of the split are stained", "num_test").Select(flag => flag with { OlderNames = ["how_many"] }),
        .. OfficialFlag.None("images keep their aspect ratio", "aspect_ratio"),
    ];

    /// <summary>Displays and logs.</summary>
    public static IEnumerable<OfficialFlag> Logs { get; } =
    [
        .. OfficialFlag.None("'tinctor view' shows runs; there is no visdom server or HTML log", "display_freq", "display_ncols",
            "display_id", "display_server", "display_env", "display_port", "display_winsize", "update_html_freq", "no_html!", "use_wandb!",
            "wandb_project_name"),
        OfficialFlag.Setting("save_epoch_freq", "training.checkpoint_epochs"),
        .. OfficialFlag.None("training.log_every and training.checkpoint_every set the intervals, in steps", "print_freq",
            "save_latest_freq", "save_by_iter!", "evaluation_freq"),
        .. OfficialFlag.None("--debug prints more about errors", "verbose!"),
    ];

    /// <summary>Adam, epochs and schedule.</summary>
    public static IEnumerable<OfficialFlag> Training { get; } =
    [
        OfficialFlag.Setting("n_epochs", "training.epochs", "100") with { OlderNames = ["niter"] },
        OfficialFlag.Setting("n_epochs_decay", "training.epochs_decay", "100") with { OlderNames = ["niter_decay"] },
        OfficialFlag.Setting("beta1", "model.beta1", "0.5"),
        OfficialFlag.Setting("lr", "model.lr", "0.0002"),
        OfficialFlag.Setting("gan_mode", "model.gan_mode", "lsgan"),
        OfficialFlag.Setting("pool_size", "model.pool_size", "50"),
        OfficialFlag.Setting("lr_policy", "training.schedule", "linear", ("linear", "linear"), ("lambda", "linear"), ("step", "step"),
            ("plateau", "plateau"), ("cosine", "cosine")) with
        {
            // The official factor of each decrease.
            Implied = new Dictionary<string, string[]> { ["step"] = ["training.lr_gamma=0.1"] },
        },
        OfficialFlag.Setting("lr_decay_iters", "training.lr_step_epochs", "50") with { OnlyWith = ("lr_policy", ["step"]) },
    ];

    /// <summary>Loading and augmentation of images.</summary>
    public static IEnumerable<OfficialFlag> Data { get; } =
    [
        OfficialFlag.Setting("direction", "data.direction", "AtoB") with { OlderNames = ["which_direction"] },
        OfficialFlag.Setting("batch_size", "training.batch_size", "1") with { OlderNames = ["batchSize"] },
        OfficialFlag.Setting("crop_size", "data.crop_size", "256") with { OlderNames = ["fineSize"], OnlyWith = ("preprocess", Cropping) },
        OfficialFlag.Setting("load_size", "data.load_size", "286") with { OlderNames = ["loadSize"], OnlyWith = ("preprocess", Resizing) },
        OfficialFlag.Setting("preprocess", "data.preprocess", "resize_and_crop") with { OlderNames = ["resize_or_crop"] },
        OfficialFlag.Switch("no_flip", "data.flip", "false", "true"),
        OfficialFlag.Setting("num_threads", "data.workers") with { OlderNames = ["nThreads"] },
        OfficialFlag.Setting("dataset_mode", "data.unpaired", "unaligned", ("unaligned", "true"), ("aligned", "false")),
        OfficialFlag.Switch("serial_batches", "data.serial_batches", "true", "false"),
        .. OfficialFlag.Missing("all pairs are used; a manifest can list fewer", "max_dataset_size"),
    ];

    /// <summary>Generator and discriminator.</summary>
    public static IEnumerable<OfficialFlag> Networks { get; } =
    [
        OfficialFlag.Setting("input_nc", "model.input_channels", "3"),
        OfficialFlag.Setting("output_nc", "model.output_channels", "3"),
        OfficialFlag.Setting("ngf", "model.ngf", "64"),
        OfficialFlag.Setting("ndf", "model.ndf", "64"),
        OfficialFlag.Setting("netG", "model.generator", "resnet_9blocks", Same("resnet_9blocks", "resnet_6blocks", "resnet_4blocks",
            "unet_256", "unet_128", "attention_unet_32")) with
        {
            OlderNames = ["which_model_netG"],
        },
        OfficialFlag.Setting("netD", "model.discriminator", "basic", ("basic", "patch"), ("n_layers", "patch"), ("pixel", "pixel")) with
        {
            OlderNames = ["which_model_netD"],
            Implied = new Dictionary<string, string[]> { ["basic"] = ["model.n_layers_d=3"] },
        },
        OfficialFlag.Setting("n_layers_D", "model.n_layers_d", "3") with { OnlyWith = ("netD", ["n_layers"]) },
        OfficialFlag.Setting("init_gain", "model.init_gain", "0.02"),
    ];

    /// <summary>Switch against dropout, and its older meaning of least squares.</summary>
    public static IEnumerable<OfficialFlag> Pix2Pix { get; } =
    [
        OfficialFlag.Setting("norm", "model.norm", "instance", ("batch", "batch"), ("instance", "instance"), ("none", "none"),
            ("sync_batch", "batch"), ("sync_instance", "instance")),
        OfficialFlag.Setting("init_type", "model.init_type", "normal"),
        OfficialFlag.Switch("no_dropout", "model.dropout", "false", "true"),
        OfficialFlag.Setting("no_lsgan", "model.gan_mode", null, ("True", "vanilla")) with { Value = FlagValue.Switch },
        OfficialFlag.Option("suffix", "end of the name, with values of flags in braces"),
        .. OfficialFlag.None("imported checkpoints name their generator by file", "model_suffix"),
    ];

    /// <summary>Networks and losses of CUT.</summary>
    public static IEnumerable<OfficialFlag> Cut { get; } =
    [
        OfficialFlag.Option("CUT_mode", "method: CUT is cut, FastCUT is fastcut", "CUT"),
        OfficialFlag.Setting("normG", "model.norm_g", "instance"),
        OfficialFlag.Setting("normD", "model.norm_d", "instance"),
        OfficialFlag.Setting("init_type", "model.init_type", "xavier"),
        Bool("no_dropout", "model.dropout", "True", on: "false", off: "true"),
        OfficialFlag.Switch("no_antialias", "model.antialias", "false", "true"),
        OfficialFlag.Switch("no_antialias_up", "model.antialias_up", "false", "true"),
        OfficialFlag.Setting("beta2", "model.beta2", "0.999"),
        OfficialFlag.Setting("lambda_GAN", "model.lambda_gan", "1.0"),
        OfficialFlag.Setting("lambda_NCE", "model.lambda_nce", "1.0"),
        Bool("nce_idt", "model.nce_idt", "True"),
        OfficialFlag.Setting("nce_layers", "model.nce_layers", "0,4,8,12,16"),
        Bool("nce_includes_all_negatives_from_minibatch", "model.all_negatives", "False"),
        // The official code has a third value, reshape, and stops with it: ReshapeF does not take the number of patches.
        OfficialFlag.Setting("netF", "model.mlp_channels", "mlp_sample", ("mlp_sample", "256"), ("sample", "0")),
        OfficialFlag.Setting("netF_nc", "model.mlp_channels", "256") with { OnlyWith = ("netF", ["mlp_sample"]) },
        OfficialFlag.Setting("nce_T", "model.nce_t", "0.07"),
        OfficialFlag.Setting("num_patches", "model.num_patches", "256"),
        Bool("flip_equivariance", "model.flip_equivariance", "False"),
        OfficialFlag.Option("pretrained_name", "`--start-from` the run of this name"),
        .. OfficialFlag.Missing("there are no networks of StyleGAN2", "stylegan2_G_num_downsampling"),
        .. OfficialFlag.Missing("there is no training on a single image", "random_scale_max"),
        OfficialFlag.Option("suffix", "end of the name, with values of flags in braces"),
    ];

    /// <summary>Gets values that the flag and the setting have in common.</summary>
    public static (string Official, string Ours)[] Same(params string[] values) => Array.ConvertAll(values, value => (value, value));

    /// <summary>Creates a flag with the value True, False or none that becomes a setting.</summary>
    public static OfficialFlag Bool(string name, string key, string value, string on = "true", string off = "false") =>
        OfficialFlag.Setting(name, key, value, ("True", on), ("False", off)) with { Value = FlagValue.Optional };
}
