using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Registration.Pairs;

/// <summary>What became of a pair of slides. On disk, pairs/NAME.json: written last, so that a pair which has it is whole.</summary>
/// <param name="Name">The pair's name in file names.</param>
/// <param name="Source">Path of the source slide.</param>
/// <param name="Target">Path of the target slide.</param>
/// <param name="Settings">All settings that it depends on, in words.</param>
/// <param name="Mpp">Micrometres per pixel of the tiles; null where not known.</param>
/// <param name="SourceExtension">Of the source's tiles: .png or .tif.</param>
/// <param name="TargetExtension">The same of the target's.</param>
/// <param name="Similarity">That of the registered slides.</param>
/// <param name="Reasons">Why the registration failed; empty if it passed.</param>
/// <param name="Tiles">The tiles that were looked at; none if the registration failed.</param>
public sealed record PreparedPair(string Name, string Source, string Target, string Settings, double? Mpp, string SourceExtension,
    string TargetExtension, double Similarity, IReadOnlyList<string> Reasons, IReadOnlyList<SlideTile> Tiles)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Whether its tiles may be used.</summary>
    [JsonIgnore]
    public bool Passed => Reasons.Count == 0;

    /// <summary>How many tiles met a fate.</summary>
    public int Count(TileFate fate) => Tiles.Count(tile => tile.Fate == fate);

    /// <summary>The files of a kept tile, below the folder of the data set.</summary>
    public (string Source, string Target) FilesOf(string folder, SlideTile tile) =>
        (Path.Combine(folder, "source", Name, tile.NameIn(Name) + SourceExtension),
            Path.Combine(folder, "target", Name, tile.NameIn(Name) + TargetExtension));

    /// <summary>Reads a pair that is done.</summary>
    /// <returns>Null if there is no such file.</returns>
    /// <exception cref="TinctorException">It is damaged.</exception>
    public static PreparedPair? Read(string path)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<PreparedPair>(File.ReadAllText(path), Json)!;
        }
        catch (JsonException error)
        {
            throw new TinctorException($"{path}: is damaged ({error.Message.Split('\n')[0]}); delete it, and the pair is made again", error);
        }
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Json));
}
