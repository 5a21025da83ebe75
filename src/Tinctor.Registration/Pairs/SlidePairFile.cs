using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Registration.Pairs;

/// <summary>
/// Record of a prepared pair of slides, pairs/NAME.json in a data set. It is written last, so that a pair with this file is complete.
/// </summary>
/// <param name="Fingerprint">Identifies the slides and the options that the tiles depend on.</param>
/// <param name="Source">Path of the source slide.</param>
/// <param name="Target">Path of the target slide.</param>
/// <param name="Mpp">Micrometres per pixel of the tiles; null if unknown.</param>
/// <param name="SourceExtension">Extension of the source tiles, .png or .tif.</param>
/// <param name="TargetExtension">Extension of the target tiles.</param>
/// <param name="Similarity">Similarity of the registered slides.</param>
/// <param name="Reasons">Reasons why the registration failed; empty if it passed.</param>
/// <param name="Tiles">Tiles with any tissue in the source; empty if the registration failed.</param>
internal sealed record SlidePairFile(string Fingerprint, string Source, string Target, double? Mpp, string SourceExtension,
    string TargetExtension, double Similarity, IReadOnlyList<string> Reasons, IReadOnlyList<PreparedTile> Tiles)
{
    private const string CurrentFormat = "tinctor-slide-pair";
    private const int CurrentVersion = 2; // version 1 has no format and no version

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Format of the file.</summary>
    [JsonPropertyOrder(-2)]
    public string Format { get; init; } = CurrentFormat;

    /// <summary>Version of the format.</summary>
    [JsonPropertyOrder(-1)]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Target pixels per source pixel along each axis.</summary>
    public int Factor { get; init; } = 1;

    /// <summary>Reads a record; null if there is none.</summary>
    /// <exception cref="TinctorException">The file is damaged, or has another version.</exception>
    public static SlidePairFile? Read(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            string text = File.ReadAllText(path);
            using (var json = JsonDocument.Parse(text))
            {
                int version = json.RootElement.TryGetProperty("version", out JsonElement element) ? element.GetInt32() : 1;
                if (version != CurrentVersion)
                    throw new TinctorException(path, $"the format has version {version}, but this program reads version {CurrentVersion}",
                        "Use another folder, or replace the data set")
                    { Option = nameof(PreparationOptions.Overwrite) };
            }
            return JsonSerializer.Deserialize<SlidePairFile>(text, Json) ?? throw new JsonException();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(path, "damaged", "Delete it; the pair is then prepared again", error);
        }
    }

    /// <summary>Writes the record.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Json));
}
