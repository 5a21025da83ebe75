using System.Text.Json;

namespace Tinctor.Core;

/// <summary>Options of JSON files that are read as a tree.</summary>
internal static class StrictJson
{
    /// <summary>Refuses a name that appears twice in an object, which would otherwise fail when the object is first used.</summary>
    public static JsonDocumentOptions Options { get; } = new() { AllowDuplicateProperties = false };
}
