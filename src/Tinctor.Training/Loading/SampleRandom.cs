namespace Tinctor.Training.Loading;

/// <summary>
/// Random numbers that are a pure function of (seed, epoch, index): SplitMix64 (Steele, Lea, Flood 2014), started from the three numbers.
/// No state is shared, so the order in which samples are made does not matter, and a resumed run draws what an uninterrupted one would.
/// </summary>
internal struct SampleRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;
    private ulong state;

    /// <summary>The stream of one sample in one epoch.</summary>
    public SampleRandom(ulong seed, int epoch, int index) =>
        state = Mix(Mix(Mix(seed) + ((ulong)epoch * Golden)) + ((ulong)(uint)index * Golden));

    /// <summary>The next 64 bits.</summary>
    public ulong Next() => Mix(state += Golden);

    /// <summary>Uniform in [0, 1), with 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>A whole number from 0 to <paramref name="count"/> - 1, each with the same chance up to 2^-32.</summary>
    public int Next(int count) => (int)(((Next() >> 32) * (ulong)count) >> 32);

    /// <summary>0 to <paramref name="count"/> - 1 in the order of one epoch (Fisher and Yates).</summary>
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
