using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Tissue;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Comparison of a stained RGB slide with its source: nuclei should stay in place, and the background should keep its colour.
/// </summary>
/// <param name="Haematoxylin">
/// Pearson correlation of haematoxylin concentrations (Ruifrok's vectors) in source and stained slide over the tissue; null if the source
/// is not brightfield.
/// </param>
/// <param name="BackgroundDrift">
/// Colour difference of the mean background beside the tissue, CIE76 ΔE; null if no background was stained.
/// </param>
public sealed record SlideComparison(double? Haematoxylin, double? BackgroundDrift)
{
    private const int Windows = 48, Side = 256;

    /// <summary>Compares in windows sampled over the tissue.</summary>
    /// <param name="source">The source.</param>
    /// <param name="stained">The stained slide, of the same area at any resolution.</param>
    /// <param name="tissue">Mask of the stained tissue; null if the whole slide was stained.</param>
    public static SlideComparison Compute(Slide source, Slide stained, TissueMask? tissue)
    {
        if (source.Channels != 3 || stained.Channels != 3) return new(null, null);
        double downsample = (double)source.Width / stained.Width;
        var nuclei = new PairedSums();
        var density = new float[Side * Side * 3];
        double[] before = new double[3], after = new double[3];
        long background = 0;
        foreach ((int x, int y) in Places(stained, tissue, downsample))
        {
            Image a = source.ReadAt(downsample, x, y, Side, Side).To(SampleType.UInt8), b = stained.Read(0, x, y, Side, Side);
            float[] own = Haematoxylins(a), made = Haematoxylins(b);
            OpticalDensity.FromLight(a.Data, density);
            for (int i = 0; i < Side * Side; i++)
            {
                (int left, int top) = (x + (i % Side), y + (i / Side));
                if (left >= stained.Width || top >= stained.Height
                    || tissue?.Share(left * downsample, top * downsample, downsample, downsample) < 1) continue;
                ReadOnlySpan<byte> pixel = a.Data.AsSpan(i * 3, 3);
                if ((density[3 * i] + density[(3 * i) + 1] + density[(3 * i) + 2]) / 3 > Background.LargestDensity)
                {
                    nuclei.Add(own[3 * i], made[3 * i]);
                    continue;
                }
                background++;
                for (int c = 0; c < 3; c++) (before[c], after[c]) = (before[c] + pixel[c], after[c] + b.Data[(i * 3) + c]);
            }
        }
        return new(nuclei.Correlation, background == 0 ? null : Distance(before, after, background));
    }

    // Stain concentrations, haematoxylin first of each pixel.
    private static float[] Haematoxylins(Image image)
    {
        float[] light = Array.ConvertAll(image.Data, sample => sample / 255f), concentrations = new float[light.Length];
        StainMatrix.HaematoxylinEosinDab.SeparateRgb(light, concentrations);
        return concentrations;
    }

    private static IEnumerable<(int X, int Y)> Places(Slide stained, TissueMask? tissue, double downsample)
    {
        var all = new List<(int X, int Y)>();
        for (int y = 0; y < stained.Height; y += Side)
            for (int x = 0; x < stained.Width; x += Side)
                if (tissue is null || tissue.Share(x * downsample, y * downsample, Side * downsample, Side * downsample) > 0.25)
                    all.Add((x, y));
        int count = Math.Min(Windows, all.Count);
        return Enumerable.Range(0, count).Select(i => all[(int)((i + 0.5) * all.Count / count)]);
    }

    private static double Distance(double[] before, double[] after, long count)
    {
        float[] a = Lab(before), b = Lab(after);
        return Math.Sqrt(a.Zip(b, (u, v) => (double)(u - v) * (u - v)).Sum());

        float[] Lab(double[] sums)
        {
            float[] colour = Array.ConvertAll(sums, sum => (float)(sum / count / 255));
            CieLab.FromRgb(colour, colour);
            return colour;
        }
    }

    /// <summary>Sums for Pearson's correlation of numbers that are too many to hold.</summary>
    private sealed class PairedSums
    {
        private double n, a, b, aa, bb, ab;

        public double? Correlation
        {
            get
            {
                double spread = Math.Sqrt(((n * aa) - (a * a)) * ((n * bb) - (b * b)));
                return spread > 0 ? ((n * ab) - (a * b)) / spread : null;
            }
        }

        public void Add(double x, double y) => (n, a, b, aa, bb, ab) = (n + 1, a + x, b + y, aa + (x * x), bb + (y * y), ab + (x * y));
    }
}
