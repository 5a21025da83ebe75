using System.Text.Json;
using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Areas as GeoJSON (RFC 7946) in pixels of level 0, the way QuPath exports and imports annotations.</summary>
internal static class TissueGeoJson
{
    private const string Ignored = "Ignore";
    private static readonly string[] NoAnnotations = ["detection", "cell", "tile", "root"];

    /// <summary>
    /// The areas of a file: a FeatureCollection, a list of features, a feature or a geometry alone; polygons, multi-polygons and collections
    /// of them. Points and lines have no area and are left out, and so are detections, cells and tiles (objectType).
    /// </summary>
    /// <returns>
    /// What is inside (unclassified or of any class), and what is to be cut out of it: annotations of a class whose name begins with "Ignore",
    /// as QuPath's "Ignore*".
    /// </returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="TinctorException">It is no GeoJSON; says so in one line that names it.</exception>
    public static (IReadOnlyList<Polygon> Inside, IReadOnlyList<Polygon> Ignored) Read(string path)
    {
        (List<Polygon> inside, List<Polygon> ignored) = ([], []);
        try
        {
            using FileStream stream = File.OpenRead(path);
            using var json = JsonDocument.Parse(stream);
            foreach (JsonElement feature in Features(json.RootElement))
                (IsIgnored(feature) ? ignored : inside).AddRange(IsAnnotation(feature) ? Polygons(Geometry(feature)) : []);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or IndexOutOfRangeException)
        {
            throw new TinctorException($"{path}: is no GeoJSON ({error.Message.Split('\n')[0]}); export it from QuPath again", error);
        }
        return (inside, ignored);
    }

    /// <summary>Writes a FeatureCollection: an annotation of the class Tissue for each polygon.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="polygons">In pixels of level 0.</param>
    public static void Write(Stream stream, IEnumerable<Polygon> polygons)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
        json.WriteStartArray("features");
        foreach (Polygon polygon in polygons) WriteFeature(json, polygon);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static IEnumerable<JsonElement> Features(JsonElement json) =>
        json.ValueKind == JsonValueKind.Array ? json.EnumerateArray().SelectMany(Features)
        : json.GetProperty("type").GetString() == "FeatureCollection" ? json.GetProperty("features").EnumerateArray()
        : [json];

    // A geometry may stand alone; a feature's may be null.
    private static JsonElement? Geometry(JsonElement json) =>
        json.GetProperty("type").GetString() != "Feature" ? json
        : json.TryGetProperty("geometry", out JsonElement geometry) && geometry.ValueKind == JsonValueKind.Object ? geometry : null;

    private static bool IsAnnotation(JsonElement feature) =>
        Property(feature, "objectType") is not { ValueKind: JsonValueKind.String } type || !NoAnnotations.Contains(type.GetString());

    private static bool IsIgnored(JsonElement feature) => Property(feature, "classification") is { ValueKind: JsonValueKind.Object } value
        && value.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String
        && name.GetString()!.StartsWith(Ignored, StringComparison.OrdinalIgnoreCase);

    private static JsonElement? Property(JsonElement feature, string name) =>
        feature.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object
            && properties.TryGetProperty(name, out JsonElement value) ? value : null;

    private static IEnumerable<Polygon> Polygons(JsonElement? geometry) => geometry is not JsonElement json ? []
        : json.GetProperty("type").GetString() switch
        {
            "Polygon" => OfRings(json.GetProperty("coordinates")),
            "MultiPolygon" => json.GetProperty("coordinates").EnumerateArray().SelectMany(OfRings),
            "GeometryCollection" => json.GetProperty("geometries").EnumerateArray().SelectMany(part => Polygons(part)),
            "Point" or "MultiPoint" or "LineString" or "MultiLineString" => [],
            string other => throw new FormatException($"unknown geometry {other}"),
            null => throw new FormatException("a geometry without a type"),
        };

    private static IEnumerable<Polygon> OfRings(JsonElement rings)
    {
        (double, double)[][] corners = [.. rings.EnumerateArray().Select(ring => ring.EnumerateArray().Select(Corner).ToArray())];
        return corners.Length > 0 && corners[0].Length > 2 ? [new Polygon(corners)] : [];
    }

    private static (double, double) Corner(JsonElement point)
    {
        (double x, double y) = (point[0].GetDouble(), point[1].GetDouble());
        return double.IsFinite(x) && double.IsFinite(y) ? (x, y) : throw new FormatException("a corner is not finite");
    }

    private static void WriteFeature(Utf8JsonWriter json, Polygon polygon)
    {
        json.WriteStartObject();
        json.WriteString("type", "Feature");
        json.WriteStartObject("geometry");
        json.WriteString("type", "Polygon");
        json.WriteStartArray("coordinates");
        foreach ((double X, double Y)[] ring in polygon.Rings)
        {
            json.WriteStartArray();
            foreach ((double x, double y) in ring.Append(ring[0]))
            {
                json.WriteStartArray();
                json.WriteNumberValue(Math.Round(x, 3));
                json.WriteNumberValue(Math.Round(y, 3));
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteString("objectType", "annotation");
        json.WriteStartObject("classification");
        json.WriteString("name", "Tissue");
        json.WriteStartArray("color");
        foreach (int sample in (int[])[0, 170, 60]) json.WriteNumberValue(sample);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
