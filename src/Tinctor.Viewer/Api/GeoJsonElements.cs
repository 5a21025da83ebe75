using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Tinctor.Viewer.Api;

/// <summary>Reads the elements of GeoJSON in requests, whose values may be of any kind.</summary>
internal static class GeoJsonElements
{
    /// <summary>Gets a text; null if the value is no object, or has no such text.</summary>
    public static string? Text(this JsonElement json, string name)
    {
        try
        {
            return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value)
                && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, as in "\ud800".
            return null;
        }
    }

    /// <summary>Gets the list of features; null if the value is no feature collection, or not in UTF-8.</summary>
    public static JsonElement? Features(this JsonElement json) => Utf8.IsValid(JsonMarshal.GetRawUtf8Value(json))
        && json.Text("type") == "FeatureCollection" && json.TryGetProperty("features", out JsonElement features)
        && features.ValueKind == JsonValueKind.Array ? features : null;
}
