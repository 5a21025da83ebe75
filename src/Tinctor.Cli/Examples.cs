using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Tinctor.Cli;

/// <summary>
/// Examples at the end of --help. A command writes them into its description after a line "Examples:"; here they are taken out, so that
/// lists of commands show the first lines only.
/// </summary>
internal static class Examples
{
    private const string Heading = "\nExamples:\n";

    /// <summary>Takes the examples out of every command's description and prints them after its help.</summary>
    public static void ShowAfterHelp(RootCommand root)
    {
        var examples = new Dictionary<Command, string>();
        Collect(root, examples);
        foreach (HelpOption option in root.Options.OfType<HelpOption>())
            option.Action = new HelpThenExamples((HelpAction)option.Action!, examples);
    }

    private static void Collect(Command command, Dictionary<Command, string> examples)
    {
        string text = (command.Description ?? "").ReplaceLineEndings("\n");
        int start = text.IndexOf(Heading, StringComparison.Ordinal);
        if (start >= 0)
        {
            examples[command] = text[(start + Heading.Length)..];
            command.Description = text[..start].Trim();
        }
        foreach (Command inner in command.Subcommands) Collect(inner, examples);
    }

    private sealed class HelpThenExamples(HelpAction help, Dictionary<Command, string> examples) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = help.Invoke(parseResult);
            if (examples.TryGetValue(parseResult.CommandResult.Command, out string? text))
                parseResult.InvocationConfiguration.Output.WriteLine($"Examples:\n{text}\n");
            return code;
        }
    }
}
