using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Levels;
using Tinctor.Measurement.Regions;
using Tinctor.Slides.Annotations;
using Tinctor.Slides.Masks;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Measurements;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Registrations;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Api;

/// <summary>Measurements of regions in slides and stained slides: add, follow, cancel.</summary>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="reader">Reads slides.</param>
/// <param name="models">Models of the folders.</param>
/// <param name="places">Places of stained slides.</param>
/// <param name="registrations">Registrations of slides.</param>
/// <param name="queue">The measurements.</param>
internal sealed class MeasurementEndpoints(SlideCatalogue catalogue, SlideReader reader, ModelEndpoints models, StainedPlaces places,
    RegistrationCatalogue registrations, MeasurementQueue queue)
{
    private const int MostRegions = 500, MostCorners = 100_000, MostPictures = 4, LongestName = 200, LargestRequest = 8 << 20;
    private const double SmallestMpp = 0.05, LargestMpp = 10, LargestRing = 50;
    private const string Both = "both", Haematoxylin = "haematoxylin";

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/v1/slides/{id}/measurements", AddAsync).WithTags("Measurements")
            .WithSummary("Measures regions in pictures of a slide: DAB area and density, nuclei, H-score, Ki67 index, IHC level")
            .WithMetadata(new RequestSizeLimitAttribute(LargestRequest))
            .Produces<MeasurementJson>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(422).ProducesProblem(429);
        RouteGroupBuilder group = routes.MapGroup("/api/v1/measurements").WithTags("Measurements");
        group.MapGet("/defaults", Defaults).WithSummary("Gets thresholds, definitions, limits and classifiers of measurements")
            .Produces<MeasurementDefaultsJson>();
        group.MapGet("/{id}", (string id) => Answer(queue.Find(id)))
            .WithSummary("Gets progress or result of a measurement; one that is not asked for within five minutes is cancelled")
            .Produces<MeasurementJson>().ProducesProblem(404);
        group.MapDelete("/{id}", (string id) => Answer(queue.Cancel(id)))
            .WithSummary("Cancels a measurement, or forgets its result").Produces<MeasurementJson>().ProducesProblem(404);
    }

    private MeasurementDefaultsJson Defaults()
    {
        var settings = new IhcSettings();
        return new(Describe(settings), Measurer.Mpp, [.. RegionQuantities.All(settings, 1, true).Select(each => Describe(each.Quantity))],
            [.. models.Classifiers.Select(Describe)], MostRegions, MostCorners, MostPictures, Measurer.LargestArea,
            Measurer.LargestStainedArea);
    }

    private async Task<IResult> AddAsync(string id, MeasurementRequest request, CancellationToken cancel)
    {
        if (!catalogue.Current.All.TryGetValue(id, out CatalogueSlide? slide)) return Missing();
        if (request.Of is not { Count: >= 1 and <= MostPictures })
            return Malformed($"The number of pictures is {request.Of?.Count ?? 0}, expected 1 to {MostPictures}.");
        var pictures = new List<PlannedPicture>();
        foreach (MeasuredPictureJson picture in request.Of)
        {
            if (picture is null || Find(slide, picture) is not { } found) return Missing();
            pictures.Add(found);
        }
        MeasurementPlan plan;
        try
        {
            plan = new(slide, Regions(request.Regions), pictures, Compared(request.Compare, pictures.Count), Settings(request.Thresholds),
                IsHaematoxylinOnly(request.Nuclei), Mpp(request.Mpp), Classifier(request.Classifier));
            Measurer.RequireArea(plan, await reader.SummaryAsync(slide, cancel));
        }
        catch (FormatException e)
        {
            return Malformed(e.Message);
        }
        catch (TinctorException e) when (e.File is null)
        {
            return Malformed(Sentence(PublicMessage.Of(e)));
        }
        foreach (CatalogueSlide picture in pictures.Select(picture => picture.Slide).Append(slide).Distinct())
            Measurer.RequireBrightfield(picture, await reader.SummaryAsync(picture, cancel));
        MeasurementStatus added = queue.Add(plan);
        return Results.Accepted($"/api/v1/measurements/{added.Id}", Describe(added));
    }

    private PlannedPicture? Find(CatalogueSlide of, MeasuredPictureJson picture)
    {
        if (picture.Registration is { } id)
        {
            return registrations.Find(id) is { } found && found.Source.Id == of.Id && (picture.Slide ?? found.Target.Id) == found.Target.Id
                && picture.Model is null ? new(found.Target, Registration: found) : null;
        }
        if (picture.Slide is null || !catalogue.Current.All.TryGetValue(picture.Slide, out CatalogueSlide? slide)) return null;
        if (picture.Model is null) return new(slide);
        return places.Find(picture.Slide, picture.Model) is { } key ? new(slide, models.FindStaining(picture.Model), key) : null;
    }

    private CatalogueModel? Classifier(string? id) => id is null ? models.Classifiers.FirstOrDefault()
        : models.Classifiers.FirstOrDefault(model => model.Id == id) ?? throw new FormatException("There is no such classifier.");

    private static List<MeasuredRegion> Regions(JsonElement collection)
    {
        if (collection.Features() is not { } features) throw new FormatException("The regions are no GeoJSON feature collection.");
        if (features.GetArrayLength() > MostRegions)
            throw new FormatException($"There are {features.GetArrayLength()} regions, at most {MostRegions} are measured at a time.");
        List<MeasuredRegion> regions = [.. features.EnumerateArray().Select(Region).OfType<MeasuredRegion>()];
        if (regions.Count == 0) throw new FormatException("There is no region with an area: draw a rectangle or a polygon.");
        int corners = regions.Sum(region => region.Corners);
        return corners <= MostCorners ? regions
            : throw new FormatException($"The regions have {corners} corners, at most {MostCorners} are measured at a time.");
    }

    // Points and lines are no regions.
    private static MeasuredRegion? Region(JsonElement feature, int index)
    {
        if (feature.Text("type") != "Feature" || !feature.TryGetProperty("geometry", out JsonElement geometry))
            throw new FormatException($"Region {index + 1} is no GeoJSON feature.");
        if (geometry.ValueKind != JsonValueKind.Object) return null;
        IReadOnlyList<Polygon> polygons;
        try
        {
            polygons = GeoJsonFile.PolygonsOf(geometry);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Region {index + 1} has {e.Message}.", e);
        }
        if (polygons.Count == 0) return null;
        JsonElement properties = feature.TryGetProperty("properties", out JsonElement given) ? given : default;
        string? classified = properties.ValueKind == JsonValueKind.Object
            && properties.TryGetProperty("classification", out JsonElement classification) ? classification.Text("name") : null;
        string? id = feature.TryGetProperty("id", out JsonElement value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? value.ToString() : null;
        return new(Short(id) ?? $"{index + 1}", Short(properties.Text("name")) ?? Short(classified) ?? $"Region {index + 1}",
            Short(classified), polygons);
    }

    private static string? Short(string? name) => name is { Length: > LongestName } ? name[..LongestName] : name;

    private static (int, int)? Compared(IReadOnlyList<int>? indices, int pictures) => indices switch
    {
        null => pictures > 1 ? (0, 1) : null,
        [var first, var second] when first != second && Math.Min(first, second) >= 0 && Math.Max(first, second) < pictures
            => (first, second),
        _ => throw new FormatException($"compare must hold two different indices below {pictures}."),
    };

    private static IhcSettings Settings(ThresholdsJson? given)
    {
        var defaults = new IhcSettings();
        if (given is null) return defaults;
        IhcSettings settings = defaults with
        {
            PositiveDensity = given.Positive,
            Weak = given.Weak,
            Moderate = given.Moderate,
            Strong = given.Strong,
            TissueDensity = given.Tissue ?? defaults.TissueDensity,
            Ring = given.Ring ?? defaults.Ring,
        };
        bool isValid = settings is { Weak: > 0, PositiveDensity: > 0, TissueDensity: > 0, Ring: > 0 and <= LargestRing }
            && settings.Moderate > settings.Weak && settings.Strong > settings.Moderate;
        return isValid ? settings
            : throw new FormatException("The thresholds must be above 0, and rise from weak over moderate to strong; "
                + FormattableString.Invariant($"the ring is at most {LargestRing} µm."));
    }

    private static bool IsHaematoxylinOnly(string? nuclei) => nuclei switch
    {
        null or Both => false,
        Haematoxylin => true,
        _ => throw new FormatException($"nuclei is {Short(nuclei)}, expected {Both} or {Haematoxylin}."),
    };

    private static double? Mpp(double? mpp) => mpp is null or (>= SmallestMpp and <= LargestMpp) ? mpp
        : throw new FormatException(FormattableString.Invariant($"The pixel size is {mpp} µm, expected {SmallestMpp} to {LargestMpp}."));

    private static IResult Answer(MeasurementStatus? status) =>
        status is null ? Results.Problem("There is no such measurement, or its result is not kept any more.", statusCode: 404)
            : Results.Ok(Describe(status));

    private static MeasurementJson Describe(MeasurementStatus status) => new(status.Id, $"{status.State}".ToLowerInvariant(), status.Done,
        status.Total, status.Error switch
        {
            null => null,
            TinctorException e => Sentence(PublicMessage.Of(e)),
            _ => "The regions could not be measured.",
        }, status.Result is { } result ? Describe(status.Plan, result) : null);

    private static MeasurementResultJson Describe(MeasurementPlan plan, MeasurementResult result) => new(plan.Slide.Id, plan.Slide.Name,
        InfoJson.OfProgram.Version, ResearchUseOnly: true, result.Settings.Mpp, result.HasPixelSize, Describe(result.Settings),
        plan.HaematoxylinOnly ? Haematoxylin : Both, plan.Classifier is { } classifier ? Describe(classifier) : null,
        [.. plan.Pictures.Select(picture =>
            new PictureNameJson(picture.Slide.Id, picture.Model?.Id, picture.Registration?.Id, picture.Name))],
        plan.Compared is (int first, int second) ? [first, second] : null, [.. result.Quantities.Select(Describe)],
        [.. result.Regions.Select(region => Describe(region, plan.Compared))], result.Notes);

    private static RegionValuesJson Describe(RegionValues region, (int First, int Second)? compared) => new(region.Region.Id,
        region.Region.Name, region.Region.Class, [.. region.Pictures.Select(picture => new PictureValuesJson(
            picture.Values.ToDictionary(value => value.Key, value => Finite(value.Value)),
            picture.Level is { } level ? Describe(level) : null))],
        compared is var (first, second) ? region.Pictures[first].Values.ToDictionary(value => value.Key,
            value => Finite(value.Value - region.Pictures[second].Values[value.Key])) : null);

    private static RegionLevelJson Describe(RegionLevel level) => new(level.Prediction.Level,
        [.. level.Prediction.Levels.Zip(level.Prediction.Probabilities, (name, p) => new LevelProbabilityJson(name, p))], level.Tiles);

    private static ThresholdsJson Describe(IhcSettings settings) => new(settings.PositiveDensity, settings.Weak, settings.Moderate,
        settings.Strong, settings.TissueDensity, settings.Ring);

    private static QuantityJson Describe(Quantity quantity) =>
        new(quantity.Key, quantity.Title, quantity.Unit, quantity.Digits, quantity.Definition);

    private static NamedModelJson Describe(CatalogueModel model) => new(model.Id, model.Name);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static IResult Malformed(string problem) => Results.Problem(problem, statusCode: StatusCodes.Status400BadRequest);

    private static IResult Missing() =>
        Results.Problem("There is no such slide or model, or no such registration from the slide of the regions.", statusCode: 404);
}
