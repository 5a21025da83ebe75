namespace Tinctor.Evaluation.Metrics;

/// <summary>
/// Colour differences in CIE 1976 L*a*b* (sRGB, white D65), as <c>skimage.color.deltaE_cie76</c> and <c>deltaE_ciede2000</c> compute them
/// after <c>rgb2lab</c>. At least 0, lower is better; differences of about 2 are just visible.
/// </summary>
internal static class ColourDifference
{
    private const string Colours = "on 8-bit RGB as sRGB, converted to L*a*b* (white D65, 2 degree observer), "
        + "mean over the pixels, 0 for equal images";
    private const double Degree = Math.PI / 180;

    /// <summary>Mean Euclidean distance in L*a*b*.</summary>
    public static readonly PairMetric Cie76 = PairMetric.Create("delta_e76", "ΔE76", "CIELAB", 2, false,
        $"CIE 1976 colour difference: Euclidean distance in L*a*b*; {Colours}; as skimage.color.deltaE_cie76",
        (image, reference) => Mean(image, reference, Euclidean));

    /// <summary>Mean CIEDE2000 difference.</summary>
    public static readonly PairMetric Ciede2000 = PairMetric.Create("delta_e2000", "ΔE2000", "CIEDE2000", 2, false,
        $"CIEDE2000 colour difference with kL = kC = kH = 1 (Sharma et al. 2005); {Colours}; as skimage.color.deltaE_ciede2000",
        (image, reference) => Mean(image, reference, Ciede));

    /// <summary>CIEDE2000 difference of two colours in L*a*b* (Sharma, Wu and Dalal 2005, equations 2 to 22).</summary>
    public static double Ciede((double L, double A, double B) one, (double L, double A, double B) two)
    {
        double stretch = 1.5 - (0.5 * Saturation((double.Hypot(one.A, one.B) + double.Hypot(two.A, two.B)) / 2));
        (double chroma1, double hue1) = Polar(one.A * stretch, one.B);
        (double chroma2, double hue2) = Polar(two.A * stretch, two.B);
        bool grey = chroma1 * chroma2 == 0;
        double turn = grey ? 0 : hue2 - hue1;
        if (Math.Abs(turn) > Math.PI) turn -= Math.Sign(turn) * 2 * Math.PI;
        // Without a hue of one colour, that of the other counts.
        double hue = grey ? hue1 + hue2 : hue1 + (turn / 2);
        if (hue < 0) hue += 2 * Math.PI;

        double offset = ((one.L + two.L) / 2) - 50, chroma = (chroma1 + chroma2) / 2;
        double weight = 1 - (0.17 * Math.Cos(hue - (30 * Degree))) + (0.24 * Math.Cos(2 * hue))
            + (0.32 * Math.Cos((3 * hue) + (6 * Degree))) - (0.20 * Math.Cos((4 * hue) - (63 * Degree)));
        double lightness = (two.L - one.L) / (1 + (0.015 * offset * offset / Math.Sqrt(20 + (offset * offset))));
        double chromaTerm = (chroma2 - chroma1) / (1 + (0.045 * chroma));
        double hueTerm = 2 * Math.Sqrt(chroma1 * chroma2) * Math.Sin(turn / 2) / (1 + (0.015 * chroma * weight));
        double fromBlue = ((hue / Degree) - 275) / 25;
        double rotation = -2 * Saturation(chroma) * Math.Sin(60 * Degree * Math.Exp(-fromBlue * fromBlue));
        return Math.Sqrt((lightness * lightness) + (chromaTerm * chromaTerm) + (hueTerm * hueTerm) + (rotation * chromaTerm * hueTerm));
    }

    private static double Euclidean((double L, double A, double B) one, (double L, double A, double B) two)
    {
        (double l, double a, double b) = (one.L - two.L, one.A - two.A, one.B - two.B);
        return Math.Sqrt((l * l) + (a * a) + (b * b));
    }

    private static double Mean(ScoredImage image, ScoredImage reference,
        Func<(double L, double A, double B), (double L, double A, double B), double> difference)
    {
        image.Pixels.MustMatch(reference.Pixels);
        float[] one = image.Lab, two = reference.Lab;
        double sum = 0;
        for (int i = 0; i < one.Length; i += 3) sum += difference((one[i], one[i + 1], one[i + 2]), (two[i], two[i + 1], two[i + 2]));
        return sum / (one.Length / 3);
    }

    // Root of C^7 / (C^7 + 25^7).
    private static double Saturation(double chroma)
    {
        double cube = chroma * chroma * chroma, seventh = cube * cube * chroma;
        return Math.Sqrt(seventh / (seventh + 6103515625.0));
    }

    // Hue in [0, 2 pi); 0 for grey.
    private static (double Chroma, double Hue) Polar(double a, double b)
    {
        double hue = Math.Atan2(b, a);
        return (double.Hypot(a, b), hue < 0 ? hue + (2 * Math.PI) : hue);
    }
}
