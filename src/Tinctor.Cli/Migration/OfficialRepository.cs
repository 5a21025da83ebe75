namespace Tinctor.Cli.Migration;

/// <summary>Model of an official repository.</summary>
/// <param name="Name">Value of --model.</param>
/// <param name="Command">Command of train: a method, or ceff-encoder; null if it can only stain (--model test).</param>
internal sealed record OfficialModel(string Name, string? Command)
{
    /// <summary>Value of --CUT_mode, in lower case; null if the model has none.</summary>
    public string? Mode { get; init; }

    /// <summary>Values of flags in the official code that differ from the repository's.</summary>
    public IReadOnlyDictionary<string, string> Defaults { get; init; } = new Dictionary<string, string>();

    /// <summary>Flags of this model alone.</summary>
    public IReadOnlyList<OfficialFlag> Flags { get; init; } = [];
}

/// <summary>Official repository whose command lines are translated.</summary>
/// <param name="Key">Name for --from.</param>
/// <param name="Address">Owner and name at GitHub.</param>
/// <param name="Models">Models; the first is trained without --model.</param>
/// <param name="Flags">Flags of all models.</param>
internal sealed record OfficialRepository(
    string Key, string Address, IReadOnlyList<OfficialModel> Models, IReadOnlyList<OfficialFlag> Flags)
{
    private static readonly OfficialModel CycleGan = new("cycle_gan", "cyclegan")
    {
        Flags =
        [
            OfficialFlag.Setting("lambda_A", "model.lambda_a", "10.0"),
            OfficialFlag.Setting("lambda_B", "model.lambda_b", "10.0"),
            OfficialFlag.Setting("lambda_identity", "model.lambda_identity", "0.5") with { OlderNames = ["identity"] },
        ],
    };

    private static readonly OfficialFlag[] Common =
        [.. OfficialFlags.Experiment, .. OfficialFlags.Data, .. OfficialFlags.Networks, .. OfficialFlags.Training, .. OfficialFlags.Logs];

    private static readonly OfficialFlag[] Pyramid =
    [
        OfficialFlag.Setting("lambda_gp", "model.lambda_gp", "1.0"),
        OfficialFlag.Setting("gp_weights", "model.gp_weights", "uniform", ("uniform", "1,1,1,1,1,1"),
            ("[0.015625,0.03125,0.0625,0.125,0.25,1.0]", "0.015625,0.03125,0.0625,0.125,0.25,1")),
    ];

    private static readonly OfficialFlag SpectralNorm =
        OfficialFlag.Setting("weight_norm", "model.spectral_norm", "none", ("none", "false"), ("spectral", "true"));

    private static readonly OfficialFlag[] CutDescendant =
    [
        .. Common.Where(flag => flag.Name != "pool_size"), .. OfficialFlags.Cut, SpectralNorm,
        .. OfficialFlag.None("there is no image pool, as in the official code", "pool_size"),
    ];

    // The defaults of CUT and FastCUT, as their models set them.
    private static readonly Dictionary<string, string> FastCut = new()
    {
        ["nce_idt"] = "False",
        ["lambda_NCE"] = "10.0",
        ["flip_equivariance"] = "True",
        ["n_epochs"] = "150",
        ["n_epochs_decay"] = "50",
    };

    private static readonly Dictionary<string, string> FastAsp = new()
    {
        ["nce_idt"] = "False",
        ["lambda_NCE"] = "10.0",
        ["flip_equivariance"] = "False",
        ["n_epochs"] = "20",
        ["n_epochs_decay"] = "10",
    };

    /// <summary>All repositories; the first that fits a command line is assumed.</summary>
    public static IReadOnlyList<OfficialRepository> All { get; } =
    [
        new("pix2pix", "junyanz/pytorch-CycleGAN-and-pix2pix",
            [
                CycleGan with { Defaults = new Dictionary<string, string> { ["no_dropout"] = "True" } },
                new("pix2pix", "pix2pix")
                {
                    Defaults = new Dictionary<string, string>
                    {
                        ["norm"] = "batch", ["netG"] = "unet_256", ["pool_size"] = "0", ["gan_mode"] = "vanilla",
                        ["dataset_mode"] = "aligned",
                    },
                    Flags = [OfficialFlag.Setting("lambda_L1", "model.lambda_l1", "100.0") with { OlderNames = ["lambda_A"] }],
                },
                new("test", null),
            ],
            [.. Common, .. OfficialFlags.Pix2Pix]),
        new("cut", "taesungp/contrastive-unpaired-translation",
            [
                new("cut", "cut") { Mode = "cut" },
                new("cut", "fastcut") { Mode = "fastcut", Defaults = FastCut },
                CycleGan,
            ],
            With([.. Common, .. OfficialFlags.Cut], ("n_epochs", "200"), ("n_epochs_decay", "200"), ("pool_size", "0"))),
        new("asp", "lifangda01/AdaptiveSupervisedPatchNCE",
            [
                new("cpt", "asp") { Mode = "cut", Flags = AspFlags },
                new("cpt", "asp") { Mode = "fastcut", Flags = AspFlags, Defaults = FastAsp },
                new("cut", "cut") { Mode = "cut" },
                new("cut", "fastcut") { Mode = "fastcut", Defaults = FastCut },
            ],
            // Unaligned by default, but its losses need pairs.
            With(CutDescendant, ("n_epochs", "200"), ("n_epochs_decay", "200"),
                ("dataset_mode", "aligned"))),
        new("psp-stain", "ccitachi/PSPStain",
            [
                new("PSPStain", "psp-stain") { Mode = "cut", Flags = PspFlags },
                new("PSPStain", "psp-stain") { Mode = "fastcut", Flags = PspFlags, Defaults = FastAsp },
            ],
            With(CutDescendant, ("n_epochs", "200"), ("n_epochs_decay", "200"),
                ("lr", "0.0001"), ("load_size", "512"), ("crop_size", "512"), ("dataset_mode", "aligned"))),
        new("sim-gan", "xianchaoguan/SIM-GAN",
            [
                new("cut", "sim-gan") { Mode = "cut" },
                new("cut", "sim-gan") { Mode = "fastcut", Defaults = FastCut },
            ],
            With(
                [
                    .. CutDescendant, OfficialFlag.Setting("lambda_CC", "model.lambda_cc", "1.0"),
                    OfficialFlag.Setting("cost_type", "model.cost_type", "easy"), OfficialFlag.Setting("eps", "model.eps", "1.0"),
                ],
                ("n_epochs", "200"), ("n_epochs_decay", "200"), ("batch_size", "2"), ("crop_size", "512"),
                ("dataset_mode", "aligned"))),
        new("pyramid-pix2pix", "bupt-ai-cz/BCI",
            [new("pix2pix", "pyramid-pix2pix")],
            With(
                [
                    .. Common, .. OfficialFlags.Pix2Pix, OfficialFlag.Setting("lambda_L1", "model.lambda_l1", "25.0"),
                    OfficialFlag.Option("pattern", "weights of the levels that it does not name: 0; noGAN: `model.lambda_gan=0`",
                        "L1_L2_L3_L4") with { Implied = PyramidPatterns },
                    OfficialFlag.Setting("weight_L2", "model.weight_l2", "25"), OfficialFlag.Setting("weight_L3", "model.weight_l3", "25"),
                    OfficialFlag.Setting("weight_L4", "model.weight_l4", "25"),
                    OfficialFlag.Setting("weight_sobel", "model.weight_sobel", "50") with
                    {
                        OnlyWith = ("pattern", [.. PyramidPatterns.Keys.Where(name => name.Contains("sobel", StringComparison.Ordinal))]),
                    },
                    .. OfficialFlag.Missing("only the patterns of L1 to L4, sobel and noGAN are available", "which_perceptual",
                        "weight_perceptual", "vgg_normal_correct!", "use_22ctx!", "lambda_vgg", "ctx_w", "PONO!", "weight_conv"),
                ],
                ("dataroot", "./datasets/BCI"), ("name", "pyramidpix2pix"), ("norm", "batch"), ("batch_size", "2"), ("load_size", "320"),
                ("preprocess", "none"), ("pool_size", "0"), ("gan_mode", "vanilla"), ("dataset_mode", "aligned"))),
        new("pix2pixhd", "NVIDIA/pix2pixHD", [new("pix2pixHD", "pix2pixhd")], Pix2PixHdFlags),
        new("ceff", "babyinsunshine/CEFF",
            [
                new("CEFF", "ceff")
                {
                    Defaults = new Dictionary<string, string> { ["norm"] = "batch", ["netG"] = "CEFF", ["pool_size"] = "0",
                        ["gan_mode"] = "vanilla" },
                    Flags = [OfficialFlag.Setting("lambda_L1", "model.lambda_l1", "100")],
                },
                new("Encoder", "ceff-encoder"),
            ],
            With(
                [
                    .. Common.Where(flag => flag.Name != "netG"), .. OfficialFlags.Pix2Pix.Where(flag => flag.Name != "no_dropout"),
                    .. OfficialFlag.None("CEFF has one generator, without dropout", "netG", "no_dropout!"),
                    OfficialFlag.Option("dataset_name", "`--encoders`: the run folder of the encoders, encoderNAME", "BCI"),
                    .. OfficialFlag.None("memory is pinned where it helps", "pin_memory!"),
                    .. OfficialFlag.Missing("source and target are in one data set", "datarootA", "datarootB"),
                ],
                ("n_epochs", "60"), ("n_epochs_decay", "40"), ("load_size", "1024"), ("crop_size", "512"), ("preprocess", "crop"),
                ("dataset_mode", "aligned"))),
    ];

    // Settings of --pattern: octaves, then losses that it adds or leaves out.
    private static Dictionary<string, string[]> PyramidPatterns =>
        new[] { "L1", "L1_L2", "L1_L2_L3", "L1_L2_L3_L4" }.SelectMany((octaves, count) =>
        {
            string[] settings = [.. Enumerable.Range(count + 2, 3 - count).Select(octave => $"model.weight_l{octave}=0")];
            string[] withoutGan = [.. settings, "model.lambda_gan=0"];
            return new (string Pattern, string[] Settings)[]
            {
                (octaves, settings), ($"{octaves}_sobel", settings), ($"{octaves}_noGAN", withoutGan),
                ($"{octaves}_noGAN_sobel", withoutGan),
            };
        }).ToDictionary(each => each.Pattern, each => each.Settings);

    private static IReadOnlyList<OfficialFlag> AspFlags =>
    [
        .. Pyramid,
        OfficialFlag.Setting("lambda_asp", "model.lambda_asp", "0.0"),
        OfficialFlag.Setting("asp_loss_mode", "model.asp_loss_mode", "none"),
        OfficialFlag.Setting("n_downsampling", "model.n_downsampling", "2"),
    ];

    private static IReadOnlyList<OfficialFlag> PspFlags =>
    [
        .. Pyramid,
        OfficialFlag.Setting("lambda_CTPC", "model.lambda_ctpc", "2.5"),
        OfficialFlag.Option("unet_seg", "`model.segmenter.path`: pretrain/NAME.pth of the repository") with
        {
            NoteWithout = "the official code needs its segmentation network: --set model.segmenter.path=pretrain/BCI_unet_seg.pth",
        },
    ];

    private static IReadOnlyList<OfficialFlag> Pix2PixHdFlags =>
    [
        .. With([.. OfficialFlags.Experiment], ("name", "label2city"), ("dataroot", "./datasets/cityscapes/")),
        .. OfficialFlags.Logs,
        OfficialFlag.Option("load_pretrain", "`--start-from`"),
        OfficialFlag.Setting("batchSize", "training.batch_size", "1"),
        OfficialFlag.Setting("loadSize", "data.load_size", "1024") with { OnlyWith = ("resize_or_crop", OfficialFlags.Resizing) },
        OfficialFlag.Setting("resize_or_crop", "data.preprocess", "scale_width"),
        OfficialFlag.Setting("fineSize", "data.crop_size", "512") with { OnlyWith = ("resize_or_crop", OfficialFlags.Cropping) },
        OfficialFlag.Switch("no_flip", "data.flip", "false", "true"),
        OfficialFlag.Setting("nThreads", "data.workers"),
        OfficialFlag.Setting("input_nc", "model.input_channels", "3"),
        OfficialFlag.Setting("output_nc", "model.output_channels", "3"),
        OfficialFlag.Setting("norm", "model.norm", "instance"),
        .. OfficialFlag.None("the official generators ignore it", "use_dropout!"),
        OfficialFlag.Setting("netG", "model.generator", "global", OfficialFlags.Same("global", "local")),
        OfficialFlag.Setting("ngf", "model.ngf", "64"),
        OfficialFlag.Setting("n_downsample_global", "model.n_downsample_global", "4"),
        OfficialFlag.Setting("n_blocks_global", "model.n_blocks_global", "9"),
        OfficialFlag.Setting("n_blocks_local", "model.n_blocks_local", "3"),
        OfficialFlag.Setting("n_local_enhancers", "model.n_local_enhancers", "1"),
        OfficialFlag.Setting("niter_fix_global", "model.niter_fix_global", "0"),
        OfficialFlag.Setting("niter", "training.epochs", "100"),
        OfficialFlag.Setting("niter_decay", "training.epochs_decay", "100"),
        OfficialFlag.Setting("beta1", "model.beta1", "0.5"),
        OfficialFlag.Setting("lr", "model.lr", "0.0002"),
        OfficialFlag.Setting("num_D", "model.num_d", "2"),
        OfficialFlag.Setting("n_layers_D", "model.n_layers_d", "3"),
        OfficialFlag.Setting("ndf", "model.ndf", "64"),
        OfficialFlag.Setting("lambda_feat", "model.lambda_feat", "10.0"),
        OfficialFlag.Switch("no_ganFeat_loss", "model.gan_feat_loss", "false", "true"),
        OfficialFlag.Option("no_vgg_loss", "no `model.vgg_weights`; without the flag, name torchvision's weights of VGG-19") with
        {
            Value = FlagValue.Switch,
            NoteWithout =
                "without --no_vgg_loss, the official code has a VGG loss: set model.vgg_weights to torchvision's weights of VGG-19",
        },
        OfficialFlag.Switch("no_lsgan", "model.gan_mode", "vanilla", "lsgan"),
        OfficialFlag.Setting("pool_size", "model.pool_size", "0"),
        OfficialFlag.Setting("fp16", "training.amp", null, ("True", "true")) with { Value = FlagValue.Switch },
        .. OfficialFlag.None("images have no label maps", "label_nc", "no_instance!"),
        .. OfficialFlag.Missing("images have no label maps or instances", "instance_feat!", "label_feat!", "feat_num", "load_features!",
            "n_downsample_E", "nef", "n_clusters", "cluster_path", "use_encoded_image!"),
        OfficialFlag.Switch("serial_batches", "data.serial_batches", "true", "false"),
        .. OfficialFlag.Missing("all pairs are used; a manifest can list fewer", "max_dataset_size"),
        .. OfficialFlag.None("metrics go to TensorBoard files and metrics.csv", "tf_log!"),
        .. OfficialFlag.None("only for tests of the code", "debug!", "data_type", "local_rank", "ntest"),
        .. OfficialFlag.None("'tinctor export' writes ONNX", "export_onnx", "engine", "onnx"),
    ];

    private static IReadOnlyList<OfficialFlag> With(IEnumerable<OfficialFlag> flags, params (string Name, string Default)[] defaults) =>
        [.. flags.Select(flag => defaults.FirstOrDefault(each => each.Name == flag.Name) is { Name: not null } other
            ? flag with { Default = other.Default } : flag)];
}
