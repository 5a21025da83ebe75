using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Data;

/// <summary>
/// Description of a data set prepared from fields or slides: dataset.json in its folder. The folder also contains source/ and target/ with
/// the kept tiles, manifest.csv, which lists them and is written last, and rejected.csv with the rejected tiles and the reasons. Data sets
/// of earlier versions have no dataset.json; their manifest may list rejected tiles too, with kept = 0.
/// </summary>
/// <param name="Kind">fields or slides.</param>
/// <param name="TileSize">Side of a tile in pixels; null if fields are kept whole.</param>
/// <param name="Stride">Distance between adjacent tiles in pixels; null if fields are kept whole.</param>
/// <param name="Mpp">Requested resolution of targets in micrometres per pixel; null for the resolution of the source.</param>
/// <param name="MinTissue">Minimum tissue fraction, 0 to 1.</param>
/// <param name="MinNcc">Minimum normalised cross-correlation, -1 to 1.</param>
/// <param name="MaxResidual">Maximum residual translation in pixels.</param>
internal sealed record DatasetFile(string Kind, int? TileSize, int? Stride, double? Mpp, double MinTissue, double MinNcc,
    double MaxResidual)
{
    /// <summary>File name in the folder of a data set.</summary>
    public const string FileName = "dataset.json";

    private const string CurrentFormat = "tinctor-dataset", Manifest = "manifest.csv";
    private const int CurrentVersion = 1;

    /// <summary>Format of the file.</summary>
    [JsonPropertyOrder(-2)]
    public string Format { get; init; } = CurrentFormat;

    /// <summary>Version of the format.</summary>
    [JsonPropertyOrder(-1)]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Target pixels per source pixel along each axis; null for 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Factor { get; init; }

    /// <summary>Whether a folder contains a data set of this or an earlier version, complete or not.</summary>
    public static bool IsDataset(string folder) =>
        File.Exists(Path.Combine(folder, FileName)) || File.Exists(Path.Combine(folder, Manifest));

    /// <summary>Reads the description of a data set; null if the folder has none.</summary>
    /// <exception cref="TinctorException">The file is damaged or of a later version, or the data set is incomplete.</exception>
    public static DatasetFile? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        DatasetFile? file;
        try
        {
            using FileStream stream = InputFile.Open(path);
            file = JsonSerializer.Deserialize<DatasetFile>(stream, JsonFormat.Readable);
        }
        catch (JsonException error)
        {
            throw new TinctorException(path, "damaged", "Prepare the data set again", error);
        }
        if (file?.Format != CurrentFormat)
        {
            throw new TinctorException(path, $"the format is {file?.Format ?? "missing"}, expected {CurrentFormat}",
                "Prepare the data set again");
        }
        if (file.Version > CurrentVersion)
        {
            throw new TinctorException(path,
                $"the format has version {file.Version}, but this program reads up to version {CurrentVersion}",
                "Use the version of Tinctor that wrote it, or a later one");
        }
        return File.Exists(Path.Combine(folder, Manifest)) ? file
            : throw new TinctorException(folder, $"the data set is incomplete: it has no {Manifest}", "Repeat its preparation");
    }

    /// <summary>Writes the description.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, JsonFormat.Readable) + "\n");
}
