using System.Text.Encodings.Web;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Progress of staining a slide.</summary>
/// <param name="Done">Number of stained tiles.</param>
/// <param name="Total">Number of tiles with tissue.</param>
public readonly record struct SlideProgress(int Done, int Total);

/// <summary>Result of staining a slide.</summary>
/// <param name="Source">File of the source.</param>
/// <param name="ModelId">SHA-256 of the model's weights.</param>
/// <param name="Scale">Resolution of staining.</param>
/// <param name="Spec">Size and resolution of the stained slide.</param>
/// <param name="Halo">Width of the context border around each tile, in source pixels.</param>
/// <param name="Tiles">Number of tiles with tissue.</param>
/// <param name="SeamScore">Visibility of tile borders, see <see cref="WholeSlides.SeamScore"/>.</param>
public sealed record StainedSlide(string Source, string ModelId, SlideScale Scale, SlideSpec Spec, int Halo, int Tiles, double SeamScore)
{
    private const string Format = "tinctor-stained-slide";
    private const int Version = 1;

    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Stain of the result; null for a model of one stain.</summary>
    public string? Stain { get; init; }

    /// <summary>IHC level of the slide; null if the model predicts none.</summary>
    public IhcLevelPrediction? IhcLevel { get; init; }

    /// <summary>Comparison with the source; null if the output format cannot be read back.</summary>
    public SlideComparison? Comparison { get; init; }

    /// <summary>Reason why stain normalisation was skipped; null if it was applied or the model uses none.</summary>
    public string? NormalizationSkippedReason { get; init; }

    /// <summary>Mask of the stained tissue; null if the whole slide was stained.</summary>
    public TissueMask? Tissue { get; init; }

    /// <summary>Number of tiles that were stained at a time because memory was too short for the batch; null if it was not.</summary>
    internal int? ReducedBatch { get; init; }

    /// <summary>Share of sampled source windows that are unlike the training images; null if the model has no detector.</summary>
    public double? NoveltyShare { get; init; }

    /// <summary>
    /// Whether the source is unlike the training images, so that the result cannot be trusted; null if the model has no detector.
    /// </summary>
    public bool? IsUnlikeTraining => NoveltyShare is { } share ? share >= SourceNovelty.UnlikeShare : null;

    /// <summary>Writes the numbers as JSON with a format and a version.</summary>
    public void WriteJson(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(new
    {
        format = Format,
        version = Version,
        source = Path.GetFullPath(Source),
        model_sha256 = ModelId,
        stain = Stain,
        width = Spec.Width,
        height = Spec.Height,
        mpp = Spec.Mpp,
        resolution = Scale.Note,
        tiles = Tiles,
        halo = Halo,
        seam_score = SeamScore,
        haematoxylin_correlation = Comparison?.Haematoxylin,
        glass_drift_delta_e = Comparison?.BackgroundDrift,
        level = IhcLevel?.Level,
        level_probability = IhcLevel?.Probability,
        novelty_share = NoveltyShare,
        unlike_training = IsUnlikeTraining,
    }, Json) + "\n");
}
