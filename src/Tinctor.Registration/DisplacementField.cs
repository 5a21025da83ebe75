using System.Runtime.Intrinsics;
using Tinctor.Slides;

namespace Tinctor.Registration;

/// <summary>
/// A smooth map of source to target pixels: shifts on a regular grid, bilinear in between and constant beyond its edge.
/// The tissue at source pixel (x, y) is at target pixel (x + dx, y + dy).
/// </summary>
public sealed class DisplacementField
{
    private const double FillRadius = 1.5; // of the grid's spacing

    private readonly double[] xs, ys, dx, dy;

    private DisplacementField(double[] xs, double[] ys, double[] dx, double[] dy) => (this.xs, this.ys, this.dx, this.dy) = (xs, ys, dx, dy);

    /// <summary>The largest shift along an axis, in pixels.</summary>
    public double Largest => dx.Concat(dy).Max(Math.Abs);

    /// <summary>
    /// A field through the reliable windows: each is the median of its reliable neighbourhood, so that a lone wrong one does no harm; the
    /// others are means of the near ones. Null where none is reliable.
    /// </summary>
    internal static DisplacementField? Through(IReadOnlyList<WindowShift> shifts, double[] xs, double[] ys)
    {
        if (!shifts.Any(s => s.Reliable)) return null;
        int columns = xs.Length;
        (int C, int R)[] nodes = [.. shifts.Select((_, i) => (i % columns, i / columns))];
        int[] reliable = [.. Enumerable.Range(0, shifts.Count).Where(i => shifts[i].Reliable)];
        var steady = reliable.ToDictionary(i => i, i =>
        {
            var near = reliable.Where(k => Math.Abs(nodes[k].C - nodes[i].C) <= 1 && Math.Abs(nodes[k].R - nodes[i].R) <= 1).ToArray();
            return (X: Median.Of(near.Select(k => shifts[k].Shift.X)), Y: Median.Of(near.Select(k => shifts[k].Shift.Y)));
        });
        (double X, double Y) Of(int i)
        {
            if (steady.TryGetValue(i, out var own)) return own;
            double x = 0, y = 0, weights = 0;
            foreach (var (k, shift) in steady)
            {
                double distance = double.Hypot(nodes[k].C - nodes[i].C, nodes[k].R - nodes[i].R);
                double weight = Math.Exp(-distance * distance / (2 * FillRadius * FillRadius)) + 1e-12;
                (x, y, weights) = (x + (weight * shift.X), y + (weight * shift.Y), weights + weight);
            }
            return (x / weights, y / weights);
        }
        var all = nodes.Select((_, i) => Of(i)).ToArray();
        return new(xs, ys, [.. all.Select(s => s.X)], [.. all.Select(s => s.Y)]);
    }

    /// <summary>
    /// The target as it lies on the source: bicubic (a = -0.75, as torch grid_sample), edges repeated. 8-bit RGB; a pixel is one vector,
    /// which takes a tenth of the time of planes.
    /// </summary>
    public Image Apply(Image target)
    {
        var (width, height) = (target.Width, target.Height);
        var pixels = new Vector128<float>[width * height];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = Vector128.Create(target.Data[3 * i], target.Data[(3 * i) + 1], target.Data[(3 * i) + 2], 0f);
        var warped = new Image(width, height, 3);
        var columns = Enumerable.Range(0, width).Select(x => Between(xs, x)).ToArray();
        for (int y = 0; y < height; y++)
        {
            var (acrossX, acrossY) = Across(y);
            for (int x = 0; x < width; x++)
            {
                var (column, beyond) = columns[x];
                int next = Math.Min(column + 1, xs.Length - 1);
                double u = x + acrossX[column] + (beyond * (acrossX[next] - acrossX[column]));
                double v = y + acrossY[column] + (beyond * (acrossY[next] - acrossY[column]));
                Store(Sample(pixels, width, height, u, v), warped.Data.AsSpan(3 * ((y * width) + x), 3));
            }
        }
        return warped;
    }

    // The grid's columns at a row of pixels.
    private (double[] X, double[] Y) Across(int y)
    {
        var (row, below) = Between(ys, y);
        int first = row * xs.Length, next = Math.Min(row + 1, ys.Length - 1) * xs.Length;
        double[] Mix(double[] of) => [.. Enumerable.Range(0, xs.Length).Select(c => of[first + c] + (below * (of[next + c] - of[first + c])))];
        return (Mix(dx), Mix(dy));
    }

    private static Vector128<float> Sample(Vector128<float>[] pixels, int width, int height, double u, double v)
    {
        var (left, top) = ((int)Math.Floor(u), (int)Math.Floor(v));
        Vector128<float> across = Cubic((float)(u - left)), down = Cubic((float)(v - top)), sum = default;
        int a = Math.Clamp(left - 1, 0, width - 1), b = Math.Clamp(left, 0, width - 1);
        int c = Math.Clamp(left + 1, 0, width - 1), d = Math.Clamp(left + 2, 0, width - 1);
        for (int k = 0; k < 4; k++)
        {
            int row = Math.Clamp(top - 1 + k, 0, height - 1) * width;
            Vector128<float> line = (pixels[row + a] * across[0]) + (pixels[row + b] * across[1])
                + (pixels[row + c] * across[2]) + (pixels[row + d] * across[3]);
            sum += line * down[k];
        }
        return sum;
    }

    // Weights of the four pixels around a place that is t beyond the second.
    private static Vector128<float> Cubic(float t)
    {
        const float a = -0.75f;
        float Near(float s) => ((((a + 2) * s) - (a + 3)) * s * s) + 1;
        float Far(float s) => (((((a * s) - (5 * a)) * s) + (8 * a)) * s) - (4 * a);
        return Vector128.Create(Far(t + 1), Near(t), Near(1 - t), Far(2 - t));
    }

    private static void Store(Vector128<float> rgb, Span<byte> to)
    {
        Vector128<float> rounded = Vector128.Min(Vector128.Max(rgb, Vector128<float>.Zero), Vector128.Create(255f)) + Vector128.Create(0.5f);
        (to[0], to[1], to[2]) = ((byte)rounded[0], (byte)rounded[1], (byte)rounded[2]);
    }

    // The node at or before a position, and how far it is to the next one.
    private static (int Node, double Fraction) Between(double[] nodes, double position)
    {
        int node = 0;
        while (node < nodes.Length - 2 && nodes[node + 1] <= position) node++;
        return (node, nodes.Length < 2 ? 0 : Math.Clamp((position - nodes[node]) / (nodes[node + 1] - nodes[node]), 0, 1));
    }
}
