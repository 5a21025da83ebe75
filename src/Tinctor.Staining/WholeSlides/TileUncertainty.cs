using Tinctor.Slides;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Uncertainty of each pixel: the spread of several results for the same tile. A diffusion bridge is sampled several times; other networks
/// stain the tile in the eight orientations of rotation and mirroring, among which a section has no preference.
/// </summary>
internal static class TileUncertainty
{
    /// <summary>Channel of <see cref="PixelVariation"/>: 255 is 1; viewers show up to a quarter of it.</summary>
    public static SlideChannel Channel { get; } = new("variation") { Colour = 0xFFFF00, Display = (0, 64) };

    /// <summary>
    /// Stains tiles in [-1,1]. The result of a bridge is the mean of its samples; that of other networks is the mean over orientations on
    /// request, and does not depend on whether uncertainty is computed.
    /// </summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="stochastic">Whether samples differ by themselves.</param>
    /// <param name="options">Number of samples, and whether uncertainty is computed.</param>
    /// <param name="forward">Stains tiles, given the number of the sample.</param>
    /// <returns>Stained tiles in [-1,1], and their <see cref="PixelVariation"/> [N,1,H,W] if it is computed.</returns>
    internal static (ImageBatch Stained, ImageBatch? Variation) Stain(ImageBatch tiles, bool stochastic, SlideStainOptions options,
        Func<ImageBatch, int, ImageBatch> forward)
    {
        ImageBatch? first = null;
        (float[] mean, float[] deviation) = stochastic
            ? RepeatedSampling.Run(options.Samples, sample => Keep(forward(tiles, sample)).Values)
            : RepeatedSampling.Run(options.Uncertainty || options.AverageOrientations ? Orientations.Count : 1,
                orientation => Keep(Orientations.Restore(forward(Orientations.Apply(tiles, orientation), 0), orientation)).Values);
        ImageBatch like = first!;
        ImageBatch stained = stochastic || options.AverageOrientations
            ? new(like.Count, like.Channels, like.Height, like.Width, mean) : like;
        if (!options.Uncertainty) return (stained, null);
        float[] light = Array.ConvertAll(mean, sample => (sample + 1) / 2), spread = Array.ConvertAll(deviation, sample => sample / 2);
        return (stained, PixelVariation.Compute(like.Count, like.Channels, like.Height, like.Width, light, spread));

        ImageBatch Keep(ImageBatch result)
        {
            first ??= result;
            return result;
        }
    }

    /// <summary>Joins two images of one channel to one of two channels.</summary>
    internal static Image Join(Image a, Image b)
    {
        var both = new Image(a.Width, a.Height, 2);
        for (int i = 0; i < a.Data.Length; i++) (both.Data[2 * i], both.Data[(2 * i) + 1]) = (a.Data[i], b.Data[i]);
        return both;
    }
}
