using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tinctor.Core;

/// <summary>Options of the JSON files that the program writes for people and for other programs.</summary>
internal static class JsonFormat
{
    /// <summary>Indented, with names in snake case; letters outside ASCII are written as they are.</summary>
    public static JsonSerializerOptions Readable { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
