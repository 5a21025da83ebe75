using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Torch;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Supervised;

/// <summary>Configuration of the supervised training of one network; config.yaml of the run.</summary>
public abstract record SupervisedConfig
{
    /// <summary>Random seed of weights, order and augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>Location of the images, and augmentation.</summary>
    public SupervisedData Data { get; init; } = new();

    /// <summary>Length and schedule of training.</summary>
    public SupervisedTraining Training { get; init; } = new();

    /// <summary>Finds the images and what is known of them. A split "test" is not opened.</summary>
    /// <exception cref="TinctorException">The data does not fit the task.</exception>
    public abstract PairManifest ReadData();

    /// <summary>Makes the network with its first weights.</summary>
    public abstract SupervisedTask Create(Device device, TrainingData data);

    /// <summary>The stains that <see cref="SupervisedData.StainJitter"/> varies.</summary>
    protected virtual StainMatrix JitteredStains => StainMatrix.HaematoxylinEosin;

    /// <summary>How images come to the network: varied for training, else the same every time.</summary>
    internal PairTransform Transform(bool vary) => new()
    {
        Resize = Data.ImageSize > 0 ? Data.ImageSize : null,
        Crop = Data.CropSize > 0 ? Data.CropSize : null,
        RandomCrop = vary,
        HorizontalFlip = vary && Data.Flip,
        VerticalFlip = vary && Data.Rotate,
        Rotate90 = vary && Data.Rotate,
        Jitter = vary && Data.StainJitter > 0
            ? new StainJitter(Data.StainJitter, Data.StainJitter / 5) { Stains = JitteredStains } : null,
    };
}

/// <summary>Length and schedule of supervised training.</summary>
public sealed record SupervisedTraining : LoopConfig
{
    /// <summary>Sixteen images a step.</summary>
    public SupervisedTraining() => BatchSize = 16;

    /// <summary>Number of epochs.</summary>
    [Range(1, 1000000)]
    public int Epochs { get; init; } = 20;

    /// <summary>AdamW's learning rate.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 1e-4;

    /// <summary>AdamW's weight decay.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; } = 1e-2;

    /// <summary>cosine (down to zero along half a wave) or constant.</summary>
    public Schedule Schedule { get; init; } = Schedule.Cosine;
}

/// <summary>Schedule of the learning rate.</summary>
public enum Schedule
{
    /// <summary>From the full rate to zero along half a cosine wave.</summary>
    Cosine,

    /// <summary>The full rate throughout.</summary>
    Constant,
}
