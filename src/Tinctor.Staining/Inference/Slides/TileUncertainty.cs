using Tinctor.Slides;
using Tinctor.Staining.Bridges;
using Tinctor.Torch;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// How sure a model is of each pixel: the spread of several results for the same tile. A diffusion bridge is run several times; any other
/// network sees the tile in the eight positions that turning and mirroring give, among which a section has no preference.
/// </summary>
public static class TileUncertainty
{
    private const int Positions = 8;

    /// <summary>The channel of the <see cref="Variation"/>: 255 is 1; viewers show up to a quarter of it.</summary>
    public static SlideChannel Channel { get; } = new("variation") { Colour = 0xFFFF00, Display = (0, 64) };

    /// <summary>
    /// Stains tiles [N,C,H,W] in [-1,1]. A bridge's result is the mean of its runs; that of other networks does not depend on whether
    /// uncertainty is asked for.
    /// </summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="byChance">Whether runs differ by themselves.</param>
    /// <param name="options">How many repeats, and whether uncertainty is asked for.</param>
    /// <param name="forward">Stains tiles, given the number of the run.</param>
    /// <returns>The stained tiles in [-1,1], and their <see cref="Variation"/> [N,1,H,W] where it is asked for.</returns>
    internal static (Tensor Stained, Tensor? Variation) Stain(Tensor tiles, bool byChance, SlideStainOptions options, Func<Tensor, int, Tensor> forward)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor? first = null;
        (Tensor mean, Tensor deviation) = byChance
            ? RepeatedSampling.Run(options.Repeats, run => forward(tiles, run))
            : RepeatedSampling.Run(options.Uncertainty ? Positions : 1, position =>
            {
                Tensor stained = Back(forward(Turned(tiles, position), 0), position);
                if (position == 0) first = stained.MoveToOuterDisposeScope();
                return stained;
            });
        Tensor? variation = options.Uncertainty ? Variation((mean + 1) / 2, deviation / 2) : null;
        return ((first ?? mean).MoveToOuterDisposeScope(), variation?.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The coefficient of variation, deviation over mean, averaged over the channels [...,C,H,W] to [...,1,H,W] and clamped to [0,1]. Both
    /// are of light in [0,1]; black counts as 1 of 255.
    /// </summary>
    public static Tensor Variation(Tensor mean, Tensor deviation)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (deviation / mean.clamp(min: 1 / 255.0)).mean([-3], keepdim: true).clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>One of the eight positions of images [N,C,H,W]; 0 leaves them.</summary>
    internal static Tensor Turned(Tensor images, int position)
    {
        Tensor turned = position < 4 ? images.alias() : images.transpose(2, 3);
        return (position % 4) switch { 1 => turned.flip(2), 2 => turned.flip(3), 3 => turned.flip(2, 3), _ => turned };
    }

    /// <summary>Undoes <see cref="Turned"/>.</summary>
    internal static Tensor Back(Tensor turned, int position)
    {
        Tensor images = (position % 4) switch { 1 => turned.flip(2), 2 => turned.flip(3), 3 => turned.flip(2, 3), _ => turned.alias() };
        return position < 4 ? images : images.transpose(2, 3);
    }

    /// <summary>Two images of one channel as one of two.</summary>
    internal static Image Joined(Image a, Image b)
    {
        var both = new Image(a.Width, a.Height, 2);
        for (int i = 0; i < a.Data.Length; i++) (both.Data[2 * i], both.Data[(2 * i) + 1]) = (a.Data[i], b.Data[i]);
        return both;
    }
}
