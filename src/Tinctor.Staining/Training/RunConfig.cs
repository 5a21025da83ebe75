using System.ComponentModel.DataAnnotations;
using Tinctor.Staining.Methods;
using Tinctor.Staining.Methods.Bridges;
using Tinctor.Staining.Methods.Ceff;
using Tinctor.Staining.Methods.Cgan;
using Tinctor.Staining.Methods.DeReStainer;
using Tinctor.Staining.Methods.Pix2Pix;
using YamlDotNet.Serialization;

namespace Tinctor.Staining.Training;

/// <summary>Everything that decides a training run; the resolved form is written into the run folder as config.yaml.</summary>
public sealed record RunConfig
{
    /// <summary>The method's name; decides what "model" may hold.</summary>
    public string Method { get; init; } = "pix2pix";

    /// <summary>Starts every random choice: weights, order, augmentation, dropout.</summary>
    public ulong Seed { get; init; }

    /// <summary>Where the data is and how it is varied.</summary>
    public DataConfig Data { get; init; } = new();

    /// <summary>How long and how training goes.</summary>
    public TrainingConfig Training { get; init; } = new();

    /// <summary>The method's own settings.</summary>
    public MethodConfig Model { get; init; } = new Pix2PixConfig();

    /// <summary>What data.normalize and data.normalize_target named at the start, so that a run goes on without those files.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfiles? Stains { get; init; }

    /// <summary>The known methods with the settings of their papers.</summary>
    public static IReadOnlyDictionary<string, RunConfig> Methods { get; } = new[]
    {
        new RunConfig { Method = "pix2pix", Model = new Pix2PixConfig() },
        new RunConfig { Method = "derestainer", Model = new DeReStainerConfig(), Data = new() { CropSize = 512 } },
        new RunConfig
        {
            Method = "ceff",
            Model = new CeffConfig(),
            Data = new() { CropSize = 512 },
            Training = new() { Epochs = 60, EpochsDecay = 40 },
        },
        new RunConfig { Method = "cgan", Model = new CganConfig() },
        new RunConfig { Method = "bbdm", Model = new BbdmConfig(), Training = new() { Ema = 0.9999 } },
        new RunConfig { Method = "i2sb", Model = new I2sbConfig(), Training = new() { Ema = 0.99 } },
    }.ToDictionary(config => config.Method);
}

/// <summary>Where training data is and how it is varied.</summary>
public sealed record DataConfig
{
    /// <summary>The folder or manifest.</summary>
    public string Path { get; init; } = "";

    /// <summary>A regular expression that finds the slide in a file name, where no manifest tells; for example "^[0-9]+".</summary>
    public string? SlidePattern { get; init; }

    /// <summary>Slides for testing, where the data has no splits of its own.</summary>
    public List<string> TestSlides { get; init; } = [];

    /// <summary>Slides for choosing the best checkpoint, where the data has no splits of its own.</summary>
    public List<string> ValSlides { get; init; } = [];

    /// <summary>AtoB or BtoA: which side of the pairs is the source.</summary>
    [AllowedValues("AtoB", "BtoA")]
    public string Direction { get; init; } = "AtoB";

    /// <summary>
    /// Both images are first resized to this many pixels square (pix2pix uses 286), sources to as many fewer as a method refines them; 0
    /// keeps their size.
    /// </summary>
    [Range(0, 65536)]
    public int LoadSize { get; init; }

    /// <summary>Side of the random crop of the target that a step sees.</summary>
    [Range(16, 8192)]
    public int CropSize { get; init; } = 256;

    /// <summary>Random left-right flips.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Random turns by 90 degrees, and top-bottom flips.</summary>
    public bool Rotate { get; init; }

    /// <summary>Strength of random stain changes of the source in optical-density space; 0 for none, 0.1 for some.</summary>
    [Range(0.0, 1.0)]
    public double StainJitter { get; init; }

    /// <summary>
    /// A profile of `tinctor stains estimate` that sources are brought to, each from its own colours; the model keeps it and stains in
    /// the same way. Empty: they are left as they are.
    /// </summary>
    public string Normalize { get; init; } = "";

    /// <summary>
    /// A profile that targets are brought to, all of them from the colours that the training targets have in common, so that they keep
    /// their proportions. Empty: they are left as they are.
    /// </summary>
    public string NormalizeTarget { get; init; } = "";

    /// <summary>Share of the training slides held out for choosing the best checkpoint when the data has no "val" split.</summary>
    [Range(0, 0.9)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Threads that decode images ahead of training.</summary>
    [Range(1, 256)]
    public int Workers { get; init; } = 2;

    internal DataConfig WithFullPaths()
    {
        static string Full(string path) => path.Length == 0 ? path : System.IO.Path.GetFullPath(path);
        return this with { Path = Full(Path), Normalize = Full(Normalize), NormalizeTarget = Full(NormalizeTarget) };
    }
}

/// <summary>How long and how the training of a staining method goes.</summary>
public sealed record TrainingConfig : LoopConfig
{
    /// <summary>Epochs at the full learning rate.</summary>
    [Range(1, 1000000)]
    public int Epochs { get; init; } = 100;

    /// <summary>Further epochs in which the learning rate falls to zero.</summary>
    [Range(0, 1000000)]
    public int EpochsDecay { get; init; } = 100;

    /// <summary>Pairs in each picture of samples/.</summary>
    [Range(0, 64)]
    public int Samples { get; init; } = 4;
}

/// <summary>The settings that every training has.</summary>
public abstract record LoopConfig
{
    /// <summary>
    /// Ends training after this many steps whatever the epochs say, the learning rate falling accordingly (a method's over the second
    /// half); 0 for no limit.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Steps { get; init; }

    /// <summary>Images (or pairs of them) a step.</summary>
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 1;

    /// <summary>cpu, cuda, cuda:N, or auto: a GPU where there is one.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Runs suited operators in bfloat16.</summary>
    public bool Amp { get; init; }

    /// <summary>Steps between two lines of metrics.csv.</summary>
    [Range(1, int.MaxValue)]
    public int LogEvery { get; init; } = 10;

    /// <summary>Steps between two checkpoints; 0 for one an epoch, or for several epochs of together at least 500 steps.</summary>
    [Range(0, int.MaxValue)]
    public int CheckpointEvery { get; init; }

    /// <summary>How many of the latest checkpoints are kept beside the best one.</summary>
    [Range(1, 1000)]
    public int KeepCheckpoints { get; init; } = 3;

    /// <summary>Decay of the running average of the trained network's weights that the finished model has; 0 for none.</summary>
    [Range(0, 0.999999)]
    public double Ema { get; init; }
}
