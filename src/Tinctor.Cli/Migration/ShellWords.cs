using System.Text;

namespace Tinctor.Cli.Migration;

/// <summary>Words of commands as sh splits them: quotes, backslashes, continued lines and comments. Variables are not replaced.</summary>
internal static class ShellWords
{
    private const string Separators = ";&|\n";

    /// <summary>Splits a text into commands, and each command into words.</summary>
    /// <exception cref="TinctorException">A quotation mark has no partner.</exception>
    public static IReadOnlyList<IReadOnlyList<string>> Split(string text)
    {
        var commands = new List<List<string>> { new() };
        StringBuilder? word = null;
        text = text.ReplaceLineEndings("\n");
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\\' && i + 1 < text.Length)
            {
                if (text[++i] != '\n') (word ??= new()).Append(text[i]);
            }
            else if (c is '\'' or '"') i = ReadQuoted(text, i, word ??= new());
            else if (c == '#' && word is null)
            {
                while (i + 1 < text.Length && text[i + 1] != '\n') i++;
            }
            else if (char.IsWhiteSpace(c) || Separators.Contains(c))
            {
                if (word is not null) commands[^1].Add(word.ToString());
                word = null;
                if (Separators.Contains(c) && commands[^1].Count > 0) commands.Add([]);
            }
            else (word ??= new()).Append(c);
        }
        if (word is not null) commands[^1].Add(word.ToString());
        return [.. commands.Where(command => command.Count > 0)];
    }

    /// <summary>Formats a word for sh. Variables stay variables.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "_-./,:=+@%".Contains(c))) return word;
        return word.Contains('$') ? $"\"{word.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("`", "\\`")}\""
            : $"'{word.Replace("'", "'\\''")}'";
    }

    // Returns the position of the closing mark.
    private static int ReadQuoted(string text, int start, StringBuilder word)
    {
        char mark = text[start];
        for (int i = start + 1; i < text.Length; i++)
        {
            if (text[i] == mark) return i;
            if (mark == '"' && text[i] == '\\' && i + 1 < text.Length && "\"\\$`\n".Contains(text[i + 1]))
            {
                if (text[++i] == '\n') continue;
            }
            word.Append(text[i]);
        }
        throw new TinctorException($"the quotation mark {mark} at position {start + 1} of the command has no partner. Close it");
    }
}
