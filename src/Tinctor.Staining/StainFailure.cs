using System.Text.Json;
using Tinctor.Slides;

namespace Tinctor.Staining;

/// <summary>Record of an image or slide that could not be stained, NAME.failed.json beside the place of its result.</summary>
/// <param name="Source">The image or slide.</param>
/// <param name="Error">The error in one line.</param>
/// <param name="Host">Name of the computer.</param>
/// <param name="Time">Time of the failure, UTC.</param>
internal sealed record StainFailure(string Source, string Error, string Host, DateTime Time)
{
    private const string Format = "tinctor-stain-failure";
    private const int Version = 1;

    /// <summary>Gets the file of the record that belongs to a result.</summary>
    public static string PathOf(string result) => $"{Slide.Stem(result)}.failed.json";

    /// <summary>Writes a record. A disk that is full or gone is no further error: the first one is reported anyway.</summary>
    public static void Write(string result, string source, string error)
    {
        var record = new Record(Format, Version, Path.GetFullPath(source), error, LocalProcess.Host, DateTime.UtcNow);
        try
        {
            AtomicFile.WriteText(PathOf(result), JsonSerializer.Serialize(record, JsonFormat.Readable) + "\n");
        }
        catch (Exception e) when (e is TinctorException || FileErrors.IsFileError(e))
        {
            // The status then shows the result as missing.
        }
    }

    /// <summary>Reads the record of a result; null if there is none.</summary>
    /// <exception cref="TinctorException">The file is no such record.</exception>
    public static StainFailure? Read(string result)
    {
        string path = PathOf(result);
        if (!File.Exists(path)) return null;
        try
        {
            using FileStream file = InputFile.Open(path);
            Record? read = JsonSerializer.Deserialize<Record>(file, JsonFormat.Readable);
            return read is { Format: Format, Version: Version, Source: not null, Error: not null, Host: not null }
                ? new(read.Source, read.Error, read.Host, read.Time) : throw Unknown(path);
        }
        catch (JsonException)
        {
            throw Unknown(path);
        }
    }

    /// <summary>Deletes the record of a result.</summary>
    public static void Delete(string result) => File.Delete(PathOf(result));

    private static TinctorException Unknown(string path) =>
        new(path, $"is no record of a failure in version {Version} of {Format}", "Remove the file, or use a newer version of Tinctor.");

    private sealed record Record(string? Format, int Version, string? Source, string? Error, string? Host, DateTime Time);
}
