using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Tests;

/// <summary>One folder of reference numbers: inputs and outputs of an official implementation, and its weights.</summary>
internal sealed class Vectors
{
    private readonly string name;
    private readonly OrderedDictionary<string, Tensor> io;

    private Vectors(string name)
    {
        this.name = name;
        io = SafeTensors.Load(TestVectors.Path($"{name}/io.safetensors"));
    }

    /// <summary>Reads tests/vectors/NAME.</summary>
    public static Vectors Read(string name) => new(name);

    /// <summary>A tensor of io.safetensors.</summary>
    public Tensor this[string key] => io[key];

    public IEnumerable<string> Keys => io.Keys;

    public OrderedDictionary<string, Tensor> Weights() => PthReader.LoadStateDict(TestVectors.Path($"{name}/weights.pth"));

    /// <summary>The part of the weights whose keys start with a prefix, without it.</summary>
    public Dictionary<string, Tensor> Weights(string prefix) => Weights().Where(pair => pair.Key.StartsWith(prefix))
        .ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value);

    /// <summary>
    /// Holds a tensor against the vector: the largest difference is at most a share of the largest value, plus an absolute floor.
    /// </summary>
    public void Check(string key, Tensor actual, double tolerance, double floor = 0) => Close(this[key], actual, key, tolerance, floor);

    public static void Close(Tensor expected, Tensor actual, string what, double tolerance, double floor = 0)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.True(expected.shape.SequenceEqual(actual.shape),
            $"{what}: shape [{string.Join(", ", actual.shape)}] instead of [{string.Join(", ", expected.shape)}]");
        Tensor wanted = expected.to(ScalarType.Float64);
        double difference = (wanted - actual.detach().to(ScalarType.Float64)).abs().max().item();
        double allowed = tolerance * wanted.abs().max().item() + floor;
        Assert.True(difference <= allowed, $"{what}: differs by {difference:G3}, {allowed:G3} is allowed");
    }
}
