namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Metric of an image and its reference. For your own metrics, derive from this class and pass an instance as
/// <c>EvaluationOptions.ExtraMetrics</c>; it then appears in the report and in all files.
/// </summary>
public abstract class PairMetric
{
    /// <summary>Name of all built-in metrics, also those that are computed on request only.</summary>
    internal const string All = "all";

    /// <summary>Name in files: lower case letters, digits and underscores; must not change (<c>psnr</c>).</summary>
    public abstract string Key { get; }

    /// <summary>Name for people (<c>PSNR</c>).</summary>
    public abstract string Title { get; }

    /// <summary>Unit. Default: empty.</summary>
    public virtual string Unit => "";

    /// <summary>Title with the unit in brackets.</summary>
    internal string Heading => Unit.Length > 0 ? $"{Title} ({Unit})" : Title;

    /// <summary>Number of decimals to print. Default: 4.</summary>
    public virtual int Digits => 4;

    /// <summary>Whether larger values are better.</summary>
    public abstract bool HigherIsBetter { get; }

    /// <summary>Complete definition, from which the same numbers can be computed elsewhere.</summary>
    public abstract string Definition { get; }

    /// <summary>
    /// Heading in the report: <c>rgb</c>, <c>haematoxylin</c>, <c>dab</c>, <c>perceptual</c> or a new one. Default: <c>rgb</c>.
    /// </summary>
    public virtual string Group => "rgb";

    /// <summary>Reason why the metric cannot be computed, such as missing weights; null if it can. Default: null.</summary>
    public virtual string? NotComputed => null;

    /// <summary>Computes the metric. Called from several threads at the same time.</summary>
    /// <param name="image">The stained image, 8-bit RGB.</param>
    /// <param name="reference">The real image, of the same size.</param>
    /// <returns>The score; NaN if it is not defined for these images.</returns>
    public abstract double Compute(ScoredImage image, ScoredImage reference);

    /// <summary>Built-in metrics that need no weights, in the order of the report: of RGB, of haematoxylin, of DAB.</summary>
    /// <param name="variant">Definition of SSIM.</param>
    public static IReadOnlyList<PairMetric> Defaults(SsimVariant variant = SsimVariant.Uniform7) =>
    [
        PixelErrors.PsnrMetric, Ssim.Metric(variant), PixelErrors.MaeMetric, PixelErrors.RmseMetric, MsSsim.Metric, Gmsd.Metric,
        .. StainMetrics.All,
    ];

    /// <summary>Built-in metrics that are computed on request only.</summary>
    private static IReadOnlyList<PairMetric> OnRequest =>
        [PixelErrors.PsnrTargetRangeMetric, ColourDifference.Cie76, ColourDifference.Ciede2000, .. StainHistograms.All];

    /// <summary>
    /// Selects built-in metrics by their keys, or <see cref="All"/>; PSNR and SSIM are always included. Without keys, the defaults.
    /// </summary>
    /// <exception cref="OptionException">A key is unknown.</exception>
    internal static IReadOnlyList<PairMetric> Select(IReadOnlyList<string> keys, SsimVariant variant)
    {
        IReadOnlyList<PairMetric> defaults = Defaults(variant);
        if (keys.Count == 0) return defaults;
        PairMetric[] known = [.. defaults, .. OnRequest];
        foreach (string key in keys.Except(known.Select(metric => metric.Key).Append(All)))
        {
            throw new OptionException("Metrics", $"there is no metric \"{key}\"",
                $"Choose from {string.Join(", ", known.Select(metric => metric.Key))}, or {All}");
        }
        if (keys.Contains(All)) return known;
        return [.. known.Where(metric => metric.Key is "psnr" or "ssim" || keys.Contains(metric.Key))];
    }

    /// <summary>
    /// Difference of two scores, positive if the first is better: 0 for equal scores (also infinite ones), NaN if one is undefined.
    /// </summary>
    internal double Advantage(double value, double other) =>
        double.IsNaN(value) || double.IsNaN(other) ? double.NaN : value.Equals(other) ? 0 : HigherIsBetter ? value - other : other - value;

    /// <summary>Creates a built-in metric from a function.</summary>
    internal static PairMetric Create(string key, string title, string unit, int digits, bool higherIsBetter, string definition,
        Func<ScoredImage, ScoredImage, double> compute, string group = "rgb", string? notComputed = null) =>
        new FunctionMetric(key, title, unit, digits, higherIsBetter, definition, compute, group, notComputed);

    private sealed class FunctionMetric(string key, string title, string unit, int digits, bool higherIsBetter, string definition,
        Func<ScoredImage, ScoredImage, double> compute, string group, string? notComputed) : PairMetric
    {
        public override string Key => key;

        public override string Title => title;

        public override string Unit => unit;

        public override int Digits => digits;

        public override bool HigherIsBetter => higherIsBetter;

        public override string Definition => definition;

        public override string Group => group;

        public override string? NotComputed => notComputed;

        public override double Compute(ScoredImage image, ScoredImage reference) => compute(image, reference);
    }
}

/// <summary>8-bit pixels, row-major and interleaved, without a copy.</summary>
internal readonly ref struct PixelView
{
    /// <summary>Looks at pixels.</summary>
    /// <param name="data">width x height x channels bytes.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">Samples per pixel, at least 1.</param>
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

    /// <summary>Samples per pixel.</summary>
    public int Channels { get; }

    /// <summary>Samples of a row.</summary>
    public ReadOnlySpan<byte> Row(int y) => Data.Slice(y * Width * Channels, Width * Channels);

    internal void MustMatch(PixelView other)
    {
        if (Width != other.Width || Height != other.Height || Channels != other.Channels)
            throw new ArgumentException(
                $"images differ in size: {Width}x{Height}x{Channels} against {other.Width}x{other.Height}x{other.Channels}");
    }
}
