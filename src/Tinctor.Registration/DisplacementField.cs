using Tinctor.Slides;
using Tinctor.Torch;

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

    /// <summary>The target as it lies on the source: bicubic (a = -0.75, as torch grid_sample), edges repeated. 8-bit RGB.</summary>
    public Image Apply(Image target)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        Tensor grid = torch.empty([1, target.Height, target.Width, 2]);
        Fill(grid.data<float>(), target.Width, target.Height);
        Tensor warped = F.grid_sample(target.ToTensor().unsqueeze(0), grid, "bicubic", "border", align_corners: true);
        return Image.FromTensor(warped, ValueRange.ZeroToOne, target.SampleType);
    }

    // grid_sample's grid, -1 to 1 from the first to the last pixel's centre.
    private void Fill(Span<float> grid, int width, int height)
    {
        var columns = Enumerable.Range(0, width).Select(x => Between(xs, x)).ToArray();
        var (acrossX, acrossY) = (new double[xs.Length], new double[xs.Length]);
        for (int y = 0, at = 0; y < height; y++)
        {
            var (row, below) = Between(ys, y);
            for (int c = 0; c < xs.Length; c++)
            {
                int i = (row * xs.Length) + c, next = Math.Min(row + 1, ys.Length - 1) * xs.Length + c;
                acrossX[c] = dx[i] + (below * (dx[next] - dx[i]));
                acrossY[c] = dy[i] + (below * (dy[next] - dy[i]));
            }
            for (int x = 0; x < width; x++, at += 2)
            {
                var (column, beyond) = columns[x];
                int next = Math.Min(column + 1, xs.Length - 1);
                double u = x + acrossX[column] + (beyond * (acrossX[next] - acrossX[column]));
                double v = y + acrossY[column] + (beyond * (acrossY[next] - acrossY[column]));
                grid[at] = (float)((u * 2 / Math.Max(1, width - 1)) - 1);
                grid[at + 1] = (float)((v * 2 / Math.Max(1, height - 1)) - 1);
            }
        }
    }

    // The node at or before a position, and how far it is to the next one.
    private static (int Node, double Fraction) Between(double[] nodes, double position)
    {
        int node = 0;
        while (node < nodes.Length - 2 && nodes[node + 1] <= position) node++;
        return (node, nodes.Length < 2 ? 0 : Math.Clamp((position - nodes[node]) / (nodes[node + 1] - nodes[node]), 0, 1));
    }
}
