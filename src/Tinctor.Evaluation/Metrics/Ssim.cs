namespace Tinctor.Evaluation.Metrics;

/// <summary>The usual definitions of SSIM; they give different numbers and must not be compared with each other.</summary>
public enum SsimVariant
{
    /// <summary>
    /// 7x7 uniform window, sample covariance, per channel: skimage's default; the BCI, ASP, CEFF and BBDM evaluate scripts.
    /// </summary>
    Uniform7,

    /// <summary>The same with an 11x11 window (skimage with win_size 11).</summary>
    Uniform11,

    /// <summary>11x11 uniform window, population covariance, per channel: average pooling, as the protocol centre-256.</summary>
    Box11,

    /// <summary>11x11 Gaussian window of sigma 1.5, population covariance, per channel: Wang et al. 2004.</summary>
    Gaussian11,

    /// <summary><see cref="Uniform7"/> of one plane: the mean of R, G and B.</summary>
    Grey7,

    /// <summary><see cref="Uniform7"/> of one plane: the luminance 0.2125 R + 0.7154 G + 0.0721 B of skimage's rgb2gray.</summary>
    Luminance7,

    /// <summary>
    /// <see cref="Uniform7"/> with twice the data range, as scikit-image up to 0.21 computes for floating-point images in [0, 1] without
    /// data_range (it assumes -1 to 1). Values are too high; use it only for comparison with such numbers.
    /// </summary>
    Uniform7Range2,
}

/// <summary>
/// Structural similarity of 8-bit images (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004), as in scikit-image 0.19.3:
/// S = (2 mx my + C1)(2 cxy + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2)), C1 = (0.01 R)^2, C2 = (0.03 R)^2 with the data range R,
/// per channel, averaged over all windows inside the image, then over the channels.
/// </summary>
public static class Ssim
{
    private const double Range = 255;
    private static readonly (double R, double G, double B) Mean = (1 / 3.0, 1 / 3.0, 1 / 3.0), Rec709 = (0.2125, 0.7154, 0.0721);

    /// <summary>The variants by the names that people type.</summary>
    public static IReadOnlyDictionary<string, SsimVariant> Names { get; } = new OrderedDictionary<string, SsimVariant>
    {
        ["uniform7"] = SsimVariant.Uniform7,
        ["gaussian11"] = SsimVariant.Gaussian11,
        ["uniform11"] = SsimVariant.Uniform11,
        ["box11"] = SsimVariant.Box11,
        ["grey7"] = SsimVariant.Grey7,
        ["luminance7"] = SsimVariant.Luminance7,
        ["uniform7-range2"] = SsimVariant.Uniform7Range2,
    };

    /// <summary>Name that people type for a variant.</summary>
    internal static string NameOf(SsimVariant variant) => Names.First(entry => entry.Value == variant).Key;

    /// <summary>The window's side in pixels; images must be at least this wide and high.</summary>
    public static int WindowSize(SsimVariant variant) =>
        variant is SsimVariant.Gaussian11 or SsimVariant.Uniform11 or SsimVariant.Box11 ? 11 : 7;

    /// <summary>Mean SSIM over windows and channels, in [-1, 1].</summary>
    /// <exception cref="ArgumentException">The images differ in size or are smaller than the window.</exception>
    internal static double Compute(PixelView image, PixelView reference, SsimVariant variant = SsimVariant.Uniform7) =>
        PerChannel(image, reference, variant).Average();

