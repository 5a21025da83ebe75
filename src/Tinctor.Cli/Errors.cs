using System.CommandLine;
using System.CommandLine.Parsing;
using Tinctor.Torch;

namespace Tinctor.Cli;

/// <summary>Turns an exception into the one line that a user reads.</summary>
internal static class Errors
{
    /// <summary>"error: ..." for a user's mistake; for anything else a line that says that the fault is ours.</summary>
    public static string Describe(Exception e) => e switch
    {
        AggregateException { InnerExceptions: [Exception first, ..] } => Describe(first),
        TinctorException or IOException or UnauthorizedAccessException or FormatException or DllNotFoundException =>
            $"error: {e.Message}",
        TorchException { IsOutOfMemory: true } =>
            $"error: the device ran out of memory ({FirstLine(e)}); try a smaller crop, tile or batch",
        TorchException => $"error: libtorch refused: {FirstLine(e)} (--debug shows where)",
        OutOfMemoryException => "error: out of memory; try a smaller crop, tile or batch",
        _ => $"error: internal error, please report it: {e.GetType().Name}: {FirstLine(e)} (--debug shows where)",
    };

    /// <summary>Prints what is wrong with a command line, and where to look it up.</summary>
    /// <returns>The exit code.</returns>
    public static int Print(ParseResult parse)
    {
        var names = new List<string>();
        for (SymbolResult? result = parse.CommandResult; result is CommandResult command; result = result.Parent)
            names.Insert(0, command.Command.Name);
        // Some messages list what is allowed on lines of their own.
        IEnumerable<string> words =
            parse.Errors.SelectMany(error => error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Console.Error.WriteLine($"error: {string.Join(' ', words)} See {string.Join(' ', names)} --help");
        return 1;
    }

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0];
}
