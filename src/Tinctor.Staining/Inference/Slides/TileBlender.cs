using Tinctor.Slides;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// Makes a slide of its tiles, band by band from the top: overlapping tiles are averaged by their weights, and glass around the tissue
/// passes softly into one colour. A band is a row of tiles high; besides it, only the tiles that touch one column are held.
/// </summary>
/// <param name="layout">The tiles, in pixels of the result.</param>
/// <param name="read">A tile, 8-bit; null for one that was not stained.</param>
/// <param name="background">The colour of what was not stained, a sample for each channel.</param>
/// <param name="tissue">Where tissue is, from 0 to 1, at a pixel of the result; null for everywhere.</param>
internal sealed class TileBlender(TileLayout layout, Func<Tile, Image?> read, byte[] background, SoftMask? tissue)
{
    /// <summary>The bands.</summary>
    /// <param name="awaitRow">Returns as soon as the tiles of a row can be read.</param>
    public IEnumerable<Image> Bands(Action<int> awaitRow)
    {
        for (int row = 0; row < layout.Down.Count; row++)
        {
            awaitRow(row);
            yield return Band(layout.Down.Start(row), layout.Down.End(row));
        }
    }

    private Image Band(int top, int bottom)
    {
        var band = new Image(layout.Across.Length, bottom - top, background.Length);
        int[] rows = [.. layout.Down.Touching(top, bottom)];
        var held = new Dictionary<Tile, Image?>();
        for (int column = 0; column < layout.Across.Count; column++)
        {
            int left = layout.Across.Start(column), right = layout.Across.End(column);
            int[] columns = [.. layout.Across.Touching(left, right)];
            foreach (Tile gone in held.Keys.Where(tile => tile.Column < columns[0]).ToList()) held.Remove(gone);
            foreach (Tile tile in rows.SelectMany(row => columns.Select(c => new Tile(row, c)))) if (!held.ContainsKey(tile)) held[tile] = read(tile);
            Blend(band, (left, right), (top, bottom), held);
        }
        return band;
    }

    private void Blend(Image band, (int Start, int End) x, (int Start, int End) y, Dictionary<Tile, Image?> tiles)
    {
        int width = x.End - x.Start, height = y.End - y.Start, channels = background.Length;
        float[] sum = new float[width * height * channels], total = new float[width * height];
        foreach ((Tile tile, Image? image) in tiles)
        {
            int left = layout.Across.Start(tile.Column), top = layout.Down.Start(tile.Row);
            float[] across = layout.Across.Weights(tile.Column), down = layout.Down.Weights(tile.Row);
            for (int row = Math.Max(y.Start, top); row < Math.Min(y.End, top + layout.Down.Tile); row++)
            {
                for (int column = Math.Max(x.Start, left); column < Math.Min(x.End, left + layout.Across.Tile); column++)
                {
                    float weight = down[row - top] * across[column - left];
                    int to = ((row - y.Start) * width) + column - x.Start, from = ((row - top) * layout.Across.Tile) + column - left;
                    total[to] += weight;
                    for (int c = 0; c < channels; c++)
                        sum[(to * channels) + c] += weight * (image is null ? background[c] : image.Data[(from * channels) + c]);
                }
            }
        }
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                int i = (row * width) + column, to = ((row * band.Width) + x.Start + column) * channels;
                float share = tissue?.At(x.Start + column, y.Start + row) ?? 1;
                for (int c = 0; c < channels; c++)
                    band.Data[to + c] = (byte)((share * sum[(i * channels) + c] / total[i]) + ((1 - share) * background[c]) + 0.5f);
            }
        }
    }
}
