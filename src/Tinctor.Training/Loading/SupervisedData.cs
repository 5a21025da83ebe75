using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Loading;

/// <summary>Images for supervised training.</summary>
public sealed record SupervisedData
{
    /// <summary>Folder or manifest of the data.</summary>
    public string Path { get; init; } = "";

    /// <summary>Regular expression for the slide ID in file names, if no manifest names the slides; for example "^[0-9]+".</summary>
    public string? SlidePattern { get; init; }

    /// <summary>Fold held out for validation, from 0.</summary>
    [Range(0, 99)]
    public int Fold { get; init; }

    /// <summary>Number of folds of the slides (or of the images, if slides are unknown); 1 holds nothing out.</summary>
    [Range(1, 100)]
    public int Folds { get; init; } = 5;

    /// <summary>
    /// Half of the slides (or of the images, if slides are unknown) that the training reads: a or b, which have no slide in common; empty
    /// for all. A comparator and an evaluator of the same data take different halves.
    /// </summary>
    [AllowedValues("", "a", "b")]
    public string Half { get; init; } = "";

    /// <summary>Width and height in pixels to which images are resized; 0 keeps their size.</summary>
    [Range(0, 65536)]
    public int ImageSize { get; init; }

    /// <summary>Side of the crop in pixels, random in training and centred in validation; 0 for whole images.</summary>
    [Range(0, 8192)]
    public int CropSize { get; init; } = 256;

    /// <summary>Random horizontal flips.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Random rotations by multiples of 90 degrees, and vertical flips.</summary>
    public bool Rotate { get; init; } = true;

    /// <summary>Strength of random stain variation in optical-density space; 0 for none.</summary>
    [Range(0.0, 1.0)]
    public double StainJitter { get; init; } = 0.05;

    /// <summary>Number of threads that decode images.</summary>
    [Range(1, 256)]
    public int Workers { get; init; } = 2;
}
