namespace Tinctor.Core;

/// <summary>
/// Collects the problems of many files, to report them in one message: files with the same kind of problem are counted together and only
/// the first of them are named. Thread-safe.
/// </summary>
internal sealed class ProblemList
{
    private const int MostFiles = 3;
    private const int MostKinds = 8;
    private const int MostLines = 20;
    private readonly Lock access = new();
    private readonly SortedDictionary<string, Kind> kinds = new(StringComparer.Ordinal);
    private readonly SortedSet<string> remedies = new(StringComparer.Ordinal);
    private string? option;

    /// <summary>Number of problems: each file counts once per kind of problem.</summary>
    public int Count
    {
        get
        {
            lock (access) return kinds.Values.Sum(kind => Math.Max(1, kind.Problems.Count));
        }
    }

    /// <summary>Adds a problem.</summary>
    /// <param name="file">The file; null if the problem concerns no file in particular.</param>
    /// <param name="problem">The problem.</param>
    /// <param name="remedy">What the user can do, as a sentence; null if nothing is known to help.</param>
    /// <param name="option">Property of an options record that solves the problem; null for none.</param>
    /// <param name="kind">
    /// Text by which problems are grouped, for problems that contain numbers of the file; null groups problems with equal texts.
    /// </param>
    public void Add(string? file, string problem, string? remedy = null, string? option = null, string? kind = null)
    {
        lock (access)
        {
            if (!kinds.TryGetValue(kind ?? problem, out Kind? group)) kinds[kind ?? problem] = group = new(problem);
            if (file is not null) group.Problems.TryAdd(file, problem);
            group.Remedy ??= remedy;
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
            string text = string.Join("; ", kinds.Take(MostKinds).Select(kind => Describe(kind.Key, kind.Value)));
            return kinds.Count > MostKinds ? $"{text}; and {kinds.Count - MostKinds} other problems" : text;
        }
    }

    /// <summary>Formats one line per kind of problem with its remedy, in the order of the first files; up to twenty lines.</summary>
    /// <param name="separator">Text between two lines.</param>
    public string ToLines(string separator = "\n")
    {
        lock (access)
        {
            return Join([.. kinds.OrderBy(kind => kind.Value.Problems.FirstOrDefault().Key, StringComparer.Ordinal)
                .Select(kind => Describe(kind.Key, kind.Value)
                + (kind.Value.Remedy is { } remedy ? $". {Sentence(remedy)}" : ""))], MostLines, separator);
        }
    }

    /// <summary>Joins the first items of a list and the number of the others: <c>a, b and 3 more</c>.</summary>
    /// <param name="items">Texts of the list.</param>
    /// <param name="most">Number of items before the others are only counted.</param>
    /// <param name="separator">Text between two items.</param>
    public static string Join(IReadOnlyCollection<string> items, int most = MostLines, string separator = ", ")
    {
        string shown = string.Join(separator, items.Take(most));
        string and = separator == ", " ? " " : separator;
        return items.Count > most ? $"{shown}{and}and {items.Count - most} more" : shown;
    }

    // A single file is named with its folder, several only by their names, which keeps the line short.
    private static string Describe(string kind, Kind group)
    {
        SortedDictionary<string, string> problems = group.Problems;
        if (problems.Count == 0) return group.First;
        (string file, string problem) = problems.First();
        if (problems.Count == 1) return $"{file}: {problem}";
        string names = Join([.. problems.Keys.Select(path => Path.GetFileName(path))], MostFiles);
        return $"{problems.Count} files: {kind} ({names}){(problem == kind ? "" : $"; {Path.GetFileName(file)}: {problem}")}";
    }

    private static string Sentence(string text) => text.EndsWith('.') ? text : text + ".";

    private sealed class Kind(string first)
    {
        public string First { get; } = first;

        // Problem of each file.
        public SortedDictionary<string, string> Problems { get; } = new(StringComparer.Ordinal);

        public string? Remedy { get; set; }
    }
}
