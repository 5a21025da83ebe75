using System.Numerics;

namespace Tinctor.Slides.Masks;

/// <summary>Gaussian smoothing of a plane.</summary>
internal static class GaussianFilter
{
    /// <summary>Returns a smoothed copy. The kernel is truncated at three sigma; edges are mirrored.</summary>
    /// <param name="plane">Plane, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="sigma">Standard deviation in pixels; 0 for no smoothing.</param>
    public static float[] Smooth(ReadOnlySpan<float> plane, int width, int height, double sigma)
    {
        if (sigma <= 0) return plane.ToArray();
        float[] kernel = Kernel(sigma);
        return Columns(Rows(plane, width, height, kernel), width, height, kernel);
    }

    /// <summary>Radius of the kernel in pixels.</summary>
    public static int Radius(double sigma) => sigma <= 0 ? 0 : (int)Math.Ceiling(3 * sigma);

    // Half of the symmetric kernel, from the centre.
    private static float[] Kernel(double sigma)
    {
        double[] weights = [.. Enumerable.Range(0, Radius(sigma) + 1).Select(i => Math.Exp(-i * i / (2 * sigma * sigma)))];
        double sum = weights[0] + (2 * weights.Skip(1).Sum());
        return Array.ConvertAll(weights, weight => (float)(weight / sum));
    }

    private static float[] Rows(ReadOnlySpan<float> plane, int width, int height, float[] kernel)
    {
        int radius = kernel.Length - 1;
        var smooth = new float[plane.Length];
        var padded = new float[width + (2 * radius)];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> row = plane.Slice(y * width, width);
            for (int x = 0; x < padded.Length; x++) padded[x] = row[Mirror(x - radius, width)];
            Span<float> target = smooth.AsSpan(y * width, width);
            for (int k = -radius; k <= radius; k++) AddScaled(target, padded.AsSpan(radius + k, width), kernel[Math.Abs(k)]);
        }
        return smooth;
    }

    private static float[] Columns(float[] plane, int width, int height, float[] kernel)
    {
        int radius = kernel.Length - 1;
        var smooth = new float[plane.Length];
        for (int y = 0; y < height; y++)
        {
            Span<float> target = smooth.AsSpan(y * width, width);
            for (int k = -radius; k <= radius; k++)
                AddScaled(target, plane.AsSpan(Mirror(y + k, height) * width, width), kernel[Math.Abs(k)]);
        }
        return smooth;
    }

    // Each product is rounded before it is added, with vectors as without.
    private static void AddScaled(Span<float> target, ReadOnlySpan<float> source, float weight)
    {
        int i = 0;
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Span<float> part = target.Slice(i, Vector<float>.Count);
            (new Vector<float>(part) + (new Vector<float>(source.Slice(i, Vector<float>.Count)) * weight)).CopyTo(part);
        }
        for (; i < target.Length; i++) target[i] += source[i] * weight;
    }

    // Mirrors with the edge pixel repeated: 0 1 2 | 2 1 0.
    private static int Mirror(int i, int size)
    {
        int period = 2 * size;
        i = ((i % period) + period) % period;
        return i < size ? i : period - 1 - i;
    }
}
