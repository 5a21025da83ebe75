namespace Tinctor.Slides.Tissue;

/// <summary>Inks that are told from stains by their colour alone.</summary>
[Flags]
public enum PenColours
{
    /// <summary>None is looked for.</summary>
    None = 0,

    /// <summary>Dense blue, with less green than haematoxylin has. Alcian blue and aniline blue (Masson) look alike.</summary>
    Blue = 1,

    /// <summary>Dense green. Light green, where it is the only counterstain and dense, looks alike.</summary>
    Green = 2,

    /// <summary>Dense black without any hue.</summary>
    Black = 4,

    /// <summary>All of them.</summary>
    All = Blue | Green | Black,
}

/// <summary>
/// Options of tissue detection. Lengths are micrometres, areas square micrometres. If the resolution of a slide is unknown, it is
/// estimated, see <see cref="UnknownSide"/> and <see cref="TissueMask.AssumedMpp"/>.
/// </summary>
public sealed record TissueOptions
{
    /// <summary>Micrometres to a pixel of the mask; smaller where the slide's longer side would have less than 512 pixels.</summary>
    public double Resolution { get; init; } = 8;

    /// <summary>
    /// Longer side of a whole slide of unknown resolution, in micrometres. Fields, which have tissue at a third of their border or more, count as 0.5 micrometres per
    /// pixel.
    /// </summary>
    public double UnknownSide { get; init; } = 20_000;

    /// <summary>Whether tissue is bright on dark, as in fluorescence; null looks at the slide.</summary>
    public bool? IsDark { get; init; }

    /// <summary>
    /// Mean optical density above the background from which a pixel is tissue; null takes Otsu's threshold, between <see cref="LeastDensity"/>
    /// and <see cref="MostDensity"/>, and adds pale tissue below it that has the texture of nuclei or fibres. On dark slides: decimal logarithm
    /// of the brightness, 1 is white.
    /// </summary>
    public double? Density { get; init; }

    /// <summary>Saturation (1 - darkest / brightest channel, background has 0) from which a pixel is tissue; null takes Otsu's threshold.</summary>
    public double? Saturation { get; init; }

    /// <summary>The least threshold of density: a slide without tissue has none, whatever Otsu says.</summary>
    public double LeastDensity { get; init; } = Background.SmallestThreshold;

    /// <summary>The largest threshold of density: pale tissue beside dark tissue stays.</summary>
    public double MostDensity { get; init; } = Background.LargestThreshold;

    /// <summary>The least threshold of saturation.</summary>
    public double LeastSaturation { get; init; } = Background.SmallestSaturation;

    /// <summary>The largest threshold of saturation.</summary>
    public double MostSaturation { get; init; } = Background.LargestSaturation;

    /// <summary>Minimum saturation of tissue on coloured slides; dense pixels below it are dirt or the edge of the coverslip.</summary>
    public double Grey { get; init; } = 0.02;

    /// <summary>On dark slides: by how much the brightness of tissue exceeds the background's, as a decimal logarithm.</summary>
    public double LeastContrast { get; init; } = 0.15;

    /// <summary>Standard deviation of the smoothing before thresholds.</summary>
    public double Smoothing { get; init; } = 10;

    /// <summary>Gaps up to twice this wide are closed.</summary>
    public double Closing { get; init; } = 40;

    /// <summary>Holes up to this area are filled.</summary>
    public double LargestHole { get; init; } = 50_000;

    /// <summary>Smaller pieces are dropped.</summary>
    public double LeastPiece { get; init; } = 20_000;

    /// <summary>Inks that are looked for.</summary>
    public PenColours Pens { get; init; } = PenColours.All;

    /// <summary>The least area of a stroke: small dark grains are no ink.</summary>
    public double LeastStroke { get; init; } = 50_000;

    /// <summary>Exclusion margin around pen marks, in micrometres.</summary>
    public double PenMargin { get; init; } = 60;

    /// <summary>Whether folds are looked for: narrow, of the hue of the tissue around, and much darker.</summary>
    public bool Folds { get; init; } = true;

    /// <summary>How many times as dense as the tissue around, itself included, a fold is; it has three layers.</summary>
    public double FoldDensity { get; init; } = 1.8;

    /// <summary>The tissue around: standard deviation of a Gaussian mean.</summary>
    public double FoldSurroundings { get; init; } = 200;

    /// <summary>The least area of a fold.</summary>
    public double LeastFold { get; init; } = 10_000;

    /// <summary>The largest width of a fold: dense layers, such as keratin, are wider.</summary>
    public double FoldWidth { get; init; } = 100;

    /// <summary>How many times the area of the largest disc inside of it a fold has at least: dense spots are round, folds are not.</summary>
    public double FoldElongation { get; init; } = 3;

    /// <summary>Throws an <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        double[] lengths = [Smoothing, Closing, LargestHole, LeastPiece, LeastStroke, PenMargin, LeastFold, FoldWidth, FoldElongation];
        if (lengths.Any(length => !(length >= 0 && double.IsFinite(length))))
            throw new ArgumentException("lengths and areas of tissue, pens and folds must be 0 or more");
        if (!(Resolution > 0 && UnknownSide > 0 && FoldSurroundings > 0)) throw new ArgumentException("resolution and sizes must be above 0");
        if (!(FoldDensity > 1)) throw new ArgumentException($"folds {FoldDensity} times as dense as their surroundings: must be above 1");
        if (LeastDensity > MostDensity || LeastSaturation > MostSaturation)
            throw new ArgumentException("the least threshold of density or saturation is above the largest one");
    }
}
