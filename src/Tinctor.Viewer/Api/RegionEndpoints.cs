using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Api;

/// <summary>
/// Regions of slides: a GeoJSON feature collection for each, in pixels at full resolution, as QuPath reads and writes it.
/// </summary>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="folder">Folder of the files, one for each slide.</param>
internal sealed class RegionEndpoints(SlideCatalogue catalogue, string folder)
{
    private const string MediaType = "application/geo+json";
    private const int MostFeatures = 100_000;

    // As the pages read from files; QuPath writes about 200 bytes for a cell.
    private const int LargestFile = 32 << 20;
    private static readonly string[] Geometries = ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"];

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder regions = routes.MapGroup("/api/v1/slides/{id}/regions").WithTags("Regions");
        regions.MapGet("", Get).WithSummary("Gets the regions of a slide as GeoJSON").Produces(200, contentType: MediaType)
            .ProducesProblem(404);
        regions.MapPut("", Put).WithSummary("Replaces the regions of a slide; other properties, such as QuPath's classes, are kept")
            .WithMetadata(new RequestSizeLimitAttribute(LargestFile)).Produces(204).ProducesProblem(400).ProducesProblem(404)
            .ProducesProblem(413);
    }

    private IResult Get(string id)
    {
        if (!catalogue.Current.All.ContainsKey(id)) return SlideEndpoints.NotFound();
        string path = PathOf(id);
        return Results.Text(File.Exists(path) ? InputFile.ReadText(path) : """{"type":"FeatureCollection","features":[]}""", MediaType);
    }

    private IResult Put(string id, JsonElement collection)
    {
        if (!catalogue.Current.All.ContainsKey(id)) return SlideEndpoints.NotFound();
        if (Problem(collection) is { } problem) return Results.Problem(problem, statusCode: 400);
        AtomicFile.WriteText(PathOf(id), collection.GetRawText());
        return Results.NoContent();
    }

    // Only slides of the catalogue have files, so that an identifier is never a path from elsewhere.
    private string PathOf(string id) => Path.Combine(folder, id + ".geojson");

    private static string? Problem(JsonElement collection)
    {
        if (collection.Features() is not { } features) return "The body is no GeoJSON feature collection.";
        if (features.GetArrayLength() > MostFeatures) return $"There are more than {MostFeatures} regions.";
        foreach ((int i, JsonElement feature) in features.EnumerateArray().Index())
        {
            bool valid = feature.Text("type") == "Feature" && feature.TryGetProperty("geometry", out JsonElement geometry)
                && Geometries.Contains(geometry.Text("type")) && geometry.TryGetProperty("coordinates", out JsonElement coordinates)
                && coordinates.ValueKind == JsonValueKind.Array;
            if (!valid) return $"Feature {i + 1} has no geometry that can be shown.";
        }
        return null;
    }
}
