using System.CommandLine;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Measurement;
using Tinctor.Evaluation.Data;
using Tinctor.Training.Segmentation;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for segmentation agreement.</summary>
internal static class SegmentationOptions
{
    private static readonly Option<string?> Model = new("--segmenter")
    {
        Description = "Segmenter ('tinctor train segmenter') for real and stained images",
        HelpName = "DIR",
    };

    private static readonly Option<bool> Detect =
        new("--detect-nuclei") { Description = "Compare nuclei of the built-in detector in real and stained images" };

    private static readonly Option<string?> RealMasks = new("--masks-real")
    {
        Description = "Masks or nuclei of the real images: PNG, TIFF, NPY, GeoJSON or HoVer-Net's JSON",
        HelpName = "DIR",
    };

    private static readonly Option<string[]> StainedMasks = new("--masks-stained")
    {
        Description = "Folder of masks of stained images, named as in --stained",
        HelpName = "[NAME=]DIR",
    };

    /// <summary>Pixel size of the images.</summary>
    public static Option<double> Mpp { get; } = new("--slide-mpp")
    {
        Description = "Pixel size of the input in micrometres, if its metadata is missing or wrong",
        HelpName = "UM",
        DefaultValueFactory = _ => PixelSize.Default,
    };

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = [Model, Detect, RealMasks, StainedMasks, Mpp];

    /// <summary>The detector, which studies pass on to <c>tinctor evaluate</c>.</summary>
    public static IReadOnlyList<Option> OfStudies { get; } = [Detect];

    /// <summary>Creates the analysis of segmentations if a segmenter or masks are given.</summary>
    public static IEnumerable<IAnalysis> Analyses(ParseResult parse) =>
        Segmentation(parse) is { } segmentation ? [new SegmentationAnalysis(segmentation, MicronsPerPixel(parse))] : [];

    /// <summary>Creates the segmentation of the images; null if no option names one.</summary>
    /// <exception cref="TinctorException">The segmenter or the masks cannot be read.</exception>
    public static ISegmentation? Segmentation(ParseResult parse)
    {
        StainedFolder[] stained = [.. (parse.GetValue(StainedMasks) ?? []).Select(StainedFolder.Parse)];
        string? model = parse.GetValue(Model);
        if (model is not null && parse.GetValue(Detect))
            throw new TinctorException("--segmenter and --detect-nuclei both find nuclei. Use one of them");
        ISegmentation? others = model is not null ? new SegmenterSegmentation(Load(model, parse))
            : parse.GetValue(Detect) ? IhcOptions.Detector(parse) : null;
        return parse.GetValue(RealMasks) is null && stained.Length == 0 ? others
            : new MaskSegmentation(parse.GetValue(RealMasks), stained, others);
    }

    private static Segmenter Load(string model, ParseResult parse) =>
        Segmenter.Load(model, FeatureOptions.DeviceOf(parse));

    /// <summary>Gets the pixel size.</summary>
    /// <exception cref="TinctorException">The pixel size is out of range.</exception>
    public static double MicronsPerPixel(ParseResult parse) => parse.GetValue(Mpp) is > 0.02 and < 20 and var mpp ? mpp
        : throw new TinctorException($"--slide-mpp {parse.GetValue(Mpp)}: must be 0.02 to 20 micrometres per pixel");
}
