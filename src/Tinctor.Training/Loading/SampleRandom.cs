namespace Tinctor.Training.Loading;

/// <summary>
/// Random numbers as a pure function of (seed, epoch, index): SplitMix64 (Steele, Lea, Flood 2014). No state is shared, so draws do not
/// depend on the order of samples, and a resumed run draws the same numbers.
/// </summary>
internal struct SampleRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;
    private ulong state;

    /// <summary>Creates the stream of a sample in an epoch.</summary>
    public SampleRandom(ulong seed, int epoch, int index) =>
        state = Mix(Mix(Mix(seed) + ((ulong)epoch * Golden)) + ((ulong)(uint)index * Golden));

    /// <summary>Draws 64 bits.</summary>
    public ulong Next() => Mix(state += Golden);

    /// <summary>Draws a uniform number in [0, 1), with 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Draws a uniform number in [low, high).</summary>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Draws a uniform integer from 0 to <paramref name="count"/> - 1.</summary>
    public int Next(int count) => (int)(((Next() >> 32) * (ulong)count) >> 32);

    /// <summary>Permutes 0 to <paramref name="count"/> - 1 for an epoch (Fisher-Yates shuffle).</summary>
    public static int[] Permutation(ulong seed, int epoch, int count)
    {
        var random = new SampleRandom(seed, epoch, -1);
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
