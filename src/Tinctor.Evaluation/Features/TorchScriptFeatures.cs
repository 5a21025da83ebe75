using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>Input of a TorchScript network.</summary>
/// <param name="Size">Side in pixels to which images are resized (bicubic, antialiased); 0 keeps their size.</param>
/// <param name="Mean">Mean of each channel in [0, 1], subtracted.</param>
/// <param name="Std">Standard deviation of each channel in [0, 1], by which it is then divided.</param>
internal sealed record FeatureInput(int Size, IReadOnlyList<double> Mean, IReadOnlyList<double> Std)
{
    /// <summary>224 pixels with ImageNet's mean and standard deviation, as for most pathology foundation models.</summary>
    public static FeatureInput ImageNet { get; } = new(224, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
}

/// <summary>Features of a TorchScript network that returns one vector per image, such as a pathology foundation model.</summary>
public sealed class TorchScriptFeatures : FeatureExtractor
{
    private readonly WeightsFile file;
    private readonly FeatureInput input;
    private readonly Device device;
    private readonly ScriptModule network;
    private readonly Tensor mean, std;

    /// <summary>Reads the network.</summary>
    /// <exception cref="TinctorException">The file is not a TorchScript program.</exception>
    internal TorchScriptFeatures(string path, FeatureInput input, Device device)
    {
        (file, this.input, this.device) = (WeightsFile.Open(path), input, device);
        if (!file.IsTorchScript)
            throw new TinctorException(path, "not a TorchScript program", "Export the model with torch.jit.trace(model, x).save(FILE)");
        network = torch.jit.load(path, device).eval();
        (mean, std) = (Channels(input.Mean), Channels(input.Std));
    }

    private static Tensor Channels(IReadOnlyList<double> values) =>
        torch.tensor<float>([.. values.Select(v => (float)v)], [3, 1, 1]).DetachFromDisposeScope();

    /// <inheritdoc/>
    public override string Name => Path.GetFileNameWithoutExtension(file.Path);

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance =>
    [
        file.Describe("Feature network"),
        new("Input", $"{(input.Size > 0 ? $"{input.Size}x{input.Size} by bicubic resizing with antialiasing" : "images as they are")}, "
            + $"[0, 1] normalised by mean {string.Join(", ", input.Mean)} and std {string.Join(", ", input.Std)}"),
    ];

    /// <inheritdoc/>
    internal override Tensor Prepare(Image rgb)
    {
        Tensor image = rgb.ToTensor();
        if (input.Size > 0) image = F.interpolate(image.unsqueeze(0), input.Size, mode: "bicubic", antialias: true).squeeze(0).clamp(0, 1);
        return (image - mean) / std;
    }

    /// <inheritdoc/>
    internal override FeatureBatch Extract(Tensor images)
    {
        try
        {
            Tensor features = network.forward(images.to(device))[0];
            return features.ndim == 2 ? new(features, null)
                : throw new TinctorException(file.Path, $"returns {features.ndim} dimensions for a batch, but [N, features] is expected",
                    "Export a model that returns one vector per image");
        }
        catch (TorchException e)
        {
            throw new TinctorException(file.Path, $"does not accept images of {images.size(3)}x{images.size(2)} pixels: {e.Message}",
                "Set the input size of this network", e)
            { Option = nameof(FeatureInput.Size) };
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        network.Dispose();
        mean.Dispose();
        std.Dispose();
    }
}
