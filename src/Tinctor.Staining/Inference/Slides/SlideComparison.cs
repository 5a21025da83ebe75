using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Tissue;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>What staining has left of the source, of RGB slides: nuclei should stay where they are, and glass as it is.</summary>
/// <param name="Haematoxylin">
/// Pearson correlation of the amounts of haematoxylin (Ruifrok's vectors) in source and stained slide over the tissue; null where the source
/// is no brightfield.
/// </param>
/// <param name="GlassDrift">How far the mean colour of glass beside the tissue has moved, CIE76 ΔE; null where no glass was stained.</param>
public sealed record SlideComparison(double? Haematoxylin, double? GlassDrift)
{
    private const int Windows = 48, Side = 256;

    // Mean decimal optical density up to which a pixel of the source is glass.
    private const float Glass = 0.05f;

    /// <summary>Compares in windows that are spread over the tissue.</summary>
    /// <param name="source">The source.</param>
    /// <param name="stained">The stained slide, of the source's place and of any resolution.</param>
    /// <param name="tissue">Where was stained; null for everywhere.</param>
    public static SlideComparison Of(Slide source, Slide stained, TissueMask? tissue)
    {
        if (source.Channels != 3 || stained.Channels != 3) return new(null, null);
        double downsample = (double)source.Width / stained.Width;
        var stains = new StainSeparation(StainMatrix.HaematoxylinEosinDab);
        var nuclei = new PairedSums();
        var density = new float[Side * Side * 3];
        double[] before = new double[3], after = new double[3];
        long glass = 0;
        foreach ((int x, int y) in Places(stained, tissue, downsample))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Image a = source.ReadAt(downsample, x, y, Side, Side).To(SampleType.UInt8), b = stained.Read(0, x, y, Side, Side);
            ReadOnlySpan<float> own = Amounts(a), made = Amounts(b);
            OpticalDensity.FromLight(a.Data, density);
            for (int i = 0; i < Side * Side; i++)
            {
                (int left, int top) = (x + (i % Side), y + (i / Side));
                if (left >= stained.Width || top >= stained.Height || tissue?.Share(left * downsample, top * downsample, downsample, downsample) < 1) continue;
                ReadOnlySpan<byte> pixel = a.Data.AsSpan(i * 3, 3);
                if ((density[3 * i] + density[(3 * i) + 1] + density[(3 * i) + 2]) / 3 > Glass)
                {
                    nuclei.Add(own[i], made[i]);
                    continue;
                }
                glass++;
                for (int c = 0; c < 3; c++) (before[c], after[c]) = (before[c] + pixel[c], after[c] + b.Data[(i * 3) + c]);
            }
        }
        return new(nuclei.Correlation, glass == 0 ? null : Distance(before, after, glass));

        ReadOnlySpan<float> Amounts(Image image) => stains.Separate(image.ToTensor().unsqueeze(0))[0, 0].contiguous().data<float>();
    }

    private static IEnumerable<(int X, int Y)> Places(Slide stained, TissueMask? tissue, double downsample)
    {
        var all = new List<(int X, int Y)>();
        for (int y = 0; y < stained.Height; y += Side)
            for (int x = 0; x < stained.Width; x += Side)
                if (tissue is null || tissue.Share(x * downsample, y * downsample, Side * downsample, Side * downsample) > 0.25) all.Add((x, y));
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

    /// <summary>Sums from which a correlation follows.</summary>
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
