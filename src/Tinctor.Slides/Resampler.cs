using System.Numerics;
using System.Runtime.Intrinsics;

namespace Tinctor.Slides;

/// <summary>
/// Separable resampling as in Pillow: pixel areas are aligned, the kernel widens when the image shrinks, weights are truncated at the edges
/// and normalised to a sum of one. Computed in single precision: the integer kernels of libvips drift (a flat 123 becomes 120 at large
/// factors), and its enlargement is shifted by part of a pixel.
/// </summary>
internal static class Resampler
{
    // Samples after the end of a row, so that whole vectors can be read and written everywhere.
    private const int Padding = 3;

    public static Image Resize(Image source, int width, int height, ResizeKernel kernel) => Resample(source,
        new Taps(0, source.Width, 0, width, (double)source.Width / width, kernel),
        new Taps(0, source.Height, 0, height, (double)source.Height / height, kernel));

    /// <summary>Resizes an image to samples that are neither rounded nor clamped, such as 0 to 255, [Channels, height, width].</summary>
    /// <param name="source">The image.</param>
    /// <param name="width">New width in pixels.</param>
    /// <param name="height">New height in pixels.</param>
    /// <param name="kernel">Interpolation kernel.</param>
    /// <param name="antialias">Whether the kernel widens when the image shrinks; PyTorch's interpolate does not by default.</param>
    public static float[] ResizeToFloats(Image source, int width, int height, ResizeKernel kernel, bool antialias = true)
    {
        var planes = new float[source.Channels * width * height];
        Resample(source, new Taps(0, source.Width, 0, width, (double)source.Width / width, kernel, antialias),
            new Taps(0, source.Height, 0, height, (double)source.Height / height, kernel, antialias), (y, row) =>
            {
                for (int i = 0, x = 0; x < width; x++)
                {
                    for (var c = 0; c < source.Channels; c++, i++)
                    {
                        planes[(c * height + y) * width + x] = row[i];
                    }
                }
            });
        return planes;
    }

    /// <summary>Resamples a part of a larger image; the value of a pixel does not depend on the part.</summary>
    /// <param name="source">Part of the larger image that covers the support of the kernel.</param>
    /// <param name="left">Left edge of the source in the larger image.</param>
    /// <param name="top">Upper edge of the source in the larger image.</param>
    /// <param name="scale">Pixels of the larger image per pixel of the result.</param>
    /// <param name="x">Left edge of the result, in pixels of the whole resampled image.</param>
    /// <param name="y">Upper edge of the result, in pixels of the whole resampled image.</param>
    /// <param name="width">Width of the result in pixels.</param>
    /// <param name="height">Height of the result in pixels.</param>
    /// <param name="kernel">Interpolation kernel.</param>
    public static Image Window(Image source, int left, int top, double scale, int x, int y, int width, int height, ResizeKernel kernel) =>
        Resample(source, new Taps(left, source.Width, x, width, scale, kernel), new Taps(top, source.Height, y, height, scale, kernel));

    /// <summary>Support of the kernel on either side of a pixel, in source pixels.</summary>
    public static int Reach(double scale, ResizeKernel kernel) => (int)Math.Ceiling(Radius(kernel) * Math.Max(scale, 1)) + 1;

    private static Image Resample(Image source, Taps across, Taps down)
    {
        var result = new Image(across.Count, down.Count, source.Channels, source.SampleType);
        Resample(source, across, down, (y, row) => result.WriteRow(y, row));
        return result;
    }

    private static void Resample(Image source, Taps across, Taps down, Action<int, float[]> receive)
    {
        var samples = across.Count * source.Channels;
        var line = new float[source.Width * source.Channels + Padding];
        var sum = new float[samples];
        // Source rows at the new width, as long as the kernel needs them, in a ring.
        float[][] rows = [.. Enumerable.Range(0, down.Longest).Select(_ => new float[samples + Padding])];
        var read = 0;
        for (var y = 0; y < down.Count; y++)
        {
            var (first, weights) = down[y];
            for (read = Math.Max(read, first); read < first + weights.Length; read++)
            {
                source.ReadRow(read, line.AsSpan(..^Padding));
                Across(line, rows[read % rows.Length], across, source.Channels);
            }
            Array.Clear(sum);
            for (var i = 0; i < weights.Length; i++)
            {
                AddScaled(rows[(first + i) % rows.Length].AsSpan(..samples), weights[i], sum);
            }
            receive(y, sum);
        }
    }

    // Four samples at a time, of which those after the last channel are not used.
    private static void Across(float[] line, float[] row, Taps taps, int channels)
    {
        for (var x = 0; x < taps.Count; x++)
        {
            var (first, weights) = taps[x];
            for (var c = 0; c < channels; c += Vector128<float>.Count)
            {
                var sum = Vector128<float>.Zero;
                for (int i = 0, j = first * channels + c; i < weights.Length; i++, j += channels)
                {
                    sum += Vector128.Create(line, j) * weights[i];
                }
                sum.CopyTo(row, x * channels + c);
            }
        }
    }

    private static void AddScaled(ReadOnlySpan<float> row, float weight, Span<float> sum)
    {
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(sum[i..]) + new Vector<float>(row[i..]) * weight).CopyTo(sum[i..]);
        }
        for (; i < row.Length; i++)
        {
            sum[i] += row[i] * weight;
        }
    }

    /// <summary>First source pixel and weights of each target pixel.</summary>
    private sealed class Taps
    {
        private readonly (int First, float[] Weights)[] taps;

        // Positions are those of the whole image, in which the source starts at origin.
        public Taps(int origin, int source, int first, int target, double scale, ResizeKernel kernel, bool antialias = true)
        {
            taps = new (int, float[])[target];
            for (var i = 0; i < target; i++)
            {
                var centre = (first + i + 0.5) * scale;
                var (start, weights) = kernel == ResizeKernel.Nearest
                    ? (Math.Min((int)centre, origin + source - 1), [1f])
                    : Around(centre, antialias ? Math.Max(scale, 1) : 1, origin, origin + source, kernel);
                taps[i] = (start - origin, weights);
            }
        }

        public int Count => taps.Length;

        /// <summary>Largest number of weights.</summary>
        public int Longest => taps.Max(tap => tap.Weights.Length);

        public (int First, float[] Weights) this[int target] => taps[target];

        private static (int First, float[] Weights) Around(double centre, double widening, int origin, int end, ResizeKernel kernel)
        {
            var radius = Radius(kernel) * widening;
            var first = Math.Max(origin, (int)Math.Floor(centre - radius + 0.5));
            end = Math.Min(end, (int)Math.Floor(centre + radius + 0.5));
            var weights = new double[end - first];
            for (var i = 0; i < weights.Length; i++)
            {
                weights[i] = Weight(kernel, Math.Abs((first + i + 0.5 - centre) / widening));
            }
            var sum = weights.Sum();
            return (first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
        }
    }

    private static int Radius(ResizeKernel kernel) => kernel switch
    {
        ResizeKernel.Linear => 1,
        ResizeKernel.Cubic => 2,
        ResizeKernel.Lanczos3 => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(kernel), kernel, "no such kernel"),
    };

    private static double Weight(ResizeKernel kernel, double x) => kernel switch
    {
        _ when x >= Radius(kernel) => 0,
        ResizeKernel.Linear => 1 - x,
        ResizeKernel.Cubic => x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2,
        _ => Sinc(x) * Sinc(x / 3),
    };

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
