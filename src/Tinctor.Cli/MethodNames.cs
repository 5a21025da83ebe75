namespace Tinctor.Cli;

/// <summary>Names of methods in the help of a command.</summary>
internal static class MethodNames
{
    private const string Examples = "Examples:";
    private const int Width = 120;

    /// <summary>Inserts the names before the examples of a description, in lines of at most 120 characters.</summary>
    public static string AddTo(string description, IEnumerable<string> names)
    {
        int at = description.IndexOf(Examples, StringComparison.Ordinal);
        var lines = new List<string> { "Methods:" };
        foreach (string name in names.SkipLast(1).Select(name => name + ",").Append(names.Last() + "."))
        {
            if (lines[^1].Length + 1 + name.Length > Width) lines.Add(name);
            else lines[^1] += " " + name;
        }
        return $"{description[..at]}{string.Join('\n', lines)}\n\n{description[at..]}";
    }
}
