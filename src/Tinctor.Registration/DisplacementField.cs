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

    /// <summary>
    /// A field over an image of this size: shifts [2, h, w] (x, then y) at the centres of h x w equal cells that cover it.
    /// </summary>
    /// <exception cref="ArgumentException">The tensor has another shape.</exception>
    public static DisplacementField Covering(double width, double height, Tensor shifts)
    {
        if (shifts.shape is not [2, > 0, > 0]) throw new ArgumentException("shifts are [2, height, width]", nameof(shifts));
        double[] Values(int axis) => Array.ConvertAll(shifts[axis].to(ScalarType.Float32).contiguous().ToArray<float>(), v => (double)v);
        return new(Centres(width, shifts.size(2)), Centres(height, shifts.size(1)), Values(0), Values(1));
    }

    /// <summary>A field of the same layout as <see cref="Covering(double, double, Tensor)"/>, of a function of the place.</summary>
    internal static DisplacementField Covering(double width, double height, int columns, int rows,
        Func<double, double, (double X, double Y)> shift)
    {
        double[] xs = Centres(width, columns), ys = Centres(height, rows);
        var shifts = new (double X, double Y)[columns * rows];
        Parallel.For(0, rows, r =>
        {
            for (int c = 0; c < columns; c++) shifts[(r * columns) + c] = shift(xs[c], ys[r]);
        });
        return new(xs, ys, Array.ConvertAll(shifts, s => s.X), Array.ConvertAll(shifts, s => s.Y));
    }

    /// <summary>Nodes across and down.</summary>
    internal (int Columns, int Rows) Grid => (xs.Length, ys.Length);

    /// <summary>The shifts [2, h, w], x, then y; float32.</summary>
    public Tensor ToTensor() =>
        torch.tensor<float>([.. dx.Concat(dy).Select(value => (float)value)], 2, ys.Length, xs.Length);

    /// <summary>The same map for resized images: places times one factor, shifts times another.</summary>
    internal DisplacementField Between(AffineTransform source, AffineTransform target)
    {
        double[] Places(double[] places, double scale, double offset) => Array.ConvertAll(places, place => (place * scale) + offset);
        return new(Places(xs, source.Xx, source.X0), Places(ys, source.Yy, source.Y0), Places(dx, target.Xx, 0), Places(dy, target.Yy, 0));
    }

    /// <summary>
    /// Jacobian determinants of the affine map with this displacement, against those of the affine map alone, at the corners of all cells:
    /// the smallest, and the share of corners where it is not above 0, that is where the plane folds.
    /// </summary>
    internal (double Smallest, double Folded) Determinants(AffineTransform affine)
    {
        double smallest = double.PositiveInfinity;
        int folded = 0, columns = xs.Length, cells = (columns - 1) * (ys.Length - 1);
        for (int cell = 0; cell < cells; cell++)
        {
            int c = cell % (columns - 1), r = cell / (columns - 1), at = (r * columns) + c;
            double across = xs[c + 1] - xs[c], down = ys[r + 1] - ys[r];
            foreach (int row in (int[])[at, at + columns])
            {
                foreach (int column in (int[])[at, at + 1])
                {
                    int below = column + columns;
                    double xx = affine.Xx + ((dx[row + 1] - dx[row]) / across), yx = affine.Yx + ((dy[row + 1] - dy[row]) / across);
                    double xy = affine.Xy + ((dx[below] - dx[column]) / down), yy = affine.Yy + ((dy[below] - dy[column]) / down);
                    double determinant = ((xx * yy) - (xy * yx)) / affine.Determinant;
                    smallest = Math.Min(smallest, determinant);
                    if (determinant <= 0) folded++;
                }
            }
        }
        return cells == 0 ? (1, 0) : (smallest, folded / (4.0 * cells));
    }

    private static double[] Centres(double length, long count) =>
        [.. Enumerable.Range(0, (int)count).Select(i => ((i + 0.5) * length / count) - 0.5)];

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
    /// The target as it lies on the source: bicubic (a = -0.75, as torch grid_sample), edges repeated.
    /// </summary>
    public Image Apply(Image target)
    {
        var (width, height) = (target.Width, target.Height);
        var sampler = new CubicSampler(target);
        var warped = new Image(width, height, target.Channels, target.SampleType);
        var columns = Columns(0, 1, width);
        var shifts = new (double X, double Y)[width];
        for (int y = 0; y < height; y++)
        {
            Along(y, columns, shifts);
            for (int x = 0; x < width; x++) sampler.Sample(x + shifts[x].X, y + shifts[x].Y, warped, (y * width) + x);
        }
        return warped;
    }

    /// <summary>The shift at a place of the source.</summary>
    public (double X, double Y) At(double x, double y)
    {
        var shift = new (double X, double Y)[1];
        Along(y, Columns(x, 1, 1), shift);
        return shift[0];
    }

    /// <summary>Where places of one row lie between the grid's columns: the node at or before each, and the way to the next one.</summary>
    internal (int Node, double Fraction)[] Columns(double first, double step, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Between(xs, first + (i * step)))];

    /// <summary>The shifts along a row of the source, at places as <see cref="Columns"/> has them.</summary>
    internal void Along(double y, ReadOnlySpan<(int Node, double Fraction)> columns, Span<(double X, double Y)> shifts)
    {
        var (row, below) = Between(ys, y);
        int upper = row * xs.Length, lower = Math.Min(row + 1, ys.Length - 1) * xs.Length, last = xs.Length - 1;
        for (int i = 0; i < shifts.Length; i++)
        {
            var (left, beyond) = columns[i];
            int right = Math.Min(left + 1, last);
            double Mix(double[] of)
            {
                double above = of[upper + left] + (below * (of[lower + left] - of[upper + left]));
                double next = of[upper + right] + (below * (of[lower + right] - of[upper + right]));
                return above + (beyond * (next - above));
            }
            shifts[i] = (Mix(dx), Mix(dy));
        }
    }

    private static (int Node, double Fraction) Between(double[] nodes, double position)
    {
        int found = Array.BinarySearch(nodes, position), node = Math.Clamp(found < 0 ? ~found - 1 : found, 0, Math.Max(0, nodes.Length - 2));
        return (node, nodes.Length < 2 ? 0 : Math.Clamp((position - nodes[node]) / (nodes[node + 1] - nodes[node]), 0, 1));
    }
}
