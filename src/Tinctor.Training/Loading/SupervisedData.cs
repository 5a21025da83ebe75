using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Loading;

/// <summary>Images for supervised training.</summary>
public sealed record SupervisedData
{
    /// <summary>The folder or manifest.</summary>
    public string Path { get; init; } = "";

    /// <summary>A regular expression that finds the slide in a file name, where no manifest tells; for example "^[0-9]+".</summary>
    public string? SlidePattern { get; init; }

    /// <summary>Which fold is held out for choosing the best weights, from 0.</summary>
    [Range(0, 99)]
    public int Fold { get; init; }

    /// <summary>Into how many folds the slides are dealt (the images, where slides are not known); 1 holds nothing out.</summary>
    [Range(1, 100)]
    public int Folds { get; init; } = 5;

    /// <summary>Images are first resized to this many pixels square; 0 keeps their size.</summary>
    [Range(0, 65536)]
    public int ImageSize { get; init; }

    /// <summary>Side of the crop that a step sees: a random one for training, the middle for validation; 0 takes whole images.</summary>
    [Range(0, 8192)]
    public int CropSize { get; init; } = 256;

    /// <summary>Random left-right flips.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Random turns by 90 degrees, and top-bottom flips.</summary>
    public bool Rotate { get; init; } = true;

    /// <summary>Strength of random stain changes in optical-density space; 0 for none.</summary>
    [Range(0.0, 1.0)]
    public double StainJitter { get; init; } = 0.05;

    /// <summary>Threads that decode images ahead of training.</summary>
    [Range(1, 256)]
    public int Workers { get; init; } = 2;
}
