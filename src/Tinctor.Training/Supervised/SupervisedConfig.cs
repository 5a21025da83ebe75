using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Torch;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Supervised;

/// <summary>Configuration of the supervised training of a network; config.yaml of the run.</summary>
public abstract record SupervisedConfig
{
    /// <summary>Random seed of weights, order and augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>Location of the images, and augmentation.</summary>
    public SupervisedData Data { get; init; } = new();

    /// <summary>Length and schedule of training.</summary>
    public SupervisedTraining Training { get; init; } = new();

    /// <summary>Reads the list of images with their labels and slides. Images of the split "test" are not read.</summary>
    /// <exception cref="TinctorException">The data does not suit the task.</exception>
    public abstract PairManifest ReadData();

    /// <summary>Creates the task with an initialised network.</summary>
    internal abstract SupervisedTask Create(Device device, TrainingData data);

    /// <summary>Stains varied by <see cref="SupervisedData.StainJitter"/>.</summary>
    protected virtual StainMatrix JitteredStains => StainMatrix.HaematoxylinEosin;

    /// <summary>Gets the preprocessing of images, with augmentation for training.</summary>
    internal PairTransform Transform(bool augment) => new()
    {
        Resize = Data.ImageSize > 0 ? Data.ImageSize : null,
        Crop = Data.CropSize > 0 ? Data.CropSize : null,
        RandomCrop = augment,
        HorizontalFlip = augment && Data.Flip,
        VerticalFlip = augment && Data.Rotate,
        Rotate90 = augment && Data.Rotate,
        Jitter = augment && Data.StainJitter > 0
            ? new StainJitter(Data.StainJitter, Data.StainJitter / 5) { Stains = JitteredStains } : null,
    };
}

/// <summary>Length and schedule of supervised training.</summary>
public sealed record SupervisedTraining : LoopConfig
{
    /// <summary>Creates the default settings: 16 images per step, a cosine schedule.</summary>
    public SupervisedTraining() => (BatchSize, Schedule) = (16, Schedule.Cosine);

    /// <summary>Number of epochs.</summary>
    [Range(1, 1000000)]
    public int Epochs { get; init; } = 20;

    /// <summary>Share of the run, at its end, in which the learning rate of the schedule linear decreases to zero.</summary>
    [Range(0.01, 1.0)]
    public double DecayShare { get; init; } = 0.5;

    /// <summary>Learning rate of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 1e-4;

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; } = 1e-2;
}
