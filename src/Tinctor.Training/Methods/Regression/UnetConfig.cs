using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Regression;

/// <summary>Regression with the U-Net of Ronneberger et al. 2015, for images of any size.</summary>
public sealed record UnetConfig : RegressionConfig
{
    /// <summary>Channels at full size; doubled at each level.</summary>
    [Range(1, 1024)]
    public int Width { get; init; } = 64;

    /// <summary>Number of downsampling steps.</summary>
    [Range(1, 10)]
    public int Depth { get; init; } = 4;

    // The network continues images to a multiple of 2^depth itself.
    /// <inheritdoc/>
    public override int SizeMultiple => 1;

    // Batch norm needs more than one pixel at the lowest resolution.
    /// <inheritdoc/>
    public override int SmallestCrop => 2 << Depth;

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() => new SegmentationUnet(InputChannels, OutputChannels, Width, Depth);
}
