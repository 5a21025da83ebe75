using System.Text.Json;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Viewer.Folders;

/// <summary>Kind of a result.</summary>
internal enum ResultKind
{
    /// <summary>Stained slide.</summary>
    Stained,

    /// <summary>Uncertainty of a stained slide: deviation of the samples and, if the model has a detector, novelty of the source.</summary>
    Variation,
}

/// <summary>Stained slide, or its uncertainty, with the source that its report names.</summary>
/// <param name="Slide">The result.</param>
/// <param name="Source">Path of the source as the report has it.</param>
/// <param name="ModelId">SHA-256 of the model's weights; null if the report has none.</param>
/// <param name="Stain">Stain of the result; null for a model of one stain.</param>
/// <param name="Kind">Kind of the result.</param>
/// <param name="Complete">Whether the staining has finished.</param>
/// <param name="Numbers">Numbers of the report.</param>
internal sealed record StainedResult(
    CatalogueSlide Slide, string Source, string? ModelId, string? Stain, ResultKind Kind, bool Complete, StainedNumbers Numbers);

/// <summary>Numbers of a stained slide's report; null for each that it does not have. See <see cref="StainedSlide"/>.</summary>
internal sealed record StainedNumbers(double? SeamScore, double? HaematoxylinCorrelation, double? BackgroundDrift, string? IhcLevel,
    double? IhcLevelProbability, double? NoveltyShare, bool? UnlikeTraining);

/// <summary>Reads the JSON reports beside stained slides; see <see cref="StainedSlide.WriteJson"/>.</summary>
internal static class StainedReport
{
    private const string Format = "tinctor-stained-slide", UncertaintySuffix = ".uncertainty";
    private const long LargestReport = 1 << 20, LargestPage = 1 << 27;

    /// <summary>Reads the report of a slide; null if it is not a result.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="folders">Folders that the report must be in.</param>
    public static StainedResult? Read(CatalogueSlide slide, SafeFolders folders)
    {
        string stem = Tinctor.Slides.Slide.Stem(slide.Path);
        bool isUncertainty = stem.EndsWith(UncertaintySuffix, StringComparison.OrdinalIgnoreCase);
        string report = (isUncertainty ? stem[..^UncertaintySuffix.Length] : stem) + ".json";
        if (new FileInfo(report) is not { Exists: true, Length: > 0 and <= LargestReport } || !folders.Contains(report)) return null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(InputFile.ReadAllBytes(report));
            if (json.RootElement.ValueKind != JsonValueKind.Object || Text(json, "format") != Format
                || Text(json, "source") is not { } source)
                return null;
            string tiles = Path.Combine(Path.GetDirectoryName(slide.Path)!, $".{slide.Name}.tiles");
            return new(slide, source, Text(json, "model_sha256"), Text(json, "stain"),
                isUncertainty ? ResultKind.Variation : ResultKind.Stained,
                !Directory.Exists(tiles), Numbers(json));
        }
        catch (Exception e) when (e is JsonException or TinctorException)
        {
            return null;
        }
    }

    /// <summary>Gets the page that was written beside a stained slide; null if there is none.</summary>
    /// <param name="result">The stained slide.</param>
    /// <param name="folders">Folders that the page must be in.</param>
    public static string? PageOf(StainedResult result, SafeFolders folders)
    {
        string page = Tinctor.Slides.Slide.Stem(result.Slide.Path) + ".html";
        return result.Kind == ResultKind.Stained && new FileInfo(page) is { Exists: true, Length: > 0 and <= LargestPage }
            && folders.Contains(page) ? page : null;
    }

    private static StainedNumbers Numbers(JsonDocument json) => new(Number(json, "seam_score"), Number(json, "haematoxylin_correlation"),
        Number(json, "glass_drift_delta_e"), Text(json, "level"), Number(json, "level_probability"), Number(json, "novelty_share"),
        json.RootElement.TryGetProperty("unlike_training", out JsonElement value)
            && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null);

    private static double? Number(JsonDocument json, string name) =>
        json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string? Text(JsonDocument json, string name) =>
        json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
