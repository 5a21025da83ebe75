namespace Tinctor.Slides.Tissue;

/// <summary>Colours of pen marks.</summary>
[Flags]
internal enum PenColours
{
    /// <summary>No pen marks.</summary>
    None = 0,

    /// <summary>Dense blue with less green density than haematoxylin. Alcian blue and aniline blue (Masson) are similar.</summary>
    Blue = 1,

    /// <summary>Dense green. Dense light green as the only counterstain is similar.</summary>
    Green = 2,

    /// <summary>Dense black without hue.</summary>
    Black = 4,

    /// <summary>All colours.</summary>
    All = Blue | Green | Black,
}

/// <summary>
/// Options of tissue detection. Lengths are in micrometres, areas in square micrometres. An unknown resolution of a slide is
/// estimated; see <see cref="UnknownSide"/> and <see cref="TissueMask.AssumedMpp"/>.
/// </summary>
public sealed record TissueOptions
{
    /// <summary>
    /// Micrometres per pixel of the mask; smaller if the longer side of the mask would have less than 512 pixels. Default: 8.
    /// </summary>
    public double Resolution { get; init; } = 8;

    /// <summary>
    /// Longer side of a whole slide of unknown resolution. Fields, which have tissue at a third of their border or more, are assumed to
    /// have 0.5 micrometres per pixel. Default: 20 mm.
    /// </summary>
    public double UnknownSide { get; init; } = 20_000;

    /// <summary>Whether tissue is bright on dark, as in fluorescence. Default: null, which detects it.</summary>
    public bool? IsDark { get; init; }

    /// <summary>
    /// Least mean optical density of tissue above the background; on dark slides, the decimal logarithm of the brightness, where white is
    /// 1. Default: null, which uses Otsu's threshold, between <see cref="LeastDensity"/> and <see cref="MostDensity"/>, and adds paler
    /// tissue with the texture of nuclei or fibres.
    /// </summary>
    public double? Density { get; init; }

    /// <summary>Least saturation of tissue, 1 - darkest / brightest channel. Default: null, which uses Otsu's threshold.</summary>
    public double? Saturation { get; init; }

    /// <summary>Least threshold of density, for slides without tissue.</summary>
    public double LeastDensity { get; init; } = Background.SmallestThreshold;

    /// <summary>Largest threshold of density, which keeps pale tissue beside dark tissue.</summary>
    public double MostDensity { get; init; } = Background.LargestThreshold;

    /// <summary>Least threshold of saturation.</summary>
    public double LeastSaturation { get; init; } = Background.SmallestSaturation;

    /// <summary>Largest threshold of saturation.</summary>
    public double MostSaturation { get; init; } = Background.LargestSaturation;

    /// <summary>
    /// Least saturation of dense tissue on coloured slides; dense grey pixels are dirt or the edge of the coverslip. Default: 0.02.
    /// </summary>
    public double Grey { get; init; } = 0.02;

    /// <summary>Least contrast of tissue and background on dark slides, as a decimal logarithm of brightness. Default: 0.15.</summary>
    public double LeastContrast { get; init; } = 0.15;

    /// <summary>Standard deviation of the Gaussian smoothing before thresholding. Default: 10.</summary>
    public double Smoothing { get; init; } = 10;

    /// <summary>Radius of the closing; gaps up to twice this width are closed. Default: 40.</summary>
    public double Closing { get; init; } = 40;

    /// <summary>Largest area of holes that are filled. Default: 50,000.</summary>
    public double LargestHole { get; init; } = 50_000;

    /// <summary>Least area of pieces of tissue; smaller ones are dropped. Default: 20,000.</summary>
    public double LeastPiece { get; init; } = 20_000;

    /// <summary>Colours of pen marks that are excluded. Default: all.</summary>
    internal PenColours Pens { get; init; } = PenColours.All;

    /// <summary>Least area of a pen stroke; smaller dark spots are not ink. Default: 50,000.</summary>
    public double LeastStroke { get; init; } = 50_000;

    /// <summary>Width of the excluded margin around pen marks. Default: 60.</summary>
    public double PenMargin { get; init; } = 60;

    /// <summary>Whether folds are excluded: narrow, of the hue of the surrounding tissue and much denser. Default: true.</summary>
    public bool Folds { get; init; } = true;

    /// <summary>Least density of a fold as a multiple of the mean around it, above 1. Folds have three layers. Default: 1.8.</summary>
    public double FoldDensity { get; init; } = 1.8;

    /// <summary>Standard deviation of the Gaussian mean around folds. Default: 200.</summary>
    public double FoldSurroundings { get; init; } = 200;

    /// <summary>Least area of a fold. Default: 10,000.</summary>
    public double LeastFold { get; init; } = 10_000;

    /// <summary>Largest width of a fold; dense layers such as keratin are wider. Default: 100.</summary>
    public double FoldWidth { get; init; } = 100;

    /// <summary>Least area of a fold as a multiple of the largest disc in it; dense spots are round, folds are long. Default: 3.</summary>
    public double FoldElongation { get; init; } = 3;

    /// <summary>Checks the options.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    public void Validate()
    {
        (string Name, double Value)[] lengths =
        [
            (nameof(Smoothing), Smoothing), (nameof(Closing), Closing), (nameof(LargestHole), LargestHole),
                (nameof(LeastPiece), LeastPiece),
            (nameof(LeastStroke), LeastStroke), (nameof(PenMargin), PenMargin), (nameof(LeastFold), LeastFold),
                (nameof(FoldWidth), FoldWidth),
            (nameof(FoldElongation), FoldElongation),
        ];
        foreach ((string name, double value) in lengths) Require(value >= 0 && double.IsFinite(value), name, value, "0 or more");
        Require(Resolution > 0, nameof(Resolution), Resolution, "above 0");
        Require(UnknownSide > 0, nameof(UnknownSide), UnknownSide, "above 0");
        Require(FoldSurroundings > 0, nameof(FoldSurroundings), FoldSurroundings, "above 0");
        Require(FoldDensity > 1, nameof(FoldDensity), FoldDensity, "above 1");
        Require(LeastDensity <= MostDensity, nameof(LeastDensity), LeastDensity, $"at most {MostDensity}");
        Require(LeastSaturation <= MostSaturation, nameof(LeastSaturation), LeastSaturation, $"at most {MostSaturation}");
    }

    private static void Require(bool isValid, string option, double value, string range)
    {
        if (!isValid) throw new OptionException(option, FormattableString.Invariant($"{value} is out of range; it must be {range}"));
    }
}
