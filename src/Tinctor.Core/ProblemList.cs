namespace Tinctor.Core;

/// <summary>
/// Collects the problems of many files, to report them in one message: files with the same problem are counted together and only the
/// first of them are named. Thread-safe.
/// </summary>
public sealed class ProblemList
{
    private const int MostFiles = 3;
    private const int MostKinds = 8;
    private readonly Lock access = new();
    private readonly SortedDictionary<string, SortedSet<string>> filesByProblem = new(StringComparer.Ordinal);
    private readonly SortedSet<string> remedies = new(StringComparer.Ordinal);
    private string? option;

    /// <summary>Number of problems: each file counts once per kind of problem.</summary>
    public int Count
    {
        get
        {
            lock (access) return filesByProblem.Values.Sum(files => Math.Max(1, files.Count));
        }
    }

    /// <summary>Adds a problem.</summary>
    /// <param name="file">The file; null if the problem concerns no file in particular.</param>
    /// <param name="problem">The problem; files with equal texts are grouped.</param>
    /// <param name="remedy">What the user can do, as a sentence; null if nothing is known to help.</param>
    /// <param name="option">Property of an options record that solves the problem; null for none.</param>
    public void Add(string? file, string problem, string? remedy = null, string? option = null)
    {
        lock (access)
        {
            if (!filesByProblem.TryGetValue(problem, out SortedSet<string>? files))
                filesByProblem[problem] = files = new(StringComparer.Ordinal);
            if (file is not null) files.Add(file);
            if (remedy is not null) remedies.Add(remedy);
            this.option ??= option;
        }
    }

    /// <summary>Adds the problem of an exception.</summary>
    public void Add(Exception e)
    {
        if (e is TinctorException known) Add(known.File, known.Problem, known.Remedy, known.Option);
        else Add(null, e.Message);
    }

    /// <summary>Throws an exception that lists all problems; does nothing if there are none.</summary>
    /// <param name="subject">File or folder named first; null for none in particular.</param>
    /// <exception cref="TinctorException">There are problems.</exception>
    public void ThrowIfAny(string? subject = null)
    {
        int count = Count;
        if (count == 0) return;
        string problem = count == 1 ? ToString() : $"{count} problems: {ToString()}";
        string? remedy = remedies.Count > 0 ? string.Join(" ", remedies.Select(Sentence)) : null;
        throw new TinctorException(subject, problem, remedy) { Option = option };
    }

    /// <summary>The problems in one line, without the remedies.</summary>
    public override string ToString()
    {
        lock (access)
        {
            string kinds = string.Join("; ", filesByProblem.Take(MostKinds).Select(kind => Describe(kind.Key, kind.Value)));
            return filesByProblem.Count > MostKinds ? $"{kinds}; and {filesByProblem.Count - MostKinds} other problems" : kinds;
        }
    }

    // A single file is named with its folder, several only by their names, which keeps the line short.
    private static string Describe(string problem, SortedSet<string> files) => files.Count switch
    {
        0 => problem,
        1 => $"{files.Min}: {problem}",
        <= MostFiles => $"{files.Count} files: {problem} ({string.Join(", ", files.Select(Path.GetFileName))})",
        _ => $"{files.Count} files: {problem} ({string.Join(", ", files.Take(MostFiles).Select(Path.GetFileName))} "
            + $"and {files.Count - MostFiles} more)",
    };

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";
}
