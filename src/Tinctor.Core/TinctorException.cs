using System.Text;

namespace Tinctor.Core;

/// <summary>
/// A problem with the input of the user: a file that cannot be read, data that does not fit a model, a damaged artefact. The message is
/// printable, <c>FILE: problem. Remedy.</c>, and one line but for lists of problems.
/// </summary>
public class TinctorException : Exception
{
    private const int LongestProblem = 4000;

    /// <summary>Creates an exception about no file in particular.</summary>
    /// <param name="problem">What is wrong: the value found and the value expected.</param>
    public TinctorException(string problem)
        : this(null, problem) { }

    /// <summary>Creates an exception about no file in particular, with its cause.</summary>
    /// <param name="problem">What is wrong: the value found and the value expected.</param>
    /// <param name="innerException">The cause, kept for debugging.</param>
    public TinctorException(string problem, Exception innerException)
        : this(null, problem, null, innerException) { }

    /// <summary>Creates an exception.</summary>
    /// <param name="file">File or folder that has the problem; null for none in particular.</param>
    /// <param name="problem">What is wrong: the value found and the value expected.</param>
    /// <param name="remedy">What the user can do, as a sentence; null if nothing is known to help.</param>
    /// <param name="innerException">The cause, kept for debugging.</param>
    public TinctorException(string? file, string problem, string? remedy = null, Exception? innerException = null)
        : base(Compose(file, problem, remedy), innerException)
    {
        File = file;
        Problem = problem;
        Remedy = remedy;
    }

    /// <summary>File or folder that has the problem; null for none in particular.</summary>
    public string? File { get; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }

    /// <summary>What the user can do; null if nothing is known to help.</summary>
    public string? Remedy { get; }

    /// <summary>Property of an options record that solves the problem, such as <c>SlideMpp</c>; null for none. User interfaces name their own control for it.</summary>
    public string? Option { get; init; }

    private static string Compose(string? file, string problem, string? remedy)
    {
        string line = Printable(problem);
        if (!string.IsNullOrEmpty(file)) line = $"{Printable(file)}: {line}";
        return remedy is null ? line : $"{line.TrimEnd('.')}. {Printable(remedy)}";
    }

    // Parts of a hostile file can end up in a message: no control characters, no endless line. Lists of problems have lines.
    private static string Printable(string text)
    {
        var line = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
            line.Append((Rune.IsControl(rune) && rune.Value != '\n') || rune == Rune.ReplacementChar ? "?" : rune.ToString());
        if (line.Length > LongestProblem)
            line.Remove(LongestProblem / 2, line.Length - LongestProblem).Insert(LongestProblem / 2, " ... ");
        return line.ToString();
    }
}
