using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Annotations as GeoJSON, as QuPath has them: their coordinates count from the corner of the first pixel, not from its centre.
/// </summary>
public static class GeoJson
{
    private static readonly JsonSerializerOptions Compact = new() { MaxDepth = 128 };

    /// <summary>Writes the annotations of another file with every coordinate moved, of geometries of any kind; bounding boxes go.</summary>
    /// <param name="input">The file to read.</param>
    /// <param name="output">The file to write.</param>
    /// <param name="map">Where a place, in pixels with whole numbers at their centres, goes.</param>
    /// <exception cref="TinctorException">The input is no GeoJSON.</exception>
    public static void Move(string input, string output, Func<double, double, (double X, double Y)> map)
    {
        try
        {
            JsonNode root = JsonNode.Parse(File.ReadAllText(input), documentOptions: new() { MaxDepth = Compact.MaxDepth })
                ?? throw new JsonException("it is empty");
            if (Walk(root, map) == 0) throw new TinctorException($"{input}: has no coordinates; give GeoJSON, as QuPath exports it");
            AtomicFile.WriteText(output, root.ToJsonString(Compact));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException($"{input}: is no GeoJSON ({error.Message.Split('\n')[0]}); export it again", error);
        }
    }

    // Moves what is below a node; returns how many coordinates were moved.
    private static int Walk(JsonNode? node, Func<double, double, (double X, double Y)> map)
    {
        int moved = 0;
        if (node is JsonObject members)
        {
            members.Remove("bbox");
            foreach ((string name, JsonNode? value) in members)
                moved += name == "coordinates" && value is JsonArray places ? MovePlaces(places, map) : Walk(value, map);
        }
        else if (node is JsonArray elements)
        {
            foreach (JsonNode? element in elements) moved += Walk(element, map);
        }
        return moved;
    }

    // A position is an array of numbers; anything else is an array of these, however deep.
    private static int MovePlaces(JsonArray places, Func<double, double, (double X, double Y)> map)
    {
        if (places is not [JsonValue, JsonValue, ..]) return places.Sum(inner => inner is JsonArray deeper ? MovePlaces(deeper, map) : 0);
        (double x, double y) = map((double)places[0]! - 0.5, (double)places[1]! - 0.5);
        (places[0], places[1]) = (Math.Round(x + 0.5, 3), Math.Round(y + 0.5, 3));
        return 1;
    }
}
