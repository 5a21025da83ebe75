using Tinctor.Slides.Colour;
using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Masks found in an overview, each [height, width]; null for those that were not requested.</summary>
internal sealed record TissueFindings(bool[] Tissue, bool[]? Pens, bool[]? Folds);

/// <summary>Finds tissue, pen marks and folds in an overview.</summary>
internal static class TissueDetection
{
    /// <summary>Detects tissue, pen marks and folds.</summary>
    /// <param name="overview">Overview of the whole slide.</param>
    /// <param name="mpp">Micrometres per pixel of the overview.</param>
    /// <param name="options">Thresholds.</param>
    public static TissueFindings Find(Image overview, double mpp, TissueOptions options)
    {
        (int width, int height) = (overview.Width, overview.Height);
        float[][] light = Light(overview);
        if (options.IsDark ?? IsDark(light))
        {
            float[][] smooth = Array.ConvertAll(light, plane => GaussianFilter.Smooth(plane, width, height, options.Smoothing / mpp));
            return new(Cleaned(Bright(smooth, overview.SampleType, options), width, height, mpp, options), null, null);
        }
        float[][] sharp = Density(light);
        float[][] density = Array.ConvertAll(sharp, plane => GaussianFilter.Smooth(plane, width, height, options.Smoothing / mpp));
        bool isColour = density.Length == 3;
        bool[] tissue = Dense(density, options);
        bool[]? pens = isColour && options.Pens != PenColours.None ? PenMarks.Find(density, width, height, mpp, options) : null;
        if (pens is not null) Remove(tissue, pens);
        tissue = Cleaned(WithPale(tissue, pens, Mean(sharp), width, height, mpp, options), width, height, mpp, options);
        if (pens is not null) Remove(tissue, pens);
        bool[]? folds = isColour && options.Folds ? TissueFolds.Find(density, tissue, width, height, mpp, options) : null;
        if (folds is not null) Remove(tissue, folds);
        return new(Morphology.DropSmall(tissue, width, height, SmallestPiece(width, height, mpp, options)), pens, folds);
    }

    /// <summary>
    /// Returns whether an overview shows a field and not a whole slide: it has tissue at a third of its border or more, or no tissue.
    /// False for dark slides.
    /// </summary>
    public static bool IsField(Image overview, TissueOptions options)
    {
        const double smallestBorder = 1 / 3.0, smallestTissue = 0.01;
        float[][] light = Light(overview);
        if (options.IsDark ?? IsDark(light)) return false;
        (int width, int height) = (overview.Width, overview.Height);
        float[][] density = Array.ConvertAll(Density(light), plane => GaussianFilter.Smooth(plane, width, height, 1));
        // Low enough for pale tissue.
        bool[] tissue = Dense(density, options with { Density = options.LeastDensity / 2, Saturation = options.LeastSaturation / 2 });
        int[] border = [.. Enumerable.Range(0, tissue.Length)
            .Where(i => i % width == 0 || i % width == width - 1 || i < width || i >= tissue.Length - width)];
        return border.Count(i => tissue[i]) >= smallestBorder * border.Length || tissue.Count(set => set) < smallestTissue * tissue.Length;
    }

    /// <summary>Computes the mean of the planes.</summary>
    public static float[] Mean(float[][] planes)
    {
        var mean = new float[planes[0].Length];
        foreach (float[] plane in planes)
            for (int i = 0; i < mean.Length; i++) mean[i] += plane[i] / planes.Length;
        return mean;
    }

    private static float[][] Light(Image image)
    {
        var planes = new float[image.Channels * image.Width * image.Height];
        image.CopyTo(planes);
        int size = image.Width * image.Height;
        return [.. Enumerable.Range(0, image.Channels).Select(channel => planes.AsSpan(channel * size, size).ToArray())];
    }

    // Brightfield is RGB or grey. Tissue is bright in at least one channel, background in all.
    private static bool IsDark(float[][] light)
    {
        if (light.Length is not (1 or 3)) return true;
        float[] brightest = [.. light[0]];
        foreach (float[] plane in light)
            for (int i = 0; i < brightest.Length; i++) brightest[i] = Math.Max(brightest[i], plane[i]);
        return Quantile(brightest, 0.5) < (light.Length == 3 ? Background.DarkestBrightness : 2 * Background.DarkestBrightness);
    }

