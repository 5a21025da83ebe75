using Tinctor.Torch;

namespace Tinctor.Cli;

/// <summary>Turns an exception into the one line that a user reads.</summary>
internal static class Errors
{
    /// <summary>"error: ..." for a user's mistake; for anything else a line that says that the fault is ours.</summary>
    public static string Describe(Exception e) => e switch
    {
        AggregateException { InnerExceptions: [Exception only] } => Describe(only),
        InvalidDataException or IOException or UnauthorizedAccessException or FormatException or DllNotFoundException => $"error: {e.Message}",
        TorchException when e.Message.Contains("out of memory") || e.Message.Contains("not enough memory") =>
            $"error: the device ran out of memory ({FirstLine(e)}); try a smaller crop, tile or batch",
        TorchException => $"error: libtorch refused: {FirstLine(e)} (--debug shows where)",
        OutOfMemoryException => "error: out of memory; try a smaller crop, tile or batch",
        _ => $"error: internal error, please report it: {e.GetType().Name}: {FirstLine(e)} (--debug shows where)",
    };

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0];
}