    /// <summary>Mean SSIM of each channel; a single number for the variants of one plane.</summary>
    /// <exception cref="ArgumentException">
    /// The images differ in size or are smaller than the window, or a variant of one plane is not given RGB.
    /// </exception>
    internal static double[] PerChannel(PixelView image, PixelView reference, SsimVariant variant = SsimVariant.Uniform7)
    {
        image.MustMatch(reference);
        var (width, height, channels) = (image.Width, image.Height, image.Channels);
        int window = WindowSize(variant);
        MustHold(window, width, height);
        return variant switch
        {
            SsimVariant.Gaussian11 => new GaussianSsim<double>(width, channels, Range)
                .MeansPerChannel(image.Data, reference.Data).Similarity,
            SsimVariant.Grey7 => [OfPlanes(Plane(image, Mean), Plane(reference, Mean), width, height, Range)],
            SsimVariant.Luminance7 => [OfPlanes(Plane(image, Rec709), Plane(reference, Rec709), width, height, Range)],
            SsimVariant.Uniform7Range2 => new UniformSsim<int>(window, width, channels, 2 * Range)
                .MeanPerChannel(image.Data, reference.Data),
            SsimVariant.Box11 => new UniformSsim<int>(window, width, channels, Range, population: true)
                .MeanPerChannel(image.Data, reference.Data),
            _ => new UniformSsim<int>(window, width, channels, Range).MeanPerChannel(image.Data, reference.Data),
        };
    }

    /// <summary>SSIM of single planes of numbers, row by row, with a 7x7 uniform window and sample covariance.</summary>
    /// <param name="image">width x height numbers.</param>
    /// <param name="reference">width x height numbers.</param>
    /// <param name="width">Columns, at least 7.</param>
    /// <param name="height">Rows, at least 7.</param>
    /// <param name="range">The data range R, positive.</param>
    /// <exception cref="ArgumentException">The planes have another size or are smaller than the window.</exception>
    public static double OfPlanes(ReadOnlySpan<float> image, ReadOnlySpan<float> reference, int width, int height, double range)
    {
        if (image.Length != (long)width * height || reference.Length != image.Length)
            throw new ArgumentException($"{image.Length} and {reference.Length} numbers are not two planes of {width}x{height}");
        MustHold(7, width, height);
        return new UniformSsim<double>(7, width, 1, range).MeanPerChannel(image, reference)[0];
    }

    /// <summary>The metric <c>ssim</c> in one of its variants; its definition says which.</summary>
    public static PairMetric Metric(SsimVariant variant) => PairMetric.Create("ssim", "SSIM", "", 4, true,
        (variant switch
        {
            SsimVariant.Uniform7 => "uniform 7x7 window, sample covariance, data range 255, on 8-bit RGB, per channel (the BCI evaluate "
                + "script's call of skimage.metrics.structural_similarity)",
            SsimVariant.Uniform11 => "uniform 11x11 window, sample covariance, data range 255, on 8-bit RGB, per channel (skimage, "
                + "win_size 11)",
            SsimVariant.Box11 => "uniform 11x11 window, population covariance (average pooling), data range 255, on 8-bit RGB, per "
                + "channel",
            SsimVariant.Gaussian11 => "Gaussian 11x11 window with sigma 1.5, population covariance, data range 255, on 8-bit RGB, per "
                + "channel (Wang et al. 2004; skimage with gaussian_weights)",
            SsimVariant.Grey7 => "uniform 7x7 window, sample covariance, data range 255, on the mean of R, G and B",
            SsimVariant.Luminance7 => "uniform 7x7 window, sample covariance, data range 255, on the luminance 0.2125 R + 0.7154 G + "
                + "0.0721 B",
            _ => "uniform 7x7 window, sample covariance, data range 510, twice that of the images, on 8-bit RGB, per channel (skimage up "
                + "to 0.21 on floating-point images without data_range; flatters every image)",
        })
        + "; K1 0.01, K2 0.03; mean over the windows that lie wholly inside the image, then over the channels",
        (image, reference) => Compute(image.Pixels, reference.Pixels, variant));

    private static void MustHold(int window, int width, int height)
    {
        if (width < window || height < window)
            throw new ArgumentException($"SSIM with a {window}x{window} window needs larger images than {width}x{height}");
    }

    private static float[] Plane(PixelView rgb, (double R, double G, double B) weights)
    {
        if (rgb.Channels != 3) throw new ArgumentException($"SSIM of a mean of R, G and B got {rgb.Channels} channels");
        var plane = new float[rgb.Width * rgb.Height];
        for (int i = 0; i < plane.Length; i++)
            plane[i] = (float)((weights.R * rgb.Data[3 * i]) + (weights.G * rgb.Data[(3 * i) + 1]) + (weights.B * rgb.Data[(3 * i) + 2]));
        return plane;
    }
}
