using System.CommandLine;
using Spectre.Console;

namespace Tinctor.Cli;

/// <summary>
/// Output of a command: results go to <see cref="Out"/> (stdout); progress, notes, warnings and errors go to <see cref="Error"/> (stderr).
/// The static members belong to the running command, so that several commands can run in one process.
/// </summary>
internal sealed class Terminal
{
    /// <summary>Width of text that goes into a file or pipe: lines are not broken there.</summary>
    private const int Unlimited = 1000;

    private static readonly AsyncLocal<Terminal?> Running = new();
    private static readonly AsyncLocal<Command?> RunningCommand = new();

    private readonly IAnsiConsole results, messages;

    private Terminal(TextWriter output, TextWriter error, bool outIsPlain, bool errorIsPlain)
    {
        (ResultWriter, ErrorWriter) = (output, error);
        (results, messages) = (CreateConsole(output, outIsPlain), CreateConsole(error, errorIsPlain));
    }

    /// <summary>Writer for results of the running command.</summary>
    public static TextWriter Out => Current.ResultWriter;

    /// <summary>Writer for messages of the running command.</summary>
    public static TextWriter Error => Current.ErrorWriter;

    /// <summary>Console for tables and styled results of the running command.</summary>
    public static IAnsiConsole Results => Current.results;

    /// <summary>Console for progress and styled messages of the running command.</summary>
    public static IAnsiConsole Messages => Current.messages;

    /// <summary>The running command; null outside of commands.</summary>
    public static Command? Command
    {
        get => RunningCommand.Value;
        set => RunningCommand.Value = value;
    }

    /// <summary>Width of the terminal in columns.</summary>
    public static int Width => Results.Profile.Width;

    /// <summary>Whether a signal (Ctrl-C) cancels the command.</summary>
    public bool HandlesSignals { get; private init; }

    private static Terminal Current => Running.Value ?? throw new InvalidOperationException("No command is running.");

    private TextWriter ResultWriter { get; }

    private TextWriter ErrorWriter { get; }

    /// <summary>
    /// Creates the terminal of this process. Escape codes are written neither into pipes and files nor with NO_COLOR or TERM=dumb.
    /// </summary>
    public static Terminal ForProcess()
    {
        bool plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
            || Environment.GetEnvironmentVariable("TERM") == "dumb";
        return new(Console.Out, Console.Error, plain || Console.IsOutputRedirected, plain
            || Console.IsErrorRedirected)
        { HandlesSignals = true };
    }

    /// <summary>Creates a terminal that writes plain text.</summary>
    /// <param name="output">Receives results.</param>
    /// <param name="error">Receives messages.</param>
    public static Terminal ForText(TextWriter output, TextWriter error) =>
        new(TextWriter.Synchronized(output), TextWriter.Synchronized(error), outIsPlain: true, errorIsPlain: true);

    /// <summary>Makes this the terminal of the running command and of all tasks that it starts.</summary>
    /// <returns>Restores the previous terminal when disposed.</returns>
    public IDisposable Use()
    {
        var previous = new Previous(Running.Value, RunningCommand.Value);
        Running.Value = this;
        return previous;
    }

    /// <summary>Writes a note from any thread, also from one that runs no command.</summary>
    public void WriteNote(string text) => messages.MarkupLine($"[dim]{Markup.Escape(text)}[/]");

    /// <summary>Writes a line of the result.</summary>
    public static void Result(string text = "") => Out.WriteLine(text);

    /// <summary>Writes a note about what the command does.</summary>
    public static void Note(string text) => WriteMessage($"[dim]{Markup.Escape(text)}[/]");

    /// <summary>Writes a warning.</summary>
    public static void Warning(string text) => WriteMessage($"[yellow]warning:[/] {Markup.Escape(text)}");

    /// <summary>Writes a problem that does not end the command at once.</summary>
    public static void Problem(string text) => WriteMessage($"[red]error:[/] {Markup.Escape(text)}");

    private static void WriteMessage(string markup) => Messages.MarkupLine(markup);

    private static IAnsiConsole CreateConsole(TextWriter writer, bool isPlain)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isPlain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isPlain ? InteractionSupport.No : InteractionSupport.Detect,
            Out = new AnsiConsoleOutput(writer),
        });
        // Paths are not broken in files and pipes.
        if (isPlain) (console.Profile.Width, console.Profile.Capabilities.Links) = (Unlimited, false);
        return console;
    }

    private sealed class Previous(Terminal? terminal, Command? command) : IDisposable
    {
        public void Dispose() => (Running.Value, RunningCommand.Value) = (terminal, command);
    }
}
