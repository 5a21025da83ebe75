using System.CommandLine;
using System.Globalization;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Ihc;
using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Measurement.Ihc;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for IHC quantities.</summary>
internal static class IhcOptions
{
    private static readonly Option<bool> Ihc = new("--ihc")
    { Description = "Compare DAB area and density, H-scores and Ki67 index" };

    private static readonly Option<double> Positive = new("--dab-threshold")
    {
        Description = "Least DAB optical density of positive pixels",
        HelpName = "OD",
        DefaultValueFactory = _ => new IhcSettings().PositiveDensity,
    };

    private static readonly Option<string> Grades = new("--dab-grades")
    {
        Description = "Least mean DAB densities of weak, moderate and strong cells",
        HelpName = "OD,OD,OD",
        DefaultValueFactory = _ => "0.2,0.4,0.6",
    };

    private static readonly Option<string> Nuclei = new("--nuclei")
    {
        Description = "Stain of nuclei without a segmenter: both (Ki67) or haematoxylin (HER2)",
        DefaultValueFactory = _ => "both",
    };

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = MakeAll();

    /// <summary>All options and the pixel size, which studies pass on to <c>tinctor evaluate</c>.</summary>
    public static IReadOnlyList<Option> OfStudies { get; } = [.. All, .. SegmentationOptions.OfStudies, SegmentationOptions.Mpp];

    private static Option[] MakeAll()
    {
        Nuclei.Among("both", "haematoxylin");
        return [Ihc, Positive, Grades, Nuclei];
    }

    /// <summary>Creates the IHC analysis with --ihc. Nuclei come from the segmenter or masks if these distinguish single nuclei.</summary>
    public static IEnumerable<IAnalysis> Analyses(ParseResult parse)
    {
        if (!parse.GetValue(Ihc)) return [];
        ISegmentation nuclei = SegmentationOptions.Segmentation(parse) is { HasInstances: true } given ? given : Detector(parse);
        return [new IhcAnalysis(nuclei, Settings(parse, SegmentationOptions.MicronsPerPixel(parse)))];
    }

    /// <summary>Creates the detector of nuclei.</summary>
    public static ISegmentation Detector(ParseResult parse) => new ClassicalSegmentation(new()
    {
        Mpp = SegmentationOptions.MicronsPerPixel(parse),
        HaematoxylinOnly = parse.GetValue(Nuclei) == "haematoxylin",
    });

    private static IhcSettings Settings(ParseResult parse, double mpp)
    {
        double[] grades = [.. parse.GetValue(Grades)!.Split(',').Select(part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : double.NaN)];
        if (!(grades.Length == 3 && grades[0] > 0 && grades[1] > grades[0] && grades[2] > grades[1]))
            throw new TinctorException($"--dab-grades {parse.GetValue(Grades)}: expected three rising densities, as in 0.2,0.4,0.6");
        double positive = parse.GetValue(Positive);
        if (!(positive > 0)) throw new TinctorException($"--dab-threshold {positive}: must be above 0");
        return new() { PositiveDensity = positive, Weak = grades[0], Moderate = grades[1], Strong = grades[2], Mpp = mpp };
    }
}
