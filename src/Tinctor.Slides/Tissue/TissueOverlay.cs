using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Renders a tissue mask over an overview.</summary>
internal static class TissueOverlay
{
    private static readonly byte[] Green = [0, 170, 60], Magenta = [230, 0, 200], Orange = [255, 140, 0];

    public static Image Paint(Image overview, TissueMask mask)
    {
        (int width, int height) = (mask.Mask.Width, mask.Mask.Height);
        if ((overview.Width, overview.Height) != (width, height))
            throw new ArgumentException($"the overview has {overview.Width}x{overview.Height} pixels, but the mask has {width}x{height}",
                nameof(overview));
        Image picture = overview.ToDisplay();
        bool[] tissue = Array.ConvertAll(mask.Mask.Data, value => value > 0);
        bool[] inner = Morphology.Erode(tissue, width, height, Math.Max(1, Math.Max(width, height) / 500.0));
        for (int i = 0; i < tissue.Length; i++)
        {
            Span<byte> pixel = picture.Data.AsSpan(3 * i, 3);
            if (mask.Pens?.Data[i] > 0) Mix(pixel, Magenta);
            if (mask.Folds?.Data[i] > 0) Mix(pixel, Orange);
            if (tissue[i] && !inner[i]) Green.CopyTo(pixel);
        }
        return picture;
    }

    private static void Mix(Span<byte> pixel, byte[] colour)
    {
        for (int c = 0; c < 3; c++) pixel[c] = (byte)((pixel[c] + colour[c]) / 2);
    }
}
