using Tinctor.Tests;

namespace Tinctor.Torch.Tests.Serialization;

/// <summary>Checkpoints that tests read.</summary>
internal static class TestFiles
{
    /// <summary>Returns the full path of a file of tests/vectors/serialization.</summary>
    public static string Vector(string name) => TestVectors.Path("serialization/" + name);
}
