using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor stain</c> for whole slides.</summary>
internal static class SlideOptions
{
    /// <summary>Whether to write an uncertainty map.</summary>
    public static readonly Option<bool> Uncertainty =
        new("--uncertainty") { Description = "Write NAME.uncertainty.ome.tif: variation of the results, and novelty of the source" };

    /// <summary>Whether to average the results of eight orientations.</summary>
    public static readonly Option<bool> Orientations =
        new("--tta") { Description = "Test-time augmentation: mean over eight orientations, in eight times the time; not for bridges" };

    private const int RepeatsForUncertainty = 5;
    private static readonly Option<bool> Whole = new("--whole-slide") { Description = "Stain background too; otherwise tissue only" };
    private static readonly Option<string?> Tissue = new("--tissue")
    { Description = "Tissue annotations: a GeoJSON file, or a folder with NAME.geojson [default: tissue detection]", HelpName = "PATH" };
    private static readonly Option<double?> Mpp = CommonOptions.SlideMpp();
    private static readonly Option<double?> WorkMpp =
        CommonOptions.Above0("--work-mpp", "Pixel size at which slides are stained, in micrometres [default: the model's]");
    private static readonly Option<int?> Tile =
        new("--tile-size")
        {
            Description = "Tile size in source pixels [default: 512 to 768 of the result; 256 for bridges]",
            HelpName = "PX"
        };
    private static readonly Option<int?> Halo =
        new("--halo") { Description = "Context border discarded after inference [default: measured receptive field]", HelpName = "PX" };
    private static readonly Option<int?> Overlap =
        new("--overlap")
        {
            Description = "Width over which adjacent tiles are blended [default: 32, or tile size / 8 for instance norm]",
            HelpName = "PX"
        };
    private static readonly Option<int> Batch =
        new("--batch-size") { Description = "Tiles per forward pass", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<TileNormalization> Statistics =
        Words.Option("--normalization", "Statistics for instance norm", TileNormalization.Kernel);
    private static readonly Option<int> KernelRadius =
        new("--kernel-radius") { Description = "Radius of --normalization kernel, in tiles", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> KernelStep = new("--kernel-step")
    {
        Description = "Distance between measured tiles of --normalization kernel; 1 measures all",
        HelpName = "N",
        DefaultValueFactory = _ =>
        2
    };
    private static readonly Option<bool> GaussianKernel =
        new("--gaussian-kernel") { Description = "Gaussian weights for --normalization kernel" };
    private static readonly Option<bool> Lossless =
        new("--lossless") { Description = "Compress slides without loss; three to five times as large" };

    /// <summary>Options of the input.</summary>
    public static IReadOnlyList<Option> Input { get; } = [Tissue, Whole, Mpp];

    /// <summary>Options of the output.</summary>
    public static IReadOnlyList<Option> Output { get; } = [Lossless, Uncertainty];

    /// <summary>Options of the tiles.</summary>
    public static IReadOnlyList<Option> Tiling { get; } = [WorkMpp, Tile, Halo, Overlap, Batch, Statistics, KernelRadius, KernelStep,
        GaussianKernel];

    private static IReadOnlyList<Option> All { get; } = [.. Input, .. Output, .. Tiling];

    /// <summary>Whether an option was given that applies to staining by tiles only.</summary>
    public static bool AnyGiven(ParseResult parse) => All.Any(option => parse.GetResult(option) is { Implicit: false });

    /// <summary>Opens a slide.</summary>
    public static Slide Open(ParseResult parse, ImageJob job) => job.Open(parse.GetValue(Mpp));

    /// <summary>Gets the options of staining a slide.</summary>
    /// <param name="parse">Parsed command line.</param>
    /// <param name="slide">The slide.</param>
    /// <param name="sampling">Sampling of a stochastic model; null for deterministic models.</param>
    /// <param name="quality">JPEG quality, 1 to 100.</param>
    public static SlideStainOptions Read(ParseResult parse, Slide slide, BridgeSampling? sampling, int quality)
    {
        int repeats = parse.GetValue(BridgeOptions.Samples);
        bool uncertainty = parse.GetValue(Uncertainty) || repeats > 1;
        string? tissue = parse.GetValue(Tissue);
        if (Directory.Exists(tissue)) tissue = Path.Combine(tissue, $"{slide.Name}.geojson");
        return new()
        {
            TileSize = parse.GetValue(Tile),
            Halo = parse.GetValue(Halo),
            Overlap = parse.GetValue(Overlap),
            BatchSize = parse.GetValue(Batch),
            Normalization = parse.GetValue(Statistics),
            KernelRadius = parse.GetValue(KernelRadius),
            KernelStep = parse.GetValue(KernelStep),
            GaussianKernel = parse.GetValue(GaussianKernel),
            WholeSlide = parse.GetValue(Whole) || (slide.IsField && tissue is null),
            Tissue = tissue is null ? null : TissueMask.FromGeoJson(tissue, slide),
            WorkMpp = parse.GetValue(WorkMpp),
            Sampling = sampling,
            Seed = parse.GetValue(BridgeOptions.Seed),
            // A single run does not show the variation of a bridge.
            Samples = uncertainty && sampling is not null && repeats == 1 ? RepeatsForUncertainty : repeats,
            Uncertainty = uncertainty,
            AverageOrientations = parse.GetValue(Orientations),
            JpegQuality = parse.GetValue(Lossless) ? null : quality,
        };
    }
}
