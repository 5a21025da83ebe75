namespace Tinctor.Torch.Nn;

/// <summary>Resizes images [N,C,H,W], as <see cref="F.interpolate"/>.</summary>
/// <param name="size">The new height and width.</param>
/// <param name="scale_factor">The factor of height and width, instead of a size.</param>
/// <param name="mode">"nearest", "nearest-exact", "bilinear" or "bicubic".</param>
/// <param name="align_corners">Whether the centres of the corner pixels stay where they are.</param>
public sealed class Upsample(Size2? size = null, double? scale_factor = null, string mode = "nearest",
    bool align_corners = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.interpolate(input, size, scale_factor, mode, align_corners);
}

/// <summary>[N,C*r*r,H,W] to [N,C,H*r,W*r].</summary>
/// <param name="upscale_factor">r.</param>
public sealed class PixelShuffle(long upscale_factor) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pixel_shuffle(input, upscale_factor);
}

/// <summary>[N,C,H*r,W*r] to [N,C*r*r,H,W].</summary>
/// <param name="downscale_factor">r.</param>
public sealed class PixelUnshuffle(long downscale_factor) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pixel_unshuffle(input, downscale_factor);
}

/// <summary>Flattens a range of dimensions into one.</summary>
/// <param name="start_dim">The first of them.</param>
/// <param name="end_dim">The last of them.</param>
public sealed class Flatten(long start_dim = 1, long end_dim = -1) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.flatten(start_dim, end_dim);
}
