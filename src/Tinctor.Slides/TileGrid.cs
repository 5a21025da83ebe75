namespace Tinctor.Slides;

/// <summary>Grids of tiles over an image.</summary>
internal static class TileGrid
{
    /// <summary>
    /// Gets as many tiles of one size as fit, centred in the image, row by row; none if the image is smaller than a tile.
    /// </summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="tile">Side of a tile in pixels.</param>
    /// <param name="stride">Distance of adjacent tiles in pixels; smaller than the side if tiles overlap.</param>
    public static IEnumerable<PixelArea> Fit(int width, int height, int tile, int stride)
    {
        (int columns, int rows) = (((width - tile) / stride) + 1, ((height - tile) / stride) + 1);
        if (width < tile || height < tile) return [];
        (int left, int top) = ((width - tile - ((columns - 1) * stride)) / 2, (height - tile - ((rows - 1) * stride)) / 2);
        return from row in Enumerable.Range(0, rows)
               from column in Enumerable.Range(0, columns)
               select new PixelArea(left + (column * stride), top + (row * stride), tile, tile);
    }

    /// <summary>
    /// Divides an image into grid x grid tiles that cover it without overlap, row by row; sizes differ by a pixel if the grid does not
    /// divide the image.
    /// </summary>
    /// <param name="width">Pixels across, at least the grid's.</param>
    /// <param name="height">Pixels down, at least the grid's.</param>
    /// <param name="grid">Number of tiles along each axis.</param>
    public static IEnumerable<PixelArea> Divide(int width, int height, int grid) =>
        from row in Enumerable.Range(0, grid)
        from column in Enumerable.Range(0, grid)
        let left = Start(width, column, grid)
        let top = Start(height, row, grid)
        select new PixelArea(left, top, Start(width, column + 1, grid) - left, Start(height, row + 1, grid) - top);

    private static int Start(int length, int index, int grid) => (int)((long)index * length / grid);
}
