using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Halves images after smoothing them with a binomial filter of 3x3 pixels, reflected at the borders (Zhang 2019, networks.Downsample of
/// the official CUT). [N,C,H,W] to [N,C,ceil(H/2),ceil(W/2)].
/// </summary>
internal sealed class BlurDownsample : Module<Tensor, Tensor>
{
    private readonly Tensor filt;

    /// <param name="channels">Number of channels.</param>
    public BlurDownsample(int channels) => filt = register_buffer("filt", BlurFilter.Create(channels, [1, 2, 1], 1))!;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using Tensor padded = F.pad(x, [1, 1, 1, 1], "reflect");
        return F.conv2d(padded, filt, stride: 2, groups: filt.size(0));
    }
}

/// <summary>
/// Doubles images and smooths them with a binomial filter of 4x4 pixels, repeated at the borders (Zhang 2019, networks.Upsample of the
/// official CUT). [N,C,H,W] to [N,C,2H,2W].
/// </summary>
internal sealed class BlurUpsample : Module<Tensor, Tensor>
{
    private readonly Tensor filt;

    /// <param name="channels">Number of channels.</param>
    public BlurUpsample(int channels) => filt = register_buffer("filt", BlurFilter.Create(channels, [1, 3, 3, 1], 4))!;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor padded = F.pad(x, [1, 1, 1, 1], "replicate");
        // The padding crops the pixels that come from the repeated borders.
        return F.conv_transpose2d(padded, filt, stride: 2, padding: 3, groups: filt.size(0)).MoveToOuterDisposeScope();
    }
}

/// <summary>Filters of <see cref="BlurDownsample"/> and <see cref="BlurUpsample"/>.</summary>
internal static class BlurFilter
{
    /// <summary>Creates the same separable filter for each channel, [channels,1,K,K].</summary>
    /// <param name="channels">Number of channels.</param>
    /// <param name="line">Relative weights along each axis.</param>
    /// <param name="sum">Sum of the filter.</param>
    public static Tensor Create(int channels, double[] line, double sum)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        double scale = sum / (line.Sum() * line.Sum());
        float[] values = [.. line.SelectMany(row => line.Select(column => (float)(row * column * scale)))];
        return torch.tensor<float>(values, [1, 1, line.Length, line.Length]).expand(channels, 1, line.Length, line.Length).contiguous()
            .MoveToOuterDisposeScope();
    }
}
