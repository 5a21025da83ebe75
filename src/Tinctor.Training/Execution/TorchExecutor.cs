using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.SelfTest;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Execution;

/// <summary>
/// Runs staining networks on libtorch. Thread-safe: the network is not changed; normalisation, autocast and inference mode apply to the
/// calling thread only.
/// </summary>
internal sealed class TorchExecutor : INetworkExecutor
{
    private readonly Module<Tensor, Tensor> network;
    private readonly Device device;
    private readonly bool amp;
    private readonly bool owned;
    private readonly int stains;
    private readonly int? stain;

    /// <summary>Puts a network into inference mode.</summary>
    /// <param name="network">Network on the device; maps sources [N,C,H,W] in [-1,1] to stained images.</param>
    /// <param name="byBatch">Whether batch norms use the statistics of the images; otherwise those of training.</param>
    /// <param name="device">Device of the network.</param>
    /// <param name="amp">Whether suitable operators run in bfloat16.</param>
    /// <param name="owned">Whether the executor disposes the network.</param>
    /// <param name="stains">Number of stains that the network takes; 0 if it takes none.</param>
    /// <exception cref="TinctorException">libtorch computes wrong convolutions.</exception>
    public TorchExecutor(Module<Tensor, Tensor> network, bool byBatch, Device device, bool amp = false, bool owned = false,
        int stains = 0)
    {
        EngineCheck.Require(device, amp, training: false);
        (this.network, this.device, this.amp, this.owned, this.stains) = (network, device, amp, owned, stains);
        SetInferenceMode(network, byBatch);
        NormalizesByImage = network.modules().OfType<INormalizesByImage>().Any(norm => norm.by_image);
    }

    // The network of another executor, which owns it, for one stain.
    private TorchExecutor(TorchExecutor owner, int stain)
    {
        (network, device, amp, stains, this.stain) = (owner.network, owner.device, owner.amp, owner.stains, stain);
        NormalizesByImage = owner.NormalizesByImage;
    }

    /// <inheritdoc/>
    public INetworkExecutor ForStain(int index) => new TorchExecutor(this, index);

    /// <summary>Puts a network into inference mode.</summary>
    /// <param name="network">The network.</param>
    /// <param name="byBatch">Whether batch norms use the statistics of the images themselves, not those of training.</param>
    internal static void SetInferenceMode(Module network, bool byBatch)
    {
        network.eval();
        foreach (BatchNorm2d norm in network.modules().OfType<BatchNorm2d>()) norm.by_batch = byBatch;
    }

    /// <inheritdoc/>
    public bool NormalizesByImage { get; }

    /// <inheritdoc/>
    public string Precision => $"libtorch {device.type} {(amp ? "bfloat16" : "float32")}";

    /// <inheritdoc/>
    public NetworkOutput Run(NetworkInput input)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        using Guard? cast = amp ? torch.autocast(device.type, ScalarType.BFloat16) : null;
        using StainContext? chosen = UseStain();
        Tensor source = input.Source.ToTensor().to(device);
        Tensor? level = input.IhcLogits is { } logits ? torch.tensor(logits, 1, logits.Length).to(device) : null;
        if (input.Normalization is not { } normalization) return Output(Forward(source, level), null);
        int count = input.Source.Count;
        var recorded = Enumerable.Range(0, normalization.Records ? count : 0).Select(_ => new List<(float[], float[])>()).ToArray();
        int layer = 0;
        (Tensor Stained, Tensor? Logits) result = MomentsContext.Run(Moments, () => Forward(source, level));
        return Output(result, normalization.Records ? [.. recorded.Select(layers => new ImageMoments(layers))] : null);

        Moments Moments(Moments own)
        {
            if (normalization.Records) Record(recorded, own);
            if (normalization.Moments is not { } given) return own;
            int index = layer++;
            return new(Batch(own.Mean, moments => moments.Layers[index].Mean),
                Batch(own.Variance, moments => moments.Layers[index].Variance));

            Tensor Batch(Tensor like, Func<ImageMoments, float[]> part) =>
                torch.tensor<float>([.. given.SelectMany(part)], like.shape).to(like.device, like.dtype);
        }
    }

    /// <inheritdoc/>
    public ImageBatch Predict(ImageBatch state, double time, ImageBatch end)
    {
        if (network is not IBridgeNetwork bridge) throw new NotSupportedException("the network belongs to no diffusion bridge");
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        using Guard? cast = amp ? torch.autocast(device.type, ScalarType.BFloat16) : null;
        using StainContext? chosen = UseStain();
        return bridge.Predict(state.ToTensor().to(device), torch.tensor([(float)time], 1).to(device), end.ToTensor().to(device)).ToBatch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (owned) network.Dispose();
    }

    private StainContext? UseStain() => stain is { } index ? StainContext.Use(StainContext.OneHot([index], stains, device)) : null;

    private (Tensor Stained, Tensor? Logits) Forward(Tensor source, Tensor? level) => network switch
    {
        ILevelPredictor predictor => predictor.Stain(source, level),
        IBridgeNetwork bridge => (bridge.End(source), null),
        _ => (network.forward(source), null),
    };

    private static NetworkOutput Output((Tensor Stained, Tensor? Logits) result, IReadOnlyList<ImageMoments>? moments)
    {
        float[][]? logits = result.Logits is not { } all ? null
            : [.. Enumerable.Range(0, (int)all.size(0)).Select(i => all[i].to(ScalarType.Float32).cpu().ToArray<float>())];
        return new(result.Stained.ToBatch(), logits, moments);
    }

    private static void Record(List<(float[] Mean, float[] Variance)>[] images, Moments own)
    {
        float[] means = own.Mean.cpu().contiguous().ToArray<float>(), variances = own.Variance.cpu().contiguous().ToArray<float>();
        int channels = means.Length / images.Length;
        for (int i = 0; i < images.Length; i++)
            images[i].Add((means[(i * channels)..((i + 1) * channels)], variances[(i * channels)..((i + 1) * channels)]));
    }
}
