using Tinctor.Tests;
using Tinctor.Torch.Serialization;

namespace Tinctor.Torch.Tests;

/// <summary>Reference numbers of tests/vectors/torch, and how close the engine must come to them.</summary>
internal static class Vectors
{
    public static string Path(string name) => TestVectors.Path("torch/" + name);

    /// <summary>The tensors whose names start with "group/", without it.</summary>
    public static OrderedDictionary<string, Tensor> Load(string file, string group)
    {
        OrderedDictionary<string, Tensor> all = SafeTensors.Load(Path(file)), chosen = [];
        foreach ((string key, Tensor tensor) in all)
        {
            if (key.StartsWith(group + "/", StringComparison.Ordinal)) chosen.Add(key[(group.Length + 1)..], tensor);
        }
        return chosen;
    }

    /// <summary>Shapes, types and values agree: |actual - expected| &lt;= atol + rtol * |expected|.</summary>
    public static void AssertClose(Tensor expected, Tensor actual, string what, double rtol = 1e-5, double atol = 1e-6)
    {
        using var scope = torch.NewDisposeScope();
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{what}: {actual.ShapeText}, expected {expected.ShapeText}");
        Assert.Equal(expected.dtype, actual.dtype);
        Tensor a = actual.detach().@double(), e = expected.detach().@double();
        if (!torch.allclose(a, e, rtol, atol, equal_nan: true)) Assert.Fail($"{what}: differs by up to {(a - e).abs().max().item():G4}");
    }
}
