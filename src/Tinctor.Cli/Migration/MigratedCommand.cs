namespace Tinctor.Cli.Migration;

/// <summary>Command of Tinctor for a command line of an official repository.</summary>
/// <param name="Arguments">Arguments after <c>tinctor</c>.</param>
/// <param name="Notes">Flags without effect, and other notes.</param>
/// <param name="Warnings">Flags that change the result and are not in the command.</param>
internal sealed record MigratedCommand(
    IReadOnlyList<string> Arguments, IReadOnlyList<string> Notes, IReadOnlyList<string> Warnings)
{
    private const int LongestLine = 120;

    /// <summary>Formats the command for sh: on one line, or an option on each line.</summary>
    public override string ToString()
    {
        var parts = new List<string> { "tinctor" };
        foreach (string argument in Arguments)
        {
            if (argument.StartsWith('-')) parts.Add(argument);
            else parts[^1] += " " + ShellWords.Quote(argument);
        }
        string line = string.Join(' ', parts);
        return line.Length <= LongestLine ? line : string.Join(" \\\n    ", parts);
    }
}
