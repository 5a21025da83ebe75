using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Slides.Colour;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Classification;

/// <summary>Training of a classifier of labelled images, as of the HER2 level in an IHC image.</summary>
public sealed record ClassifierConfig : SupervisedConfig
{
    // A ResNet halves them five times, and normalises over what is left.
    private const int SmallestSize = 64;

    /// <summary>Whole images of 512 pixels, as a label belongs to the whole image.</summary>
    public ClassifierConfig() => Data = new() { ImageSize = 512, CropSize = 0 };

    /// <summary>Name of the task.</summary>
    [AllowedValues("classifier")]
    public string Task { get; init; } = "classifier";

    /// <summary>comparator (feature space of a staining model's loss), evaluator (judges stained images), or empty.</summary>
    [AllowedValues("", "comparator", "evaluator")]
    public string Role { get; init; } = "";

    /// <summary>target or source: which image of a pair is classified.</summary>
    [AllowedValues("target", "source")]
    public string Side { get; init; } = "target";

    /// <summary>resnet18 or resnet50.</summary>
    [AllowedValues("resnet18", "resnet50")]
    public string Architecture { get; init; } = "resnet18";

    /// <summary>File of weights to start from: torchvision's ResNets, .pth or .safetensors.</summary>
    public string? Weights { get; init; }

    /// <summary>balanced (every class counts the same in the loss, however many images it has) or none.</summary>
    [AllowedValues("balanced", "none")]
    public string ClassWeights { get; init; } = "balanced";

    /// <inheritdoc/>
    protected override StainMatrix JitteredStains =>
        Side == "target" ? StainMatrix.HaematoxylinDab : StainMatrix.HaematoxylinEosin;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        int size = Data.CropSize > 0 ? Data.CropSize : Data.ImageSize;
        if (size is > 0 and < SmallestSize)
            throw new TinctorException($"images of {size} pixels are too small; use {SmallestSize} or more");
        PairManifest manifest = ClassFolders.Read(Data.Path, Data.SlidePattern) ?? PairManifest.Read(Data.Path, Data.SlidePattern);
        manifest = manifest with { Pairs = [.. manifest.Pairs.Select(Classified)] };
        Pair[] used = [.. manifest.Pairs.Where(pair => pair.Split != "test")];
        if (used.FirstOrDefault(pair => pair.Label is null) is { } without)
            throw new TinctorException($"{without.Source}: has no label, as {used.Count(pair => pair.Label is null)} of {used.Length} "
                + "images; add a label column to the manifest, or sort the images into a folder for each class");
        if (used.Select(pair => pair.Label).Distinct().Count() < 2)
            throw new TinctorException($"{Data.Path}: all images have the label {used[0].Label}; a classifier needs two or more");
        return manifest;
    }

    /// <inheritdoc/>
    public override SupervisedTask Create(Device device, TrainingData data) => new ClassifierTask(this, data, device);

    // The side that is classified, alone.
    private Pair Classified(Pair pair)
    {
        if (Side == "target") pair = pair.Reverse();
        return pair.Layout == PairLayout.TwoFiles ? pair with { Target = null, Layout = PairLayout.Single } : pair;
    }
}
