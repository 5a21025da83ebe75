using System.Collections;
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Tinctor.Cli;

/// <summary>
/// The text of --help: description, usage, arguments, options under headings, commands and examples. Examples stand in a command's
/// description after a line "Examples:".
/// </summary>
internal static class HelpText
{
    private const string ExamplesHeading = "\nExamples:\n";
    private const int LongestName = 34;

    /// <summary>Writes the help of a command.</summary>
    public static void Print(Command command)
    {
        foreach (string line in Format(command, Math.Max(60, Terminal.Width))) Terminal.Result(line);
    }

    /// <summary>Formats the help of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="width">Width of the lines in columns.</param>
    public static IReadOnlyList<string> Format(Command command, int width)
    {
        (string description, string? examples) = Split(command);
        List<string> lines = [.. Wrap(description, width, 0), "", "Usage:", $"  {Usage(command)}"];
        AddRows(lines, "Arguments", command.Arguments.Where(argument => !argument.Hidden)
            .Select(argument => ($"<{argument.Name}>", argument.Description ?? "")), width);
        int column = ColumnOf(OptionsOf(command).Select(NameOf));
        foreach ((string heading, IEnumerable<Option> options) in GroupsOf(command))
            AddRows(lines, heading, options.Select(option => (NameOf(option), DescriptionOf(option))), width, column);
        AddRows(lines, "Commands", command.Subcommands.Where(inner => !inner.Hidden)
            .Select(inner => (inner.Name, FirstSentence(Split(inner).Description))), width);
        if (examples is not null) lines.AddRange(["", "Examples:", .. examples.Split('\n')]);
        return lines;
    }

    /// <summary>Gets the placeholder of an option's value, such as &lt;DIR&gt;; empty for a switch.</summary>
    public static string ValueOf(Option option) => option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0 ? ""
        : $"<{option.HelpName ?? Unit(option.ValueType)}>";

    /// <summary>Gets the visible options of a command and its parents.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) => GroupsOf(command).SelectMany(group => group.Options);

    /// <summary>Gets the description and the default of an option.</summary>
    public static string DescriptionOf(Option option) => option.Required ? $"{option.Description} (required)"
        : DefaultOf(option) is string value ? $"{option.Description} [default: {value}]" : option.Description ?? "";

    private static IEnumerable<(string Heading, IEnumerable<Option> Options)> GroupsOf(Command command)
    {
        var general = command.Parents.OfType<Command>().SelectMany(parent => parent.Options).Where(option => option.Recursive);
        IReadOnlyList<(string, IReadOnlyList<Option>)> groups = command is GroupedCommand grouped ? grouped.Groups : [];
        Option[] rest = [.. command.Options.Except(groups.SelectMany(group => group.Item2)).Where(option => !option.Recursive),
            .. command.Options.Where(option => option.Recursive), .. general];
        IEnumerable<(string, IEnumerable<Option>)> all = [.. groups.Select(group => (group.Item1, group.Item2.AsEnumerable())),
            (groups.Count > 0 ? "General" : "Options", rest)];
        return all.Select(group => (group.Item1, group.Item2.Where(option => !option.Hidden))).Where(group => group.Item2.Any());
    }

    private static string Usage(Command command)
    {
        var words = new List<string>();
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault()) words.Insert(0, NameOf(at));
        foreach (Argument argument in command.Arguments)
        {
            string name = argument.Arity.MaximumNumberOfValues > 1 ? $"<{argument.Name}>..." : $"<{argument.Name}>";
            words.Add(argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name);
        }
        foreach (Option option in OptionsOf(command).Where(option => option.Required))
            words.Add($"{option.Aliases.Append(option.Name).MinBy(alias => alias.Length)} {ValueOf(option)}");
        if (command.Subcommands.Count > 0) words.Add(command.Action is null || command is RootCommand ? "<command>" : "[command]");
        return string.Join(' ', words) + " [options]";
    }

    /// <summary>Gets the name of a command; the program's name for the root.</summary>
    public static string NameOf(Command command) => command is RootCommand ? "tinctor" : command.Name;

    private static string NameOf(Option option)
    {
        string names = string.Join(", ", option.Aliases.Append(option.Name).Distinct().OrderBy(name => name.Length));
        // Long names line up with those that have a short one.
        string indented = names.StartsWith("--", StringComparison.Ordinal) ? "    " + names : names;
        return $"{indented} {ValueOf(option)}".TrimEnd();
    }

    private static string Unit(Type type)
    {
        Type item = type.IsArray ? type.GetElementType()! : type;
        return item == typeof(string) ? "TEXT" : "N";
    }

    private static string? DefaultOf(Option option)
    {
        if (!option.HasDefaultValue || option.ValueType == typeof(bool)) return null;
        return option.GetDefaultValue() switch
        {
            null or "" => null,
            string text => text,
            Enum value => value.ToString("G").Contains(',') ? string.Join(',', value.ToString("G").Split(", ").Select(Errors.Kebab))
                : Words.Of(value),
            IEnumerable many => string.Join(',', many.Cast<object>().Select(Format)) is { Length: > 0 } list ? list : null,
            object value => Format(value),
        };
    }

    private static string Format(object value) => value is Enum word ? Words.Of(word)
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static (string Description, string? Examples) Split(Command command)
    {
        string text = (command.Description ?? "").ReplaceLineEndings("\n");
        int start = text.IndexOf(ExamplesHeading, StringComparison.Ordinal);
        return start < 0 ? (text.Trim(), null) : (text[..start].Trim(), text[(start + ExamplesHeading.Length)..].TrimEnd());
    }

    private static string FirstSentence(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        int end = line.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? line.TrimEnd('.') : line[..end];
    }

    private static void AddRows(List<string> help, string heading, IEnumerable<(string Name, string Text)> rows, int width,
        int? columns = null)
    {
        (string Name, string Text)[] all = [.. rows];
        if (all.Length == 0) return;
        int column = columns ?? ColumnOf(all.Select(row => row.Name));
        help.AddRange(["", $"{heading}:"]);
        foreach ((string name, string text) in all)
        {
            List<string> lines = Wrap(text, width, column);
            bool fits = name.Length + 4 <= column;
            help.Add(fits ? $"  {name}".PadRight(column) + lines[0].TrimStart() : $"  {name}");
            help.AddRange(fits ? lines.Skip(1) : lines);
        }
    }

    private static int ColumnOf(IEnumerable<string> names) => Math.Min(LongestName, names.Max(name => name.Length)) + 4;

    // Lines of a description are kept where they fit.
    private static List<string> Wrap(string text, int width, int indent)
    {
        var lines = new List<string>();
        foreach (string paragraph in text.Split('\n'))
        {
            string line = new(' ', indent);
            foreach (string word in paragraph.Split(' '))
            {
                if (line.Length + word.Length >= width && line.Trim().Length > 0)
                {
                    lines.Add(line.TrimEnd());
                    line = new(' ', indent);
                }
                line += word + " ";
            }
            lines.Add(line.TrimEnd());
        }
        return lines;
    }

    /// <summary>Prints the help of the command of a command line.</summary>
    public sealed class Action : SynchronousCommandLineAction
    {
        /// <inheritdoc/>
        public override bool ClearsParseErrors => true;

        /// <inheritdoc/>
        public override int Invoke(ParseResult parseResult)
        {
            Print(parseResult.CommandResult.Command);
            return 0;
        }
    }
}
