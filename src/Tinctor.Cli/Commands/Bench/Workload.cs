using System.IO.Enumeration;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>Work that is timed in Tinctor and, alternately, in a plain peer.</summary>
/// <param name="name">Name on the command line, with parts separated by colons.</param>
internal abstract class Workload(string name) : IDisposable
{
    /// <summary>Name on the command line, such as pass:ceff:512.</summary>
    public string Name => name;

    /// <summary>Whether a pattern of the command line, with * for any text, names this workload.</summary>
    public bool IsCalled(string pattern) => FileSystemName.MatchesSimpleExpression(pattern, Name);

    /// <summary>Largest wanted ratio of the times of Tinctor and the peer; null for none.</summary>
    public double? Goal { get; init; }

    /// <summary>Largest wanted time in seconds; null for none.</summary>
    public double? LargestSeconds { get; init; }

    /// <summary>
    /// Number of additions and multiplications, counted in the peer's layers with direct convolutions; null if unknown. Over the measured
    /// peak rate they are the time that the work takes at least.
    /// </summary>
    public double? Operations { get; protected set; }

    /// <summary>Prepares both sides; not timed.</summary>
    /// <exception cref="TinctorException">The work cannot be prepared.</exception>
    public virtual void Prepare()
    {
    }

    /// <summary>Does the work once in Tinctor.</summary>
    /// <returns>Elapsed seconds.</returns>
    public abstract double Run();

    /// <summary>Does the work once in the peer.</summary>
    /// <returns>Elapsed seconds; null without a peer.</returns>
    public abstract double? RunPeer();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}