    // Optical densities above the background.
    private static float[][] Density(float[][] light)
    {
        float[] white = Background.EstimateColour(light);
        return [.. light.Select((plane, channel) =>
        {
            var density = new float[plane.Length];
            OpticalDensity.FromLight(plane, density, white[channel], floor: 1 / 255f);
            for (int i = 0; i < density.Length; i++) density[i] = Math.Max(0, density[i]);
            return density;
        })];
    }

    private static bool[] Dense(float[][] density, TissueOptions options)
    {
        float[] mean = Mean(density);
        double least = options.Density ?? Math.Clamp(Otsu.Threshold(mean), options.LeastDensity, options.MostDensity);
        if (density.Length == 1) return Array.ConvertAll(mean, od => od > least);
        float[] saturation = Saturation(density);
        double leastSaturation = options.Saturation
            ?? Math.Clamp(Otsu.Threshold(saturation), options.LeastSaturation, options.MostSaturation);
        double grey = Quantile(saturation, 0.99) > options.Grey ? options.Grey : -1;
        return [.. mean.Select((od, i) => (od > least && saturation[i] > grey) || saturation[i] > leastSaturation)];
    }

    // If there is little background, Otsu's threshold separates dark and pale tissue.
    private static bool[] WithPale(bool[] tissue, bool[]? pens, float[] density, int width, int height, double mpp, TissueOptions options)
    {
        if (options.Density is not null) return tissue;
        bool[] excluded = Cleaned(tissue, width, height, mpp, options);
        for (int i = 0; i < excluded.Length; i++) excluded[i] |= pens?[i] == true;
        bool[]? pale = PaleTissue.Find(density, excluded, width, height, mpp, options.Smoothing);
        return pale is null ? tissue : [.. tissue.Select((set, i) => set || pale[i])];
    }

    // 1 - darkest / brightest channel, as densities have it.
    private static float[] Saturation(float[][] density) => [.. Enumerable.Range(0, density[0].Length).Select(i =>
    {
        (float r, float g, float b) = (density[0][i], density[1][i], density[2][i]);
        return 1 - MathF.Pow(10, Math.Min(r, Math.Min(g, b)) - Math.Max(r, Math.Max(g, b)));
    })];

    // Tissue is bright in at least one channel; each has its own threshold.
    private static bool[] Bright(float[][] light, SampleType type, TissueOptions options)
    {
        var tissue = new bool[light[0].Length];
        float step = type == SampleType.UInt8 ? 1 / 255f : 1 / 65535f;
        foreach (float[] plane in light)
        {
            // Nothing is known of brightness far below the brightest, or of a few steps of the file.
            float floor = Math.Max(Quantile(plane, 0.999) / 255, (type == SampleType.UInt8 ? 2 : 16) * step);
            float[] log = Array.ConvertAll(plane, value => MathF.Log10(value + floor));
            float threshold = options.Density is double given ? MathF.Log10(MathF.Pow(10, (float)given) + floor) : Otsu.Threshold(log);
            if (options.Density is null && Contrast(log, threshold) < options.LeastContrast) continue;
            for (int i = 0; i < tissue.Length; i++) tissue[i] |= log[i] > threshold;
        }
        return tissue;
    }

    private static double Contrast(float[] values, float threshold)
    {
        float[] above = Array.FindAll(values, value => value > threshold), below = Array.FindAll(values, value => value <= threshold);
        return above.Length == 0 || below.Length == 0 ? 0 : above.Average() - below.Average();
    }

    private static bool[] Cleaned(bool[] tissue, int width, int height, double mpp, TissueOptions options)
    {
        double area = mpp * mpp;
        bool[] closed = Morphology.Close(tissue, width, height, options.Closing / mpp);
        ConnectedComponents.FillHoles(closed, width, height, (int)Math.Min(int.MaxValue, options.LargestHole / area));
        return Morphology.DropSmall(closed, width, height, SmallestPiece(width, height, mpp, options));
    }

    // In pixels. A tile can be smaller than the smallest piece of a slide.
    private static double SmallestPiece(int width, int height, double mpp, TissueOptions options) =>
        Math.Min(options.LeastPiece / (mpp * mpp), width * (double)height / 4);

    private static void Remove(bool[] tissue, bool[] other)
    {
        for (int i = 0; i < tissue.Length; i++) tissue[i] &= !other[i];
    }

    // A sample of 200,000 values suffices.
    private static float Quantile(float[] values, double share)
    {
        int step = Math.Max(1, values.Length / 200_000);
        var sorted = new float[(values.Length + step - 1) / step];
        for (int i = 0; i < sorted.Length; i++) sorted[i] = values[i * step];
        Array.Sort(sorted);
        return sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }
}
