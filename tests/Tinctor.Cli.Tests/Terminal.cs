namespace Tinctor.Cli.Tests;

/// <summary>Tests that run a command within their own process, one after the other: a terminal shows one progress display at a time.</summary>
[CollectionDefinition(Name)]
public sealed class Terminal
{
    public const string Name = "terminal";
}
