using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tinctor.Registration.Annotations;

/// <summary>
/// GeoJSON annotations as exported by QuPath; their coordinates count from the corner of the first pixel, not from its centre.
/// </summary>
public static class GeoJsonAnnotations
{
    private static readonly JsonSerializerOptions Compact = new() { MaxDepth = 128 };

    /// <summary>Maps the coordinates of all geometries of a file and writes them; bounding boxes are removed.</summary>
    /// <param name="input">File to read.</param>
    /// <param name="output">File to write.</param>
    /// <param name="map">Map of positions, in pixels with whole numbers at their centres.</param>
    /// <exception cref="TinctorException">The input is missing or not GeoJSON.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public static void Map(string input, string output, Func<double, double, (double X, double Y)> map)
    {
        if (!File.Exists(input)) throw new TinctorException(input, "no such file");
        try
        {
            JsonNode root = JsonNode.Parse(File.ReadAllText(input), documentOptions: new() { MaxDepth = Compact.MaxDepth })
                ?? throw new JsonException();
            if (MapNode(root, map) == 0) throw new TinctorException(input, "the file has no coordinates, but GeoJSON is expected");
            AtomicFile.WriteText(output, root.ToJsonString(Compact));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(input, "not valid GeoJSON", "Export it again", error);
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
        if (positions is not [JsonValue, JsonValue, ..]) return positions.Sum(inner => inner is JsonArray deeper ? MapPositions(deeper, map) : 0);
        (double x, double y) = map((double)positions[0]! - 0.5, (double)positions[1]! - 0.5);
        (positions[0], positions[1]) = (Math.Round(x + 0.5, 3), Math.Round(y + 0.5, 3));
        return 1;
    }
}
