using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Training.Files;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Methods.Cgan;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.Cut;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.Pix2PixHd;
using Tinctor.Training.Methods.PspStain;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Methods.Regression;
using Tinctor.Training.Methods.SimGan;
using Tinctor.Training.Networks;
using YamlDotNet.Serialization;

namespace Tinctor.Training.Configuration;

/// <summary>Configuration of a training run; the resolved form is written into the run folder as config.yaml.</summary>
public sealed record RunConfig
{
    private static readonly Lock Registration = new();
    private static volatile Dictionary<string, RunConfig> methods = new[]
    {
        new RunConfig { Method = "pix2pix", Model = new Pix2PixConfig() },
        new RunConfig
        {
            Method = "pyramid-pix2pix",
            Model = new PyramidPix2PixConfig(),
            Data = new() { CropSize = 512 },
            Training = new() { BatchSize = 2 },
        },
        new RunConfig { Method = "pix2pixhd", Model = new Pix2PixHdConfig(), Data = new() { CropSize = 512 } },
        new RunConfig { Method = "cyclegan", Model = new CycleGanConfig(), Data = new() { Unpaired = true } },
        new RunConfig
        {
            Method = "derestainer",
            Model = new DeReStainerConfig(),
            Data = new() { CropSize = 512 },
            Training = new() { BatchSize = DeReStainerConfig.SmallestBatch },
        },
        new RunConfig
        {
            Method = "bcistainer",
            Model = new BciStainerConfig(),
            Data = new() { CropSize = 1024, Rotate = true, Distortion = 0.3, ResizedCrop = 0.2 },
            Training = new() { BatchSize = 8, Epochs = 150, EpochsDecay = 0, Schedule = Schedule.Cosine, Ema = 0.99 },
        },
        new RunConfig
        {
            Method = "ceff",
            Model = new CeffConfig { Inference = new() { Statistics = "auto" } },
            Data = new() { CropSize = 512 },
            Training = new() { Epochs = 60, EpochsDecay = 40 },
        },
        new RunConfig
        {
            Method = "cut",
            Model = new CutConfig(),
            Data = new() { Unpaired = true },
            Training = new() { Epochs = 200, EpochsDecay = 200 },
        },
        new RunConfig
        {
            Method = "fastcut",
            Model = new CutConfig { LambdaNce = 10, NceIdt = false, FlipEquivariance = true },
            Data = new() { Unpaired = true },
            Training = new() { Epochs = 150, EpochsDecay = 50 },
        },
        new RunConfig
        {
            Method = "asp",
            Model = new AspConfig(),
            Data = new() { CropSize = 512 },
            Training = new() { Epochs = 30, EpochsDecay = 10 },
        },
        new RunConfig
        {
            Method = "psp-stain",
            Model = new PspStainConfig(),
            Data = new() { CropSize = 512 },
            Training = new() { BatchSize = 4, Epochs = 80, EpochsDecay = 0 },
        },
        new RunConfig
        {
            Method = "sim-gan",
            Model = new SimGanConfig(),
            Training = new() { BatchSize = 8, Epochs = 50, EpochsDecay = 50 },
        },
        new RunConfig { Method = "cgan", Model = new CganConfig { ZScore = ZScoreRegion.Image } },
        new RunConfig
        {
            Method = "bbdm",
            Model = new BbdmConfig { ZScore = ZScoreRegion.Image },
            Data = new() { Rotate = true, BlankLimit = 230 },
            Training = new() { Steps = 220_000, BatchSize = 8, Ema = 0.9999, Schedule = Schedule.Constant },
        },
        new RunConfig
        {
            Method = "i2sb",
            Model = new I2sbConfig { ZScore = ZScoreRegion.Image },
            Training = new() { Ema = 0.99, Schedule = Schedule.Step },
        },
        new RunConfig { Method = "unet", Model = new UnetConfig(), Training = new() { BatchSize = 4, Schedule = Schedule.Cosine } },
        new RunConfig
        {
            Method = "nafnet",
            Model = new NafNetConfig { Loss = PixelDistance.Psnr },
            Data = new() { Rotate = true },
            // Eight devices with four pairs each in the official code.
            Training = new() { Steps = 200_000, BatchSize = 32, Microbatch = 4, Schedule = Schedule.Cosine },
        },
    }.ToDictionary(config => config.Method);

    /// <summary>Name of the method; determines the settings under "model".</summary>
    public string Method { get; init; } = "pix2pix";

    /// <summary>Random seed of weights, order, augmentation and dropout.</summary>
    public ulong Seed { get; init; }

