using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Execution;

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
        network = TorchScript.Load(path, device);
        preparation = new(input);
    }

    /// <inheritdoc/>
    public override string Name => Path.GetFileNameWithoutExtension(file.Path);

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance => [file.Describe("Feature network"), preparation.Description];

    /// <inheritdoc/>
    internal override ImageBatch Prepare(Image rgb) => preparation.Apply(rgb);

    /// <inheritdoc/>
    internal override FeatureBatch Extract(ImageBatch images)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        try
        {
            Tensor features = network.forward(images.ToTensor().to(device))[0];
            return features.ndim == 2 ? new(features.ToVectors())
                : throw new TinctorException(file.Path, $"returns {features.ndim} dimensions for a batch, but [N, features] is expected",
                    "Export a model that returns one vector per image");
        }
        catch (TorchException e)
        {
            throw new TinctorException(file.Path, $"does not accept images of {images.Width}x{images.Height} pixels: {e.Message}",
                "Set the input size of this network", e)
            { Option = nameof(FeatureInput.Size) };
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => network.Dispose();
}

/// <summary>TorchScript programs, which run on libtorch only.</summary>
internal static class TorchScript
{
    /// <summary>Loads a program in evaluation mode.</summary>
    /// <exception cref="TinctorException">There is no libtorch.</exception>
    public static ScriptModule Load(string path, Device device)
    {
        try
        {
            return torch.jit.load(path, device).eval();
        }
        catch (Exception e) when (TorchLibrary.IsMissing(e))
        {
            throw new TinctorException(path, "a TorchScript program runs on libtorch, which is not installed",
                "Export the network to ONNX, or install libtorch", e);
        }
    }
}
