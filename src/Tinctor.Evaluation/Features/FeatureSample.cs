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

    /// <summary>Adds vectors.</summary>
    public void Add(IEnumerable<float[]> vectors)
    {
        foreach (float[] vector in vectors)
        {
            if (rows.Count < capacity) rows.Add(vector);
            else if (random.NextInt64(seen + 1) is var place && place < capacity) rows[(int)place] = vector;
            seen++;
        }
    }

    /// <summary>The sample as a matrix [Count, D].</summary>
    public FeatureMatrix ToMatrix() => FeatureMatrix.FromRows(rows);
}
