using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Detects tissue folds: long, narrow, of the hue of the surrounding tissue and much denser.</summary>
internal static class TissueFolds
{
    private const float LeastDensity = 0.25f, LeastLikeness = 0.98f;
    private const double Margin = 15; // micrometres

    /// <summary>Returns the mask of folds, [height, width].</summary>
    /// <param name="density">Optical densities of R, G and B, each [height, width].</param>
    /// <param name="tissue">Mask of the tissue, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="mpp">Micrometres per pixel.</param>
    /// <param name="options">Properties of folds.</param>
    public static bool[] Find(float[][] density, bool[] tissue, int width, int height, double mpp, TissueOptions options)
    {
        // Weighted sums; divided by the weights they are means.
        var around = new Surroundings(width, height, options.FoldSurroundings / mpp);
        float[] weight = around.Smooth(Array.ConvertAll(tissue, set => set ? 1f : 0f));
        float[][] sums = Array.ConvertAll(density, plane => around.Smooth([.. plane.Select((od, i) => tissue[i] ? od : 0)]));
        var fold = new bool[tissue.Length];
        for (int i = 0; i < fold.Length; i++)
        {
            if (!tissue[i]) continue;
            int at = around.At(i);
            (float r, float g, float b) = (density[0][i], density[1][i], density[2][i]);
            (float r0, float g0, float b0) = (sums[0][at], sums[1][at], sums[2][at]);
            float sum = r + g + b, likeness = ((r * r0) + (g * g0) + (b * b0))
                / MathF.Sqrt(((r * r) + (g * g) + (b * b)) * ((r0 * r0) + (g0 * g0) + (b0 * b0)));
            fold[i] = sum >= 3 * LeastDensity && sum * weight[at] >= options.FoldDensity * (r0 + g0 + b0) && likeness >= LeastLikeness;
        }
        return Morphology.Dilate(Narrow(fold, width, height, mpp, options), width, height, Margin / mpp);
    }

    private static bool[] Narrow(bool[] fold, int width, int height, double mpp, TissueOptions options)
    {
        LabelMap pieces = ConnectedComponents.Label(fold, width, height);
        int[] areas = pieces.Areas();
        var radii = new float[areas.Length];
        float[] depth = DistanceTransform.Signed(fold, width, height);
        for (int i = 0; i < fold.Length; i++) radii[pieces.Labels[i]] = Math.Max(radii[pieces.Labels[i]], depth[i]);
        return pieces.Keep(label => areas[label] * mpp * mpp >= options.LeastFold && 2 * radii[label] * mpp <= options.FoldWidth
            && areas[label] >= options.FoldElongation * Math.PI * radii[label] * radii[label]).Mask();
    }

    /// <summary>Gaussian means of planes, computed at a lower resolution for speed.</summary>
    private sealed class Surroundings(int width, int height, double sigma)
    {
        private const double CoarseSigma = 6; // pixels

        private readonly int factor = (int)Math.Max(1, sigma / CoarseSigma);

        private int Columns => (width + factor - 1) / factor;

        private int Rows => (height + factor - 1) / factor;

        // Index of the mean of a pixel.
        public int At(int pixel) => (pixel / width / factor * Columns) + (pixel % width / factor);

        public float[] Smooth(float[] plane)
        {
            var coarse = new float[Columns * Rows];
            for (int i = 0; i < plane.Length; i++) coarse[At(i)] += plane[i];
            return GaussianFilter.Smooth(coarse, Columns, Rows, sigma / factor);
        }
    }
}
