using System.CommandLine;
using Spectre.Console;

namespace Tinctor.Cli;

/// <summary>Commands that run other commands one after the other, each shown as a user would type it.</summary>
internal static class CommandSteps
{
    /// <summary>Runs the steps until one fails; a step without arguments is done already.</summary>
    /// <param name="parse">The command that runs them.</param>
    /// <param name="steps">What each step does, in words, and its command line.</param>
    /// <param name="cancel">Stops within a step.</param>
    /// <returns>0, or the exit code of the step that failed.</returns>
    public static async Task<int> Run(ParseResult parse, IReadOnlyList<(string Title, string[]? Arguments)> steps, CancellationToken cancel)
    {
        foreach ((int i, (string title, string[]? arguments)) in steps.Index())
        {
            AnsiConsole.MarkupLineInterpolated($"\n[bold]{i + 1}/{steps.Count} {title}[/]");
            if (arguments is null) continue;
            AnsiConsole.MarkupLineInterpolated($"[dim]$ tinctor {CommandLine(arguments)}[/]");
            int code = await parse.RootCommandResult.Command.Parse(arguments).InvokeAsync(parse.InvocationConfiguration, cancel);
            if (code != 0) return code;
        }
        return 0;
    }

    private static string CommandLine(string[] arguments) =>
        string.Join(' ', arguments.Select(argument => argument.Contains(' ') ? $"\"{argument}\"" : argument));
}
