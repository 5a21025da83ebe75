namespace Tinctor.Evaluation.Metrics;

/// <summary>A metric of one image against its reference: what it is called, what exactly it computes, and how.</summary>
/// <param name="Key">The name in files: lower case, stable (<c>psnr</c>).</param>
/// <param name="Title">The name that people read (<c>PSNR</c>).</param>
/// <param name="Unit">The unit, or empty.</param>
/// <param name="Digits">Decimals that make sense to print.</param>
/// <param name="HigherIsBetter">Whether a larger value is the better one.</param>
/// <param name="Definition">Everything that a reader needs to compute the same number elsewhere.</param>
/// <param name="Compute">The metric itself, on two images of one size; NaN where it is not defined for them. Called from several threads.</param>
public sealed record PairMetric(
    string Key, string Title, string Unit, int Digits, bool HigherIsBetter, string Definition, PairFunction Compute)
{
    /// <summary>What it looks at, for headings: rgb, haematoxylin, dab, perceptual.</summary>
    public string Group { get; init; } = "rgb";

    /// <summary>What to give so that it can be computed (<c>give --lpips-trunk FILE</c>); null where it is computed.</summary>
    public string? NotComputed { get; init; }

    /// <summary>Those that need nothing but the images, in the order in which reports show them: of RGB, of haematoxylin, of DAB.</summary>
    /// <param name="variant">Which SSIM: the default is the one of the BCI evaluate script.</param>
    public static IReadOnlyList<PairMetric> Defaults(SsimVariant variant = SsimVariant.Uniform7) =>
    [
        PixelErrors.PsnrMetric, Ssim.Metric(variant), PixelErrors.MaeMetric, PixelErrors.RmseMetric, MsSsim.Metric, Gmsd.Metric,
        .. StainMetrics.All,
    ];

    /// <summary>Some of the usual ones, or <c>psnr_target_range</c>; PSNR and SSIM are always among them. All the usual ones for no keys.</summary>
    /// <exception cref="TinctorException">A key is not known; names those that are.</exception>
    public static IReadOnlyList<PairMetric> Chosen(IReadOnlyList<string> keys, SsimVariant variant = SsimVariant.Uniform7)
    {
        var usual = Defaults(variant);
        if (keys.Count == 0) return usual;
        PairMetric[] known = [.. usual, PixelErrors.PsnrTargetRangeMetric];
        foreach (string key in keys.Except(known.Select(metric => metric.Key)))
            throw new TinctorException($"metric \"{key}\" is not known; choose from {string.Join(", ", known.Select(metric => metric.Key))}");
        return [.. known.Where(metric => metric.Key is "psnr" or "ssim" || keys.Contains(metric.Key))];
    }

    /// <summary>
    /// How far a value is better than another: positive where better, 0 where equal (two infinite PSNRs too), NaN where one is not defined.
    /// </summary>
    public double Advantage(double value, double other) =>
        double.IsNaN(value) || double.IsNaN(other) ? double.NaN : value.Equals(other) ? 0 : HigherIsBetter ? value - other : other - value;
}

/// <summary>A function of two 8-bit RGB images of the same width and height.</summary>
public delegate double PairFunction(ScoredImage image, ScoredImage reference);

/// <summary>8-bit pixels, row-major and interleaved, without a copy.</summary>
public readonly ref struct PixelView
{
    /// <summary>Looks at pixels.</summary>
    /// <param name="data">width x height x channels bytes.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples a pixel, at least 1.</param>
    /// <exception cref="ArgumentException">The data's length is not width x height x channels.</exception>
    public PixelView(ReadOnlySpan<byte> data, int width, int height, int channels)
    {
        if (width < 1 || height < 1 || channels < 1 || data.Length != (long)width * height * channels)
            throw new ArgumentException($"{data.Length} bytes are not an image of {width}x{height} with {channels} channels", nameof(data));
        Data = data;
        (Width, Height, Channels) = (width, height, channels);
    }

    /// <summary>The samples.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Samples a pixel.</summary>
    public int Channels { get; }

    /// <summary>One row of samples.</summary>
    public ReadOnlySpan<byte> Row(int y) => Data.Slice(y * Width * Channels, Width * Channels);

    internal void MustMatch(PixelView other)
    {
        if (Width != other.Width || Height != other.Height || Channels != other.Channels)
            throw new ArgumentException(
                $"images differ in size: {Width}x{Height}x{Channels} against {other.Width}x{other.Height}x{other.Channels}");
    }
}
