using System.Globalization;
using System.Text;

namespace Tinctor.Registration.Sections;

/// <summary>Places that a person marked, in pixels of level 0: a CSV file with columns X and Y.</summary>
public static class Landmarks
{
    /// <summary>Reads landmarks: a header that names X and Y, then a row each. Other columns are passed over.</summary>
    /// <exception cref="TinctorException">The file has no such columns, or a row without numbers there.</exception>
    public static (double X, double Y)[] Read(string path)
    {
        string[] lines = [.. File.ReadLines(path).Where(line => line.Trim().Length > 0)];
        (int x, int y) = Columns(path, lines);
        return [.. lines.Skip(1).Select((line, i) => Place(path, line.Split(','), i + 2, x, y))];
    }

    /// <summary>Writes the landmarks of another file, moved; its other columns stay.</summary>
    /// <exception cref="TinctorException">The input is not as <see cref="Read"/> wants it.</exception>
    public static void Move(string input, string output, Func<double, double, (double X, double Y)> map)
    {
        string[] lines = [.. File.ReadLines(input).Where(line => line.Trim().Length > 0)];
        (int x, int y) = Columns(input, lines);
        var text = new StringBuilder(lines[0]).Append('\n');
        foreach ((int i, string line) in lines.Skip(1).Index())
        {
            string[] cells = line.Split(',');
            (double u, double v) = Place(input, cells, i + 2, x, y);
            (u, v) = map(u, v);
            (cells[x], cells[y]) = (Number(u), Number(v));
            text.AppendJoin(',', cells).Append('\n');
        }
        AtomicFile.WriteText(output, text.ToString());
    }

    private static (int X, int Y) Columns(string path, string[] lines)
    {
        string[] names = lines.Length == 0 ? [] : [.. lines[0].Split(',').Select(name => name.Trim().Trim('"').ToUpperInvariant())];
        (int x, int y) = (Array.IndexOf(names, "X"), Array.IndexOf(names, "Y"));
        return x >= 0 && y >= 0 ? (x, y)
            : throw new TinctorException($"{path}: its first line does not name columns X and Y; landmarks are a CSV file");
    }

    private static (double X, double Y) Place(string path, string[] cells, int line, int x, int y) =>
        cells.Length > Math.Max(x, y) && double.TryParse(cells[x], CultureInfo.InvariantCulture, out double u)
            && double.TryParse(cells[y], CultureInfo.InvariantCulture, out double v) ? (u, v)
            : throw new TinctorException($"{path}: line {line} has no numbers for X and Y");

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>How far landmarks are apart after a registration; they take no part in it.</summary>
/// <param name="Count">Number of landmarks.</param>
/// <param name="MedianPixels">Median target registration error in target pixels.</param>
/// <param name="Median">The same as a share of the source's diagonal, as long as that is in the target: relative error.</param>
/// <param name="Percentile90">Its 90th percentile.</param>
/// <param name="Largest">Its maximum.</param>
/// <param name="Before">Its median where only the images' widths are made equal.</param>
/// <param name="Robustness">Share of the landmarks that came closer.</param>
public sealed record LandmarkError(int Count, double MedianPixels, double Median, double Percentile90, double Largest, double Before,
    double Robustness)
{
    /// <summary>The error at corresponding landmarks.</summary>
    /// <exception cref="TinctorException">There are none, or unlike numbers of them.</exception>
    public static LandmarkError Of(SlideTransform transform, IReadOnlyList<(double X, double Y)> source,
        IReadOnlyList<(double X, double Y)> target)
    {
        if (source.Count != target.Count || source.Count == 0)
            throw new TinctorException($"{source.Count} landmarks in the source, {target.Count} in the target; "
                + "they must correspond row by row");
        double diagonal = transform.Source.Diagonal * Math.Sqrt(Math.Abs(transform.Affine.Determinant));
        double enlarged = (double)transform.Target.Width / transform.Source.Width;
        double Distance((double X, double Y) a, (double X, double Y) b) => double.Hypot(a.X - b.X, a.Y - b.Y) / diagonal;
        double[] before = [.. source.Zip(target, (s, t) => Distance((s.X * enlarged, s.Y * enlarged), t))];
        double[] after = [.. source.Zip(target, (s, t) => Distance(transform.Apply(s.X, s.Y), t))];
        double[] sorted = [.. after.Order()];
        double median = Registration.Median.Of(after);
        return new(after.Length, median * diagonal, median, Quantile(sorted, 0.9), sorted[^1], Registration.Median.Of(before),
            after.Zip(before).Count(pair => pair.First < pair.Second) / (double)after.Length);
    }

    private static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int at = (int)place;
        return sorted[at] + ((place - at) * (sorted[Math.Min(at + 1, sorted.Length - 1)] - sorted[at]));
    }
}
