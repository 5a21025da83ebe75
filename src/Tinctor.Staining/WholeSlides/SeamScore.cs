using Tinctor.Slides;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Visibility of tile borders in a stained slide: the mean difference of neighbouring samples across tile borders, divided by that across
/// other lines. 1 means that borders look like the rest; naive tiling of a network that normalises by tile gives more.
/// </summary>
/// <remarks>
/// Networks that enlarge leave patterns of 2 to 16 pixels of their own; so borders are compared with lines at the same phase of these.
/// Equal neighbours, as in empty background, carry no information and are left out.
/// </remarks>
internal sealed class SeamScore
{
    private readonly Lines columns, rows;

    /// <param name="layout">The tiles of the stained slide; their starts are multiples of the period, but for the last.</param>
    /// <param name="period">Pixels after which the patterns of the network repeat.</param>
    public SeamScore(TileLayout layout, int period) => (columns, rows) = (new(layout.Across, period), new(layout.Down, period));

    /// <summary>The ratio; 1 for a single tile.</summary>
    public double Value
    {
        get
        {
            double border = Mean(isBorder: true), other = Mean(isBorder: false);
            return border > 0 && other > 0 ? border / other : 1;
        }
    }

    /// <summary>
    /// Adds a region of the slide, 8-bit, each pixel once: differences between its pixels, and to those on its left and above.
    /// </summary>
    /// <param name="area">The region.</param>
    /// <param name="image">Pixels of the region, with the column on its left and the row above where the slide has them.</param>
    public void Add(PixelArea area, Image image)
    {
        (int left, int top) = (Math.Min(area.X, 1), Math.Min(area.Y, 1));
        int pixel = image.Channels, row = image.Width * pixel;
        foreach (int x in columns.Between(area.X - 1, area.Right - 1))
        {
            for (int y = top; y < image.Height; y++)
            {
                ReadOnlySpan<byte> two = image.Data.AsSpan((y * row) + ((x - area.X + left) * pixel), 2 * pixel);
                columns.Add(x, two[..pixel], two[pixel..]);
            }
        }
        foreach (int y in rows.Between(area.Y - 1, area.Bottom - 1))
        {
            ReadOnlySpan<byte> two = image.Data.AsSpan((y - area.Y + top) * row, 2 * row);
            rows.Add(y, two[(left * pixel)..row], two[(row + (left * pixel))..]);
        }
    }

    private double Mean(bool isBorder)
    {
        (long sum, long count) = (0, 0);
        foreach (Lines lines in new[] { columns, rows })
        {
            (long s, long n) = lines.Total(isBorder);
            (sum, count) = (sum + s, count + n);
        }
        return count == 0 ? 0 : (double)sum / count;
    }

    /// <summary>The lines along one axis, each named by the pixel before it.</summary>
    private sealed class Lines
    {
        private readonly HashSet<int> borders;
        private readonly int[] compared;
        private readonly (long Sum, long Count)[] totals = new (long, long)[2];

        public Lines(TileLayout.Axis axis, int period)
        {
            borders = [.. axis.Borders];
            compared = [.. Enumerable.Range(1, axis.Length / period).Select(i => (i * period) - 1).Concat(borders)
                .Where(line => line + 1 < axis.Length).Distinct().Order()];
        }

        /// <summary>The lines from a first one to before an end.</summary>
        public IEnumerable<int> Between(int first, int end)
        {
            int found = Array.BinarySearch(compared, first);
            for (int i = found < 0 ? ~found : found; i < compared.Length && compared[i] < end; i++) yield return compared[i];
        }

        public void Add(int line, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after)
        {
            ref (long Sum, long Count) total = ref totals[borders.Contains(line) ? 1 : 0];
            for (int i = 0; i < before.Length; i++)
            {
                int difference = Math.Abs(after[i] - before[i]);
                total.Sum += difference;
                total.Count += difference > 0 ? 1 : 0;
            }
        }

        public (long Sum, long Count) Total(bool isBorder) => totals[isBorder ? 1 : 0];
    }
}
