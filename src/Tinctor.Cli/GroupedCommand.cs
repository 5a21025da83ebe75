using System.CommandLine;

namespace Tinctor.Cli;

/// <summary>A command whose options have headings in the help.</summary>
internal sealed class GroupedCommand(string name, string description) : Command(name, description)
{
    private readonly List<(string Heading, IReadOnlyList<Option> Options)> groups = [];

    /// <summary>Headings with their options, in the order of the help.</summary>
    public IReadOnlyList<(string Heading, IReadOnlyList<Option> Options)> Groups => groups;

    /// <summary>Adds options under a heading; a collection initializer calls this.</summary>
    public void Add(string heading, params IEnumerable<Option> options)
    {
        Option[] added = [.. options];
        foreach (Option option in added) Add(option);
        groups.Add((heading, added));
    }
}
