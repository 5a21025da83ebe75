using Tinctor.Slides;

namespace Tinctor.Transforms;

/// <summary>
/// Displacement field on a regular grid of nodes, bilinear between them and constant beyond the outer ones. The tissue at source pixel
/// (x, y) is at target pixel (x + dx, y + dy).
/// </summary>
public sealed class DisplacementField
{
    private readonly double[] xs, ys, dx, dy;

    /// <summary>Creates a field from displacements at nodes, row by row.</summary>
    internal DisplacementField(double[] xs, double[] ys, double[] dx, double[] dy) =>
        (this.xs, this.ys, this.dx, this.dy) = (xs, ys, dx, dy);

    /// <summary>Creates a field from displacements at the centres of equal cells that cover an image, row by row.</summary>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="height">Height of the image in pixels.</param>
    /// <param name="columns">Number of cells across.</param>
    /// <param name="dx">Displacements across, in target pixels.</param>
    /// <param name="dy">Displacements down, in target pixels.</param>
    /// <exception cref="ArgumentException">The numbers of displacements differ, or are no multiple of the columns.</exception>
    public static DisplacementField FromCells(double width, double height, int columns, IReadOnlyList<float> dx, IReadOnlyList<float> dy)
    {
        if (columns < 1 || dx.Count == 0 || dx.Count != dy.Count || dx.Count % columns != 0)
            throw new ArgumentException($"{dx.Count} and {dy.Count} displacements in {columns} columns", nameof(columns));
        return new(Centres(width, columns), Centres(height, dx.Count / columns), [.. dx.Select(value => (double)value)],
            [.. dy.Select(value => (double)value)]);
    }

    /// <summary>Creates a field as <see cref="FromCells"/> does, from a function of the position.</summary>
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

    /// <summary>Number of nodes across and down.</summary>
    internal (int Columns, int Rows) Grid => (xs.Length, ys.Length);

    /// <summary>Displacements at the nodes [2, h, w], x, then y.</summary>
    internal float[] ToArray() => [.. dx.Concat(dy).Select(value => (float)value)];

    /// <summary>Converts the field to resized images: positions and displacements are scaled.</summary>
    internal DisplacementField Rescaled(AffineTransform source, AffineTransform target)
    {
        double[] Scaled(double[] values, double scale, double offset) => Array.ConvertAll(values, value => (value * scale) + offset);
        return new(Scaled(xs, source.Xx, source.X0), Scaled(ys, source.Yy, source.Y0), Scaled(dx, target.Xx, 0), Scaled(dy, target.Yy, 0));
    }

    /// <summary>
    /// Computes the Jacobian determinants of the affine transform with this displacement, relative to those of the affine transform, at the
    /// corners of all cells. Returns the smallest, and the share of corners where it is 0 or negative, so that the plane folds.
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

    /// <summary>Largest displacement along an axis, in pixels.</summary>
    public double Largest => dx.Concat(dy).Max(Math.Abs);

    /// <summary>
    /// Resamples the target onto the source: bicubic (a = -0.75, as torch grid_sample) with repeated edges.
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

    /// <summary>Gets the displacement at a position of the source.</summary>
    public (double X, double Y) At(double x, double y)
    {
        var shift = new (double X, double Y)[1];
        Along(y, Columns(x, 1, 1), shift);
        return shift[0];
    }

    /// <summary>
    /// Locates the positions of one row between the grid's columns: index of the node at or before each, and fraction to the next one.
    /// </summary>
    internal (int Node, double Fraction)[] Columns(double first, double step, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Locate(xs, first + (i * step)))];

    /// <summary>Interpolates the displacements along a row of the source, at positions from <see cref="Columns"/>.</summary>
    internal void Along(double y, ReadOnlySpan<(int Node, double Fraction)> columns, Span<(double X, double Y)> shifts)
    {
        var (row, below) = Locate(ys, y);
        int upper = row * xs.Length, lower = Math.Min(row + 1, ys.Length - 1) * xs.Length, last = xs.Length - 1;
        for (int i = 0; i < shifts.Length; i++)
        {
            var (left, beyond) = columns[i];
            int right = Math.Min(left + 1, last);
            double Interpolated(double[] values)
            {
                double above = values[upper + left] + (below * (values[lower + left] - values[upper + left]));
                double next = values[upper + right] + (below * (values[lower + right] - values[upper + right]));
                return above + (beyond * (next - above));
            }
            shifts[i] = (Interpolated(dx), Interpolated(dy));
        }
    }

    private static (int Node, double Fraction) Locate(double[] nodes, double position)
    {
        int found = Array.BinarySearch(nodes, position),
            node = Math.Clamp(found < 0 ? ~found - 1 : found, 0, Math.Max(0, nodes.Length - 2));
        return (node, nodes.Length < 2 ? 0 : Math.Clamp((position - nodes[node]) / (nodes[node + 1] - nodes[node]), 0, 1));
    }
}
