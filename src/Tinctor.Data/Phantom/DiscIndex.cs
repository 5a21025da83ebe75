namespace Tinctor.Data.Phantom;

/// <summary>Spatial index of discs: a grid with a list of discs per cell.</summary>
internal sealed class DiscIndex
{
    private readonly float left, top, step;
    private readonly int columns, rows;
    private readonly int[] starts;
    private readonly int[] items;

    private DiscIndex(TissueArea area, float step, IReadOnlyList<(float X, float Y, float Radius)> discs)
    {
        // Alignment to multiples of the step makes results independent of the area.
        (left, top, this.step) = (MathF.Floor(area.Left / step) - 2, MathF.Floor(area.Top / step) - 2, step);
        columns = (int)(MathF.Floor(area.Right / step) - left) + 3;
        rows = (int)(MathF.Floor(area.Bottom / step) - top) + 3;
        List<(int Bucket, int Item)> entries = Entries(discs);
        starts = new int[(columns * rows) + 1];
        foreach ((int bucket, _) in entries)
            starts[bucket + 1]++;
        for (int i = 1; i < starts.Length; i++)
            starts[i] += starts[i - 1];
        items = new int[entries.Count];
        int[] next = [.. starts];
        foreach ((int bucket, int item) in entries)
            items[next[bucket]++] = item;
    }

    /// <summary>Creates the index of an area, with cells of a size.</summary>
    public static DiscIndex Create<T>(TissueArea area, float step, List<T> items, Func<T, (float X, float Y, float Radius)> disc) =>
        new(area, step, items.ConvertAll(item => disc(item)));

    /// <summary>Gets the items whose discs may cover a point, in ascending order.</summary>
    public ReadOnlySpan<int> At(float x, float y)
    {
        int bucket = (Math.Clamp(Row(y), 0, rows - 1) * columns) + Math.Clamp(Column(x), 0, columns - 1);
        return items.AsSpan(starts[bucket], starts[bucket + 1] - starts[bucket]);
    }

    private List<(int Bucket, int Item)> Entries(IReadOnlyList<(float X, float Y, float Radius)> discs)
    {
        List<(int Bucket, int Item)> entries = [];
        for (int i = 0; i < discs.Count; i++)
        {
            (float x, float y, float radius) = discs[i];
            int x0 = Math.Max(0, Column(x - radius)), x1 = Math.Min(columns - 1, Column(x + radius));
            int y0 = Math.Max(0, Row(y - radius)), y1 = Math.Min(rows - 1, Row(y + radius));
            for (int row = y0; row <= y1; row++)
            {
                for (int column = x0; column <= x1; column++)
                    entries.Add(((row * columns) + column, i));
            }
        }
        return entries;
    }

    private int Column(float x) => (int)(MathF.Floor(x / step) - left);

    private int Row(float y) => (int)(MathF.Floor(y / step) - top);
}
