using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Detects pen marks: dense, and of a hue that common stains do not have.</summary>
internal static class PenMarks
{
    private const float LeastDensity = 0.5f;

    /// <summary>Returns the mask of pen marks, [height, width].</summary>
    /// <param name="density">Optical densities of R, G and B, each [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="mpp">Micrometres per pixel.</param>
    /// <param name="options">Properties of pen marks.</param>
    public static bool[] Find(float[][] density, int width, int height, double mpp, TissueOptions options)
    {
        var ink = new bool[width * height];
        for (int i = 0; i < ink.Length; i++) ink[i] = IsInk(density[0][i], density[1][i], density[2][i], options.Pens);
        ink = Morphology.DropSmall(ink, width, height, options.LeastStroke / (mpp * mpp));
        return Morphology.Dilate(ink, width, height, options.PenMargin / mpp);
    }

    private static bool IsInk(float r, float g, float b, PenColours pens)
    {
        // Haematoxylin has g > r, DAB and eosin have b or g > r; methyl green has b = g.
        if (pens.HasFlag(PenColours.Blue) && r >= LeastDensity && g < 0.9f * r && b < 0.4f * r) return true;
        if (pens.HasFlag(PenColours.Green) && r >= LeastDensity && g < 0.75f * Math.Min(r, b)) return true;
        (float least, float most) = (Math.Min(r, Math.Min(g, b)), Math.Max(r, Math.Max(g, b)));
        return pens.HasFlag(PenColours.Black) && least >= LeastDensity && most - least < 0.2f * most;
    }
}
