using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Transformed kernels that convolutions with equal weights share, in one network or several. They are freed with the last convolution.
/// </summary>
internal static class SharedKernels
{
    private static readonly Dictionary<string, WeakReference<float[]>> Known = [];
    private static readonly Lock Transforming = new();

    /// <summary>Transforms weights.</summary>
    public delegate float[] Transformation(ReadOnlySpan<float> weights);

    /// <summary>Gets the kernels of weights, transformed once.</summary>
    /// <param name="weights">Weights of a convolution.</param>
    /// <param name="form">Form of the transformed kernels.</param>
    /// <param name="transform">Transforms them.</param>
    public static float[] Get(ReadOnlySpan<float> weights, string form, Transformation transform)
    {
        string key = $"{form}:" + Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(weights)));
        lock (Transforming)
        {
            if (Known.TryGetValue(key, out WeakReference<float[]>? known) && known.TryGetTarget(out float[]? kernels)) return kernels;
            float[] transformed = transform(weights);
            Known[key] = new(transformed);
            return transformed;
        }
    }
}
