namespace Tinctor.Evaluation;

/// <summary>Default title of a report: the models and the data.</summary>
internal static class ReportTitle
{
    // Folder names that do not describe the data set.
    private static readonly string[] Generic =
        ["a", "b", "testa", "testb", "traina", "trainb", "test", "train", "val", "target", "source", "real", "images", "he", "ihc"];

    /// <summary>Title such as "pix2pix on BCI/IHC/test".</summary>
    /// <param name="options">Options of the evaluation.</param>
    /// <param name="run">Name of the training run; null if not given.</param>
    public static string Create(EvaluationOptions options, string? run)
    {
        string models = string.Join(", ", options.Stained.Select(folder =>
            folder.Name != Data.ScoredMethod.Model ? folder.Name : run ?? ShortPath(folder.Path)));
        return $"{models} on {ShortPath(options.Real)}";
    }

    /// <summary>End of a path, from the last folder whose name is not generic.</summary>
    private static string ShortPath(string path)
    {
        string[] parts = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)).Split(Path.DirectorySeparatorChar,
            StringSplitOptions.RemoveEmptyEntries);
        int start = Array.FindLastIndex(parts, part => !Generic.Contains(part.ToLowerInvariant()));
        return parts.Length == 0 ? path : string.Join('/', parts[Math.Max(0, start)..]);
    }
}
