using System.Globalization;
using System.Text;

namespace Tinctor.Core;

/// <summary>
/// A problem with the input of the user: a file that cannot be read, data that does not fit a model, a damaged artefact. The message is
/// printable: <c>FILE: problem. Remedy.</c>, or <c>FILE: problem</c> without a remedy; one line, except for lists of problems.
/// </summary>
public class TinctorException : Exception
{
    private const int LongestPart = 4000;

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

    /// <summary>The problem: the value found and the value expected.</summary>
    public string Problem { get; }

    /// <summary>Remedy for the user, as a sentence; null if nothing is known to help.</summary>
    public string? Remedy { get; }

    /// <summary>
    /// Property of an options record that solves the problem, such as <c>SlideMpp</c>; null for none. User interfaces name their own
    /// control for it.
    /// </summary>
    public string? Option { get; init; }

    /// <summary>Whether another process works on the file, so that a later attempt may succeed.</summary>
    internal bool IsInUse { get; init; }

    private static string Compose(string? file, string problem, string? remedy)
    {
        string line = Printable(problem, isList: true);
        if (!string.IsNullOrEmpty(file)) line = $"{Printable(file)}: {line}";
        return string.IsNullOrEmpty(remedy) ? line : $"{line.TrimEnd('.')}. {Printable(remedy)}";
    }

    // Parts of a hostile file can end up in a message: no control characters, no endless line. Lists of problems have lines.
    private static string Printable(string text, bool isList = false)
    {
        var line = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
            line.Append(IsPrintable(rune) || (isList && rune.Value == '\n') ? rune.ToString() : "?");
        if (line.Length <= LongestPart) return line.ToString();
        int head = LongestPart / 2, tail = line.Length - (LongestPart / 2);
        if (char.IsHighSurrogate(line[head - 1])) head--;
        if (char.IsLowSurrogate(line[tail])) tail++;
        return line.Remove(head, tail - head).Insert(head, " ... ").ToString();
    }

    // Separators would end the line, and directional marks reorder it.
    private static bool IsPrintable(Rune rune) => rune != Rune.ReplacementChar
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or
            UnicodeCategory.ParagraphSeparator)
        && rune.Value is not ((>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069));
}
