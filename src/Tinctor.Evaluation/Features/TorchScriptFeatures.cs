using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>Features of a TorchScript network that returns one vector per image, such as a pathology foundation model.</summary>
public sealed class TorchScriptFeatures : FeatureExtractor
{
    private readonly WeightsFile file;
    private readonly Device device;
    private readonly ScriptModule network;
    private readonly FeaturePreparation preparation;

    /// <summary>Reads the network.</summary>
    /// <exception cref="TinctorException">The file is not a TorchScript program.</exception>
    internal TorchScriptFeatures(string path, FeatureInput input, Device device)
    {
        (file, this.device) = (WeightsFile.Open(path), device);
        if (!file.IsTorchScript)
            throw new TinctorException(path, "not a TorchScript program", "Export the model with torch.jit.trace(model, x).save(FILE)");
        network = torch.jit.load(path, device).eval();
        preparation = new(input);
    }

    /// <inheritdoc/>
    public override string Name => Path.GetFileNameWithoutExtension(file.Path);

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance => [file.Describe("Feature network"), preparation.Description];

    /// <inheritdoc/>
    internal override Tensor Prepare(Image rgb) => preparation.Apply(rgb);

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
        preparation.Dispose();
    }
}
