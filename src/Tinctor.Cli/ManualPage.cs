using System.CommandLine;
using System.Text;

namespace Tinctor.Cli;

/// <summary>Manual page of the program: the help of each command, for <c>man tinctor</c>.</summary>
internal static class ManualPage
{
    private const int Width = 100;

    /// <summary>Formats the page in the language of man.</summary>
    public static string Create(RootCommand root)
    {
        var page = new StringBuilder();
        page.Append(".TH TINCTOR 1\n.SH NAME\ntinctor \\- virtual staining of histology images\n.SH DESCRIPTION\n");
        AppendHelp(page, root);
        page.Append(".SH COMMANDS\n");
        foreach (Command command in Visible(root)) AppendCommand(page, command, command.Name);
        return page.ToString();
    }

    private static void AppendCommand(StringBuilder page, Command command, string name)
    {
        page.Append(".SS tinctor ").Append(Escape(name)).Append('\n');
        AppendHelp(page, command);
        foreach (Command inner in Visible(command)) AppendCommand(page, inner, $"{name} {inner.Name}");
    }

    private static IEnumerable<Command> Visible(Command command) => command.Subcommands.Where(inner => !inner.Hidden);

    // The lines are laid out already.
    private static void AppendHelp(StringBuilder page, Command command)
    {
        page.Append(".nf\n");
        foreach (string line in HelpText.Format(command, Width)) page.Append(Escape(line)).Append('\n');
        page.Append(".fi\n");
    }

    // A line that begins with a dot or an apostrophe would be a request.
    private static string Escape(string line)
    {
        string text = line.Replace("\\", "\\e").Replace("-", "\\-").Replace("'", "\\(aq").Replace("`", "\\(ga");
        return text.StartsWith('.') ? "\\&" + text : text;
    }
}
