using Tinctor.Slides;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// Whether tiles can be seen in a stained slide: the mean difference of neighbouring samples across the borders of tiles, divided by that
/// across other lines. 1 means that borders look like the rest; naive tiling of a network that normalises by tile shows more.
/// </summary>
/// <remarks>
/// Networks that enlarge leave patterns of 2 to 16 pixels of their own; so borders are compared with lines at the same phase of these.
/// Equal neighbours, as in empty glass, tell nothing and do not count.
/// </remarks>
public sealed class SeamScore
{
    private readonly Lines columns, rows;
    private Image? last;
    private int y;

    /// <param name="layout">The tiles of the stained slide; their starts are multiples of the period, but for the last.</param>
    /// <param name="period">Pixels after which the patterns of the network repeat.</param>
    public SeamScore(TileLayout layout, int period) => (columns, rows) = (new(layout.Across, period), new(layout.Down, period));

    /// <summary>The ratio; 1 where there is one tile only.</summary>
    public double Value
    {
        get
        {
            double border = Mean(isBorder: true), other = Mean(isBorder: false);
            return border > 0 && other > 0 ? border / other : 1;
        }
    }

    /// <summary>Adds the next rows of the slide, 8-bit, from the top.</summary>
    public void Add(Image band)
    {
        int row = band.Width * band.Channels;
        for (int line = 0; line < band.Height; line++, y++)
        {
            ReadOnlySpan<byte> here = band.Data.AsSpan(line * row, row);
            foreach (int x in columns.Compared) columns.Add(x, here.Slice(x * band.Channels, band.Channels), here.Slice((x + 1) * band.Channels, band.Channels));
            if (y == 0 || !rows.IsCompared(y - 1)) continue;
            rows.Add(y - 1, line > 0 ? band.Data.AsSpan((line - 1) * row, row) : last!.Data, here);
        }
        last = band.Crop(0, band.Height - 1, band.Width, 1);
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
        private readonly HashSet<int> borders, compared;
        private readonly (long Sum, long Count)[] totals = new (long, long)[2];

        public Lines(TileLayout.Axis axis, int period)
        {
            borders = [.. axis.Borders];
            Compared = [.. Enumerable.Range(1, axis.Length / period).Select(i => (i * period) - 1).Concat(borders)
                .Where(line => line + 1 < axis.Length).Distinct()];
            compared = [.. Compared];
        }

        public int[] Compared { get; }

        public bool IsCompared(int line) => compared.Contains(line);

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
