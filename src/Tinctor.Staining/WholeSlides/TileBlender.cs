using Tinctor.Slides;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Blends tiles into a slide, region by region from the top: overlapping tiles are averaged by their weights, and the background around the
/// tissue fades into one colour. Only the tiles that touch the last region are held.
/// </summary>
/// <param name="layout">Layout of the tiles in pixels of the result.</param>
/// <param name="read">Reads a tile, 8-bit; null for one that was not stained.</param>
/// <param name="background">Colour of what was not stained, a sample for each channel.</param>
/// <param name="tissue">Share of tissue at a pixel of the result; null if the whole slide is stained.</param>
internal sealed class TileBlender(TileLayout layout, Func<Tile, Image?> read, byte[] background, SoftMask? tissue)
{
    private readonly Dictionary<Tile, Image?> held = [];

    /// <summary>Reads a region of the slide.</summary>
    public Image Read(PixelArea area)
    {
        int[] rows = [.. layout.Down.Touching(area.Y, area.Bottom)], columns = [.. layout.Across.Touching(area.X, area.Right)];
        Tile[] touching = [.. rows.SelectMany(row => columns.Select(column => new Tile(row, column)))];
        foreach (Tile unused in held.Keys.Except(touching).ToList()) held.Remove(unused);
        foreach (Tile tile in touching) if (!held.ContainsKey(tile)) held[tile] = read(tile);
        var region = new Image(area.Width, area.Height, background.Length);
        if (held.Values.All(image => image is null)) region.Fill(Array.ConvertAll(background, sample => (ushort)sample));
        else Blend(region, area);
        return region;
    }

    private void Blend(Image region, PixelArea area)
    {
        int channels = background.Length;
        float[] sum = new float[area.Width * area.Height * channels], total = new float[area.Width * area.Height];
        foreach ((Tile tile, Image? image) in held)
        {
            int left = layout.Across.Start(tile.Column), top = layout.Down.Start(tile.Row);
            float[] across = layout.Across.Weights(tile.Column), down = layout.Down.Weights(tile.Row);
            for (int row = Math.Max(area.Y, top); row < Math.Min(area.Bottom, top + layout.Down.Tile); row++)
            {
                for (int column = Math.Max(area.X, left); column < Math.Min(area.Right, left + layout.Across.Tile); column++)
                {
                    float weight = down[row - top] * across[column - left];
                    int to = ((row - area.Y) * area.Width) + column - area.X, from = ((row - top) * layout.Across.Tile) + column - left;
                    total[to] += weight;
                    for (int c = 0; c < channels; c++)
                        sum[(to * channels) + c] += weight * (image is null ? background[c] : image.Data[(from * channels) + c]);
                }
            }
        }
        for (int i = 0; i < total.Length; i++)
        {
            float share = tissue?.At(area.X + (i % area.Width), area.Y + (i / area.Width)) ?? 1;
            for (int c = i * channels; c < (i + 1) * channels; c++)
                region.Data[c] = (byte)((share * sum[c] / total[i]) + ((1 - share) * background[c % channels]) + 0.5f);
        }
    }
}