    /// <summary>Location of the data, and augmentation.</summary>
    public DataConfig Data { get; init; } = new();

    /// <summary>Length and schedule of training.</summary>
    public TrainingConfig Training { get; init; } = new();

    /// <summary>Settings of the method.</summary>
    public MethodConfig Model { get; init; } = new Pix2PixConfig();

    /// <summary>Content of the profiles named by data.normalize and data.normalize_target, so a run resumes without these files.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfiles? Stains { get; init; }

    /// <summary>Registered methods by name, with the settings of their papers as defaults.</summary>
    public static IReadOnlyDictionary<string, RunConfig> Methods => methods;

    /// <summary>Registers or replaces a method, for all configurations and models read afterwards by this process. Thread-safe.</summary>
    /// <param name="defaults">Name of the method and default settings.</param>
    public static void Register(RunConfig defaults)
    {
        lock (Registration) methods = new Dictionary<string, RunConfig>(methods) { [defaults.Method] = defaults };
    }
}

/// <summary>Length and schedule of the training of a staining method.</summary>
public sealed record TrainingConfig : LoopConfig
{
    /// <summary>Number of epochs at the full learning rate.</summary>
    [Range(1, 1000000)]
    public int Epochs { get; init; } = 100;

    /// <summary>Number of further epochs in which the learning rate decreases linearly to zero.</summary>
    [Range(0, 1000000)]
    public int EpochsDecay { get; init; } = 100;

    /// <summary>
    /// Number of the first epoch: a run that starts from the weights of n epochs of another one continues its schedule with n + 1, up to
    /// epochs plus epochs_decay. Without effect if steps is set.
    /// </summary>
    [Range(1, 1000000)]
    public int EpochCount { get; init; } = 1;

    /// <summary>Number of epochs of the run.</summary>
    internal int TotalEpochs => Epochs + EpochsDecay - EpochCount + 1;

    /// <summary>
    /// Maximum number of pairs that pass through the networks at a time: gradients are accumulated over the batch_size, in the memory of so
    /// many pairs. 0 for the whole batch.
    /// </summary>
    [Range(0, 4096)]
    public int Microbatch { get; init; }

    /// <summary>Weights with which the training starts; null for random ones.</summary>
    public StartReference? StartFrom { get; init; }

    /// <summary>
    /// Score of the validation pairs that selects the best checkpoint: psnr, ssim, lpips (lpips_trunk, lpips_lin), dab (mean amount of
    /// DAB), level (level_classifier) or features (feature_network).
    /// </summary>
    public BestScore Best { get; init; } = BestScore.Psnr;

    /// <summary>Number of evenly spaced validation pairs that are scored; 0 for all.</summary>
    [Range(0, int.MaxValue)]
    public int BestPairs { get; init; } = 16;

    /// <summary>Network of LPIPS, for best=lpips: alex, vgg or squeeze.</summary>
    public LpipsNet LpipsNetwork { get; init; } = LpipsNet.Alex;

    /// <summary>File of torchvision's weights of this network, for best=lpips.</summary>
    public string LpipsTrunk { get; init; } = "";

    /// <summary>File of LPIPS's linear weights, for best=lpips.</summary>
    public string LpipsLin { get; init; } = "";

    /// <summary>Folder of a classifier of target images, for best=level.</summary>
    public string LevelClassifier { get; init; } = "";

    /// <summary>Folder of a classifier, or file of pytorch-fid's weights of Inception, for best=features.</summary>
    public string FeatureNetwork { get; init; } = "";

    /// <summary>Number of pairs in each sample image.</summary>
    [Range(0, 64)]
    public int Samples { get; init; } = 4;

    /// <summary>Copies the settings with full paths of the files that they name.</summary>
    /// <exception cref="TinctorException">The weights to start from are missing.</exception>
    internal TrainingConfig WithFullPaths() => this with
    {
        StartFrom = StartFrom is { Path.Length: > 0 } ? StartReference.FromPath(StartFrom.Path) : null,
        LpipsTrunk = Full(LpipsTrunk),
        LpipsLin = Full(LpipsLin),
        LevelClassifier = Full(LevelClassifier),
        FeatureNetwork = Full(FeatureNetwork),
    };

    private static string Full(string path) => path.Length == 0 ? path : Path.GetFullPath(path);

    /// <summary>Number of pairs over which batch norm computes its statistics.</summary>
    internal int PairsAtATime => Microbatch > 0 ? Math.Min(Microbatch * ProcessGroup.Processes, BatchSize) : BatchSize;
}
