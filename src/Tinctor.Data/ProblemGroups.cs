using System.Collections.Concurrent;

namespace Tinctor.Data;

/// <summary>Problems of the pairs of a data set, one line for each kind. Thread-safe.</summary>
internal sealed class ProblemGroups
{
    private const int MostNames = 3;
    private readonly ConcurrentDictionary<int, TinctorException> problems = new();

    /// <summary>Number of pairs with a problem.</summary>
    public int Count => problems.Count;

    /// <summary>Problems by the index of the pair.</summary>
    public IReadOnlyDictionary<int, TinctorException> ByPair => problems;

    /// <summary>Whether a pair has a problem.</summary>
    public bool Contains(int pair) => problems.ContainsKey(pair);

    /// <summary>Adds the problem of a pair, unless the pair has one already.</summary>
    public void Add(int pair, TinctorException problem) => problems.TryAdd(pair, problem);

    /// <summary>Formats the kinds of problems, in the order of the first pair of each.</summary>
    public string Format(string separator) => Problems.List([.. problems.OrderBy(problem => problem.Key)
        .GroupBy(problem => KindOf(problem.Value), problem => problem.Value).Select(kind => Describe(kind.Key, [.. kind]))], separator);

    private static string KindOf(TinctorException problem) => problem is PairProblem pair ? pair.Kind : problem.Problem;

    private static string Describe(string kind, TinctorException[] problems)
    {
        TinctorException first = problems[0];
        if (problems.Length == 1) return first.Message;
        string names = string.Join(", ", problems.Take(MostNames).Select(problem => Path.GetFileName(problem.File)))
            + (problems.Length > MostNames ? $" and {problems.Length - MostNames} more" : "");
        string example = first is PairProblem { Example: { } text } ? $"; the first {text}" : "";
        return $"{problems.Length} files: {kind} ({names}){example}{(first.Remedy is { } remedy ? $". {remedy}" : "")}";
    }
}

/// <summary>A problem of one pair of images.</summary>
/// <param name="file">The file.</param>
/// <param name="kind">The kind of problem; pairs with the same kind are reported together.</param>
/// <param name="problem">The problem with the numbers of this pair.</param>
/// <param name="remedy">What the user can do, as a sentence.</param>
/// <param name="example">The numbers of this pair, as an example of the kind; null for none.</param>
internal sealed class PairProblem(string file, string kind, string problem, string? remedy = null, string? example = null)
    : TinctorException(file, problem, remedy)
{
    /// <summary>The kind of problem.</summary>
    public string Kind { get; } = kind;

    /// <summary>The numbers of this pair; null for none.</summary>
    public string? Example { get; } = example;
}
