using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Annotations;

/// <summary>
/// GeoJSON files (RFC 7946) of annotations in pixels of level 0, as QuPath exports and imports them. Coordinates count from the corner of
/// the first pixel, not from its centre.
/// </summary>
internal static class GeoJsonFile
{
    private const int MaxDepth = 128;
    private const string Ignored = "Ignore";
    private static readonly string[] NoAnnotations = ["detection", "cell", "tile", "root"];

    private static readonly JsonSerializerOptions Compact = new() { MaxDepth = MaxDepth };

    /// <summary>Maps the coordinates of all geometries of a file and writes them; bounding boxes are removed.</summary>
    /// <param name="input">File to read.</param>
    /// <param name="output">File to write.</param>
    /// <param name="map">Map of positions, in pixels with whole numbers at their centres.</param>
    /// <exception cref="TinctorException">The input is missing, not GeoJSON, or without coordinates.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static void Map(string input, string output, Func<double, double, (double X, double Y)> map)
    {
        JsonNode root = Parse(input, stream =>
            JsonNode.Parse(stream, documentOptions: StrictJson.Options with { MaxDepth = MaxDepth }) ?? throw new JsonException());
        if (Parse(input, _ => MapNode(root, map)) == 0)
            throw new TinctorException(input,
                "the file has no coordinates, but GeoJSON is expected");
        AtomicFile.WriteText(output, root.ToJsonString(Compact));
    }

    /// <summary>
    /// Reads the areas of a file: a FeatureCollection, a list of features, a feature or a geometry; polygons, multi-polygons and
    /// collections of them. Points and lines, and features whose objectType is detection, cell or tile, are left out.
    /// </summary>
    /// <returns>
    /// Areas without a class or of any class; and areas to be cut out of them, whose class begins with "Ignore", as QuPath's "Ignore*".
    /// </returns>
    /// <exception cref="TinctorException">The file is missing or not GeoJSON.</exception>
    internal static (IReadOnlyList<Polygon> Inside, IReadOnlyList<Polygon> Ignored) Read(string path)
    {
        (List<Polygon> inside, List<Polygon> ignored) = ([], []);
        return Parse(path, stream =>
        {
            using var json = JsonDocument.Parse(stream);
            foreach (JsonElement feature in Features(json.RootElement))
                (IsIgnored(feature) ? ignored : inside).AddRange(IsAnnotation(feature) ? Polygons(Geometry(feature)) : []);
            return (inside, ignored);
        });
    }

    /// <summary>
    /// Reads the objects of a file: the polygons of all features, also of detections and cells. The nucleus of a cell counts, if it has
    /// one.
    /// </summary>
    /// <exception cref="TinctorException">The file is missing or not GeoJSON.</exception>
    internal static IReadOnlyList<Polygon> ReadObjects(string path) => Parse(path, stream =>
    {
        using var json = JsonDocument.Parse(stream);
        return Features(json.RootElement).SelectMany(feature => Polygons(
            feature.TryGetProperty("nucleusGeometry", out JsonElement nucleus) && nucleus.ValueKind == JsonValueKind.Object
                ? nucleus : Geometry(feature))).ToArray();
    });

    /// <summary>Reads the polygons of a geometry, those with holes included; none for points and lines.</summary>
    /// <param name="geometry">Geometry in any unit.</param>
    /// <exception cref="FormatException">It is not a geometry, or has coordinates that are not finite numbers.</exception>
    internal static IReadOnlyList<Polygon> PolygonsOf(JsonElement geometry)
    {
        try
        {
            return [.. Polygons(geometry)];
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new FormatException("coordinates of another form", error);
        }
    }

    /// <summary>Writes a FeatureCollection: an annotation of the class Tissue for each polygon.</summary>
    /// <param name="stream">Stream to write to.</param>
    /// <param name="polygons">Polygons in pixels of level 0.</param>
    internal static void Write(Stream stream, IEnumerable<Polygon> polygons)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
        json.WriteStartArray("features");
        foreach (Polygon polygon in polygons) WriteFeature(json, polygon);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static T Parse<T>(string path, Func<Stream, T> parse)
    {
        using FileStream stream = InputFile.Open(path);
        try
        {
            return parse(stream);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or IndexOutOfRangeException)
        {
            throw new TinctorException(path, $"not valid GeoJSON ({error.Message.Split('\n')[0]})", "Export it again", error);
        }
    }

    // Maps the coordinates below a node; returns the number of mapped positions.
    private static int MapNode(JsonNode? node, Func<double, double, (double X, double Y)> map)
    {
        int mapped = 0;
        if (node is JsonObject members)
        {
            members.Remove("bbox");
            foreach ((string name, JsonNode? value) in members)
                mapped += name == "coordinates" && value is JsonArray positions ? MapPositions(positions, map) : MapNode(value, map);
        }
        else if (node is JsonArray elements)
        {
            foreach (JsonNode? element in elements) mapped += MapNode(element, map);
        }
        return mapped;
    }

    // A position is an array of numbers; geometries nest arrays of positions.
    private static int MapPositions(JsonArray positions, Func<double, double, (double X, double Y)> map)
    {
        if (positions is not [JsonValue, JsonValue, ..]) return positions.Sum(inner => inner is JsonArray deeper
            ? MapPositions(deeper, map) : 0);
        (double x, double y) = map((double)positions[0]! - 0.5, (double)positions[1]! - 0.5);
        (positions[0], positions[1]) = (Math.Round(x + 0.5, 3), Math.Round(y + 0.5, 3));
        return 1;
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
