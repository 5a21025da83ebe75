namespace Tinctor.Tests;

/// <summary>Tests that run with no other beside them: those that seed libtorch's one default generator, and those that measure
/// the memory of the process.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
