using System.Text;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Tests;

/// <summary>
/// Weights and images by formula, as tests/vectors/make_features.py and the shared vectors make them: splitmix64 of the place, from the
/// CRC-32 of the name.
/// </summary>
internal static class Formula
{
    /// <summary>An image or input: numbers in [-1, 1) from its name.</summary>
    public static Tensor Input(string name, params long[] shape) => Make(name, shape, _ => 1, u => u);

    /// <summary>A weight by its key: scaled by its fan-in and a gain; biases small, statistics near 0 and 1.</summary>
    public static Tensor Weight(string key, long[] shape, double gain = 1)
    {
        if (key.EndsWith("running_mean")) return Make(key, shape, _ => 0.1, u => u);
        if (key.EndsWith("running_var")) return Make(key, shape, _ => 1, u => 1 + (0.5 * u));
        if (shape.Length >= 2) return Make(key, shape, n => Math.Sqrt(3 / (n / (double)shape[0])) * gain, u => u);
        return key.EndsWith(".bias") ? Make(key, shape, _ => 0.1, u => u) : Make(key, shape, _ => 1, u => 1 + (0.1 * u));
    }

    /// <summary>The weights of a network by the keys of its state dictionary, with a gain.</summary>
    public static Dictionary<string, Tensor> Weights(Module network, double gain = 1) => network.state_dict()
        .Where(entry => entry.Value.is_floating_point())
        .ToDictionary(entry => entry.Key, entry => Weight(entry.Key, entry.Value.shape, gain));

    private static Tensor Make(string name, long[] shape, Func<long, double> scale, Func<double, double> map)
    {
        ulong seed = Crc32(name);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        double factor = scale(values.Length);
        for (int j = 0; j < values.Length; j++)
        {
            ulong z = seed + ((ulong)(j + 1) * 0x9E3779B97F4A7C15);
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            z ^= z >> 31;
            values[j] = (float)(map(((z >> 40) / 16777216.0 * 2) - 1) * factor);
        }
        return torch.tensor<float>(values, shape);
    }

    private static uint Crc32(string text)
    {
        uint crc = ~0u;
        foreach (byte b in Encoding.UTF8.GetBytes(text))
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }
        return ~crc;
    }
}
