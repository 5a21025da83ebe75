using System.CommandLine;
using Spectre.Console;

namespace Tinctor.Cli;

/// <summary>Sequence of commands, each shown as a user would type it.</summary>
internal static class CommandSteps
{
    /// <summary>Runs the steps until one fails. A step without arguments is complete already.</summary>
    /// <param name="parse">Command line of the calling command.</param>
    /// <param name="steps">Description and command line of each step.</param>
    /// <param name="cancel">Cancels the running step.</param>
    /// <returns>0, or the exit code of the step that failed.</returns>
    public static async Task<int> Run(ParseResult parse, IReadOnlyList<(string Title, string[]? Arguments)> steps, CancellationToken cancel)
    {
        foreach ((int i, (string title, string[]? arguments)) in steps.Index())
        {
            Terminal.Messages.MarkupLineInterpolated($"\n[bold]{i + 1}/{steps.Count} {title}[/]");
            if (arguments is null) continue;
            Terminal.Note($"$ tinctor {CommandLine(arguments)}");
            int code = await RunStep(parse, parse.RootCommandResult.Command.Parse(arguments), cancel);
            if (code != 0) return code;
        }
        return 0;
    }

    // Async, so that the command of the step is the running one within it only.
    private static async Task<int> RunStep(ParseResult parse, ParseResult step, CancellationToken cancel)
    {
        Terminal.Command = step.CommandResult.Command;
        return await step.InvokeAsync(parse.InvocationConfiguration, cancel);
    }

    /// <summary>Formats a command line as a user would type it.</summary>
    public static string CommandLine(string[] arguments) =>
        string.Join(' ', arguments.Select(argument => argument.Contains(' ') ? $"\"{argument}\"" : argument));
}
