using System.Collections.Concurrent;

namespace Tinctor.Evaluation.Data;

/// <summary>
/// Collects what is wrong with the inputs, so that a user hears of everything at once (of the first twenty, and how many more). Safe for
/// several threads.
/// </summary>
internal sealed class Problems
{
    private const int Shown = 20;
    private readonly ConcurrentQueue<string> lines = new();

    public void Add(string line) => lines.Enqueue(line);

    /// <exception cref="TinctorException">There are problems; one line each.</exception>
    public void ThrowIfAny(string consequence)
    {
        if (lines.IsEmpty)
            return;
        string count = lines.Count == 1 ? "1 problem" : $"{lines.Count} problems";
        string list = string.Join("\n  ", lines.Order(StringComparer.Ordinal).Take(Shown))
            + (lines.Count > Shown ? $"\n  and {lines.Count - Shown} more" : "");
        throw new TinctorException($"{count} with the images, {consequence}:\n  {list}");
    }
}
