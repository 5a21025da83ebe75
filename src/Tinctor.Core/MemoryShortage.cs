namespace Tinctor.Core;

/// <summary>Errors of .NET, libtorch and ONNX Runtime about memory.</summary>
internal static class MemoryShortage
{
    // The native libraries report it only in the text of their messages.
    private static readonly string[] Phrases =
    [
        "out of memory", "not enough memory", "insufficient memory", "can't allocate memory", "cannot allocate memory",
        "failed to allocate memory", "bad_alloc", "bad allocation", "OutOfMemoryException",
    ];

    /// <summary>Whether an exception, or one that caused it, means that memory could not be allocated.</summary>
    public static bool IsCause(Exception e) => e is OutOfMemoryException or InsufficientMemoryException
        || Phrases.Any(phrase => e.Message.Contains(phrase, StringComparison.OrdinalIgnoreCase))
        || (e is AggregateException many ? many.InnerExceptions.Any(IsCause) : e.InnerException is { } inner && IsCause(inner));
}
