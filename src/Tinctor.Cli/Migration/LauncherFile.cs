using System.Text.RegularExpressions;

namespace Tinctor.Cli.Migration;

/// <summary>
/// Launcher of CUT and its descendants (experiments/NAME_launcher.py): a Python file with the flags of each experiment as NAME=VALUE in
/// Options(...), which 'python -m experiments NAME train N' turns into a command line.
/// </summary>
internal static partial class LauncherFile
{
    private const string Block = "Options(";

    /// <summary>Whether a text is a launcher.</summary>
    public static bool IsLauncher(string text) => text.Contains("TmuxLauncher") && text.Contains(Block);

    /// <summary>Reads the training of each experiment.</summary>
    /// <exception cref="TinctorException">The launcher names no experiment.</exception>
    public static IReadOnlyList<LaunchLine> Read(string text)
    {
        string[] lines = [.. text.Split('\n').Where(line => !line.TrimStart().StartsWith('#'))];
        string[] blocks = string.Join('\n', lines).Split(Block)[1..];
        LaunchLine[] found = [.. blocks.Select(block => new LaunchLine(IsTest: false, [.. Words(block)]))
            .Where(line => line.Words.Count > 0)];
        return found.Length > 0 ? found
            : throw new TinctorException("the launcher names no experiment. Write the command line of train.py instead");
    }

    private static IEnumerable<string> Words(string block)
    {
        foreach (Match argument in Argument().Matches(block))
        {
            if (argument.Groups[2].Value.Trim('\'', '"') is not { Length: > 0 } value) continue;
            yield return $"--{argument.Groups[1].Value}";
            yield return value;
        }
    }

    [GeneratedRegex(@"^\s*(\w+)\s*=\s*('[^'\n]*'|""[^""\n]*""|[\w.+-]+)\s*,?\s*(?:#.*)?$", RegexOptions.Multiline)]
    private static partial Regex Argument();
}
