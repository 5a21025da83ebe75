using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor stain</c> for whole slides.</summary>
internal static class SlideOptions
{
    /// <summary>Whether a map of uncertainty is written.</summary>
    public static readonly Option<bool> Uncertainty = new("--uncertainty")
    {
        Description = "Write NAME.uncertainty.ome.tif too: how much results vary, and how unlike the training images the source is",
    };

    private const int RepeatsForUncertainty = 5;
    private static readonly Option<bool> Whole = new("--whole") { Description = "Stain glass too, not tissue alone" };
    private static readonly Option<string?> Tissue =
        new("--tissue") { Description = "Where the tissue is: a GeoJSON file for one slide, or a folder with NAME.geojson", HelpName = "PATH" };
    private static readonly Option<double?> Mpp =
        AboveZero.Option("--mpp", "Micrometres per pixel of the slides, where they do not tell or are wrong");
    private static readonly Option<double?> ModelMpp =
        AboveZero.Option("--model-mpp", "Micrometres per pixel at which to stain [the model's, inference.mpp]");
    private static readonly Option<int?> Tile =
        new("--tile") { Description = "Side of the tiles in pixels of the slide [512 of the result; 256 for diffusion bridges]", HelpName = "N" };
    private static readonly Option<int?> Halo =
        new("--halo") { Description = "Pixels along a tile's edge that do not count [as far as the network looks]", HelpName = "N" };
    private static readonly Option<int?> Ramp =
        new("--ramp") { Description = "Pixels over which neighbouring tiles pass into each other [an eighth of a tile]", HelpName = "N" };
    private static readonly Option<int> Batch = new("--batch") { Description = "Tiles in one forward pass", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<TileNormalization> Statistics = new("--statistics")
    {
        Description = "By what networks with instance norm normalise a tile: kernel (the tiles around it), slide, thumbnail or tile (seams)",
        HelpName = "NAME",
        DefaultValueFactory = _ => TileNormalization.Kernel,
    };
    private static readonly Option<int> KernelRadius =
        new("--kernel-radius") { Description = "Tiles to each side that --statistics kernel averages over", HelpName = "N", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> GaussianKernel = new("--gaussian-kernel") { Description = "Weigh these tiles by a Gaussian" };
    private static readonly Option<bool> Lossless = new("--lossless") { Description = "Write slides without loss (three to five times as large)" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } =
        [Uncertainty, Whole, Tissue, Mpp, ModelMpp, Tile, Halo, Ramp, Batch, Statistics, KernelRadius, GaussianKernel, Lossless];

    /// <summary>Whether something was asked for that only staining by tiles can do.</summary>
    public static bool AnyGiven(ParseResult parse) => All.Any(option => parse.GetResult(option) is { Implicit: false });

    /// <summary>Opens a slide.</summary>
    public static Slide Open(ParseResult parse, string path) => Slide.Open(path, parse.GetValue(Mpp));

    /// <summary>How a slide is to be stained.</summary>
    /// <param name="parse">What was asked for.</param>
    /// <param name="slide">The slide.</param>
    /// <param name="isField">Whether it is an image rather than a slide: all of it is stained unless told where the tissue is.</param>
    /// <param name="sampling">How a model that stains by chance samples; null if it has no chance in it.</param>
    /// <param name="quality">Of JPEG.</param>
    public static SlideStainOptions Of(ParseResult parse, Slide slide, bool isField, BridgeSampling? sampling, int quality)
    {
        int repeats = parse.GetValue(ChanceOptions.Repeats);
        bool uncertainty = parse.GetValue(Uncertainty) || repeats > 1;
        string? tissue = parse.GetValue(Tissue);
        if (Directory.Exists(tissue)) tissue = Path.Combine(tissue, $"{slide.Name}.geojson");
        return new()
        {
            TileSize = parse.GetValue(Tile),
            Halo = parse.GetValue(Halo),
            Overlap = parse.GetValue(Ramp),
            BatchSize = parse.GetValue(Batch),
            Normalization = parse.GetValue(Statistics),
            KernelRadius = parse.GetValue(KernelRadius),
            GaussianKernel = parse.GetValue(GaussianKernel),
            WholeSlide = parse.GetValue(Whole) || (isField && tissue is null),
            Tissue = tissue is null ? null : TissueMask.FromGeoJson(tissue, slide),
            WorkMpp = parse.GetValue(ModelMpp),
            Sampling = sampling,
            Seed = parse.GetValue(ChanceOptions.Seed),
            // One run alone tells nothing of how sure a bridge is.
            Samples = uncertainty && sampling is not null && repeats == 1 ? RepeatsForUncertainty : repeats,
            Uncertainty = uncertainty,
            JpegQuality = parse.GetValue(Lossless) ? null : quality,
        };
    }
}
