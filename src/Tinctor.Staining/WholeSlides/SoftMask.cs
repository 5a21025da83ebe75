using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Tissue mask sampled at any pixel of a finer image, 0 to 1: 1 on tissue, falling to 0 over the mask's pixels around it.
/// </summary>
/// <param name="mask">The mask.</param>
/// <param name="scale">Pixels of level 0 to one pixel of the finer image.</param>
internal sealed class SoftMask(TissueMask mask, double scale)
{
    private readonly Image samples = mask.Mask;
    private readonly double perPixel = scale / mask.Downsample;

    /// <summary>Gets the share of tissue at a pixel, interpolated between the centres of the mask's pixels.</summary>
    public float At(int x, int y)
    {
        float u = Math.Clamp((float)((x + 0.5) * perPixel) - 0.5f, 0, samples.Width - 1),
            v = Math.Clamp((float)((y + 0.5) * perPixel) - 0.5f, 0, samples.Height - 1);
        int left = (int)u, top = (int)v, right = Math.Min(left + 1, samples.Width - 1), bottom = Math.Min(top + 1, samples.Height - 1);
        float across = u - left, upper = Mix(top), lower = Mix(bottom);
        return (upper + ((v - top) * (lower - upper))) / 255;

        float Mix(int row) => samples.Data[(row * samples.Width) + left]
            + (across * (samples.Data[(row * samples.Width) + right] - samples.Data[(row * samples.Width) + left]));
    }
}
