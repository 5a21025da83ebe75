using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Methods.Bridges;

namespace Tinctor.Training.Tests.Methods;

/// <summary>Staining of tensors [N,C,H,W] with the networks of a bridge.</summary>
internal static class BridgeStaining
{
    public static Tensor Stain(this BridgeGenerator network, Tensor source, BridgeSampling how, IReadOnlyList<NoiseOrigin> origins,
        int run = 0) =>
        ToTensor(Stainer(network).Run(ToBatch(source), new(how, origins, run)).Image);

    public static Tensor StainQuickly(this BridgeGenerator network, Tensor source) => ToTensor(Stainer(network).Stain(ToBatch(source)));

    private static Stainer Stainer(BridgeGenerator network) => TrainedModel.CreateStainer(network, network.Config, Device.CPU);

    private static ImageBatch ToBatch(Tensor images) =>
        new((int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3),
        images.to(ScalarType.Float32).contiguous().ToArray<float>());

    private static Tensor ToTensor(ImageBatch batch) =>
        torch.tensor<float>(batch.Values, batch.Count, batch.Channels, batch.Height, batch.Width);
}
