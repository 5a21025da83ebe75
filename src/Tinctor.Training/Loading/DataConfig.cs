using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Loading;

/// <summary>Location and augmentation of training data.</summary>
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
    /// Stain profile to which sources are normalised, each from its own colours; the model keeps it for staining. Empty for no
    /// normalisation.
    /// </summary>
    public string Normalize { get; init; } = "";

    /// <summary>
    /// Stain profile to which targets are normalised, all of them from the common colours of the training targets, so that they keep
    /// their proportions. Empty for no normalisation.
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
