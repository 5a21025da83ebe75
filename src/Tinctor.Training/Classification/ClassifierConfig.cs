using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Classification;

/// <summary>Configuration of the training of a classifier of labelled images, for example of the HER2 level of IHC images.</summary>
public sealed record ClassifierConfig : SupervisedConfig
{
    /// <summary>Smallest side of images: a ResNet halves them five times, and batch norm needs several of the pixels left.</summary>
    internal const int SmallestSize = 64;

    /// <summary>Creates the default configuration: whole images, resized to 512 pixels.</summary>
    public ClassifierConfig() => Data = new() { ImageSize = 512, CropSize = 0 };

    /// <summary>Name of the task.</summary>
    [AllowedValues("classifier")]
    public string Task { get; init; } = "classifier";

    /// <summary>comparator (features of a staining model's loss), evaluator (evaluation of stained images), or empty.</summary>
    [AllowedValues("", "comparator", "evaluator")]
    public string Role { get; init; } = "";

    /// <summary>target or source: which image of a pair is classified.</summary>
    [AllowedValues("target", "source")]
    public string Side { get; init; } = "target";

    /// <summary>resnet18 or resnet50.</summary>
    [AllowedValues("resnet18", "resnet50")]
    public string Architecture { get; init; } = "resnet18";

    /// <summary>File of initial weights: a ResNet of torchvision, .pth or .safetensors; null for random weights.</summary>
    public string? Weights { get; init; }

    /// <summary>balanced (equal weights of all classes in the loss, independent of their frequencies) or none.</summary>
    [AllowedValues("balanced", "none")]
    public string ClassWeights { get; init; } = "balanced";

    /// <summary>
    /// Highest standard deviation of the Gaussian noise that is added to training images in [-1,1]; each image has its own, from 0 to this.
    /// Default: 1 for a comparator, else 0. Without noise, the features of a comparator depend on fine patterns, and a generator draws such
    /// patterns instead of the stain.
    /// </summary>
    [Range(0.0, 2.0)]
    public double? Noise { get; init; }

    /// <summary>The noise of this training, <see cref="Noise"/> or its default.</summary>
    internal double NoiseOrDefault => Noise ?? (Role == "comparator" ? 1 : 0);

    /// <inheritdoc/>
    protected override StainMatrix JitteredStains =>
        Side == "target" ? StainMatrix.HaematoxylinDab : StainMatrix.HaematoxylinEosin;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        int size = Data.CropSize > 0 ? Data.CropSize : Data.ImageSize;
        if (size is > 0 and < SmallestSize)
        {
            string setting = Data.CropSize > 0 ? "data.crop_size" : "data.image_size";
            throw new TinctorException(null, $"{setting} is {size}, expected {SmallestSize} or more", $"Use {setting}={SmallestSize}")
            { Option = $"{setting}={SmallestSize}" };
        }
        PairManifest manifest = ClassFolders.Read(Data.Path, Data.SlidePattern) ?? PairManifest.Read(Data.Path, Data.SlidePattern);
        manifest = manifest with { Pairs = [.. manifest.Pairs.Select(Classified)] };
        Pair[] used = [.. manifest.Pairs.Where(pair => pair.Split != "test")];
        if (used.FirstOrDefault(pair => pair.Label is null) is { } without)
        {
            throw new TinctorException(without.Source,
                $"no label; {used.Count(pair => pair.Label is null)} of {used.Length} images have none",
                "Add a label column to the manifest, or sort the images into one folder per class");
        }
        if (used.Select(pair => pair.Label).Distinct().Count() < 2)
        {
            throw new TinctorException(Data.Path, $"all images have the label {used[0].Label}, but a classifier needs two or more labels",
                "Add images with other labels");
        }
        return manifest;
    }

    /// <inheritdoc/>
    internal override SupervisedTask Create(Device device, TrainingData data) => new ClassifierTask(this, data, device);

    // Keeps the classified image of a pair only.
    private Pair Classified(Pair pair)
    {
        if (Side == "target") pair = pair.Reverse();
        return pair.Layout == PairLayout.TwoFiles ? pair with { Target = null, Layout = PairLayout.Single } : pair;
    }
}
