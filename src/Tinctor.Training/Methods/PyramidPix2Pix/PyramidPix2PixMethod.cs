using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Pix2Pix;

namespace Tinctor.Training.Methods.PyramidPix2Pix;

/// <summary>PyramidPix2pix (models/pix2pix_model.py of bupt-ai-cz/BCI, pattern L1_L2_L3_L4; sobel is optional).</summary>
/// <param name="config">Settings of the method.</param>
/// <param name="device">Device of the training.</param>
internal sealed class PyramidPix2PixMethod(PyramidPix2PixConfig config, Device device) : ConditionalGanMethod(config, device)
{
    /// <inheritdoc/>
    internal override IReadOnlyList<(string Name, Tensor Loss)> Distances(Tensor stained, Tensor target)
    {
        double[] weights = [config.LambdaL1, config.WeightL2, config.WeightL3, config.WeightL4];
        int octaves = Array.FindLastIndex(weights, weight => weight > 0) + 1;
        Tensor[] a = OctavePyramid.Octaves(stained, octaves), b = OctavePyramid.Octaves(target, octaves);
        List<(string Name, Tensor Loss)> distances =
            [.. Enumerable.Range(0, octaves).Select(i => ($"G_L{i + 1}", F.l1_loss(a[i], b[i]) * weights[i]))];
        if (config.WeightSobel > 0) distances.Add(("G_sobel", EdgeLoss.Compute(stained, target) * config.WeightSobel));
        return distances.Count > 0 ? distances : base.Distances(stained, target);
    }
}
