using Tinctor.Evaluation.Sections;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Execution;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Evaluation.Features;

/// <summary>Embeddings of one of the two CEFF encoders; images keep their size.</summary>
internal sealed class CeffEncoderFeatures : FeatureExtractor
{
    private readonly string folder;
    private readonly bool target;
    private readonly Device device;
    private readonly CeffEncoders? encoders;
    private readonly OnnxNetwork? onnx;

    /// <summary>Loads the encoders.</summary>
    /// <param name="folder">The encoders' folder.</param>
    /// <param name="target">Whether to embed target (IHC) images, not source images.</param>
    /// <param name="device">Device of the computation.</param>
    /// <exception cref="TinctorException">The folder has no encoders.</exception>
    public CeffEncoderFeatures(string folder, bool target, Device device)
    {
        (this.folder, this.target, this.device) = (folder, target, device);
        EncoderReference.ReadCard(folder);
        onnx = SupervisedModel.OpenOnnx(folder, target ? EncoderTask.TargetFile : EncoderTask.SourceFile, device, "features");
        if (onnx is not null) return;
        encoders = new EncoderReference { Path = folder }.Load();
        encoders.to(device);
        encoders.eval();
    }

    /// <inheritdoc/>
    public override string Name => $"CEFF's encoder of {(target ? "target" : "source")} images in {folder}";

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance =>
        [new("Feature network", $"{Name}, SHA-256 {SupervisedModel.Sha256(folder)}; images as they are")];

    /// <inheritdoc/>
    internal override FeatureBatch Extract(ImageBatch images)
    {
        if (encoders is null) return new(onnx!.RunForVectors(images, "features")[0]);
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        return new((target ? encoders.Target : encoders.Source).forward(images.ToTensor().to(device)).ToVectors());
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        encoders?.Dispose();
        onnx?.Dispose();
    }
}
