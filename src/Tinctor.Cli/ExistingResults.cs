namespace Tinctor.Cli;

/// <summary>Rule for results that exist: every command keeps them with a note, and --overwrite replaces them.</summary>
internal static class ExistingResults
{
    /// <summary>Notes that a result is kept.</summary>
    /// <param name="path">File of the result.</param>
    /// <param name="overwrite">Whether existing results are replaced.</param>
    /// <returns>Whether the result exists and is kept.</returns>
    public static bool Keep(string path, bool overwrite)
    {
        if (overwrite || !File.Exists(path)) return false;
        Note(path);
        return true;
    }

    /// <summary>Notes that results are kept.</summary>
    /// <param name="results">Path, or number of results.</param>
    public static void Note(string results) => Terminal.Note($"Existing results are kept: {results}. --overwrite replaces them.");
}
