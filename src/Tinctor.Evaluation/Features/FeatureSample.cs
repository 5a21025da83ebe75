using Tinctor.Torch;

namespace Tinctor.Evaluation.Features;

/// <summary>
/// Uniform random sample of a stream of feature vectors (Vitter's algorithm R, 1985), which bounds the memory of metrics that need the
/// vectors themselves. Contains all vectors up to its capacity.
/// </summary>
/// <param name="capacity">The most vectors kept.</param>
/// <param name="seed">Start of the random choices.</param>
internal sealed class FeatureSample(int capacity, int seed)
{
    private readonly List<float[]> rows = [];
    private readonly Random random = new(seed);
    private long seen;

    /// <summary>Number of vectors in the sample.</summary>
    public int Count => rows.Count;

    /// <summary>Adds vectors [N, D].</summary>
    public void Add(Tensor features)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor batch = features.to(Device.CPU).to(ScalarType.Float32).contiguous();
        int dimension = (int)batch.size(1);
        ReadOnlySpan<float> values = batch.data<float>();
        for (int i = 0; i < batch.size(0); i++, seen++)
        {
            float[] row = values.Slice(i * dimension, dimension).ToArray();
            if (rows.Count < capacity) rows.Add(row);
            else if (random.NextInt64(seen + 1) is var place && place < capacity) rows[(int)place] = row;
        }
    }

    /// <summary>The sample as a float64 tensor [Count, D].</summary>
    public Tensor ToTensor()
    {
        int dimension = rows[0].Length;
        Tensor tensor = torch.empty([rows.Count, dimension], ScalarType.Float64);
        Span<double> values = tensor.data<double>();
        for (int i = 0; i < rows.Count; i++)
            for (int k = 0; k < dimension; k++) values[(i * dimension) + k] = rows[i][k];
        return tensor;
    }
}
