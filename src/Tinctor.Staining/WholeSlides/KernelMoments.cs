using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Kernelized instance normalisation (Ho et al. 2022): moments of tiles, measured in a first pass, smoothed over neighbouring tiles. A
/// neighbour beyond the slide's edge counts as the tile at the edge, as published; one without tissue is left out. Moments can be measured
/// on a coarser grid of tiles, and are then interpolated between its tiles.
/// </summary>
/// <param name="radius">Tiles to each side.</param>
/// <param name="step">Distance between the measured tiles, in tiles; 1 measures all, as published.</param>
/// <param name="gaussian">
/// Whether weights fall off as a Gaussian of standard deviation radius / 2, at least 1/2; else all are equal.
/// </param>
/// <param name="rows">Rows of tiles.</param>
/// <param name="columns">Columns of tiles.</param>
internal sealed class KernelMoments(int radius, int step, bool gaussian, int rows, int columns)
{
    private readonly Dictionary<Tile, ImageMoments> table = [];

    /// <summary>Number of rows, before and after the row of a tile, that its moments are computed from.</summary>
    public int Reach => radius + step - 1;

    /// <summary>
    /// Gets the tiles to measure among those with tissue: those of the grid, and tiles without a tile of the grid around them.
    /// </summary>
    public IEnumerable<Tile> Measured(IReadOnlyList<Tile> tiles)
    {
        HashSet<Tile> grid = [.. tiles.Where(tile => tile.Row % step == 0 && tile.Column % step == 0)];
        return tiles.Where(tile => grid.Contains(tile) || !Around(tile).Any(near => grid.Contains(near.Tile)));
    }

    /// <summary>Gets the tiles that the moments of a tile are computed from and that have not been added.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="measured">The tiles to measure, by their rows.</param>
    public IReadOnlyList<Tile> Missing(Tile tile, ILookup<int, Tile> measured) =>
        [.. from row in Enumerable.Range(tile.Row - Reach, (2 * Reach) + 1)
            from near in measured[row]
            where Math.Abs(near.Column - tile.Column) <= Reach && !table.ContainsKey(near)
            select near];

    public void Add(Tile tile, ImageMoments moments) => table[tile] = moments;

    /// <summary>Removes the rows above the kernel of a row.</summary>
    public void RemoveAbove(int row)
    {
        foreach (Tile tile in table.Keys.Where(tile => tile.Row < row - Reach).ToList()) table.Remove(tile);
    }

    /// <summary>Computes the moments that a tile is normalised by; the tiles within its kernel have been added.</summary>
    public ImageMoments Smooth(Tile tile)
    {
        var weights = new Dictionary<Tile, double>();
        for (int down = -radius; down <= radius; down++)
        {
            for (int across = -radius; across <= radius; across++)
            {
                var near = new Tile(Math.Clamp(tile.Row + down, 0, rows - 1), Math.Clamp(tile.Column + across, 0, columns - 1));
                foreach ((Tile measured, double share) in table.ContainsKey(near) ? [(near, 1.0)] : Around(near))
                    if (table.ContainsKey(measured))
                        weights[measured] = weights.GetValueOrDefault(measured) + (Weight(down) * Weight(across) * share);
            }
        }
        return ImageMoments.Smooth([.. weights.Select(weight => (table[weight.Key], weight.Value))]);
    }

    // The tiles of the grid around a tile, with their shares in a bilinear interpolation.
    private IEnumerable<(Tile Tile, double Share)> Around(Tile tile) =>
        from row in Around(tile.Row)
        from column in Around(tile.Column)
        select (new Tile(row.Index, column.Index), row.Share * column.Share);

    private IEnumerable<(int Index, double Share)> Around(int index)
    {
        int before = index / step * step;
        double share = (index - before) / (double)step;
        yield return (before, 1 - share);
        if (share > 0) yield return (before + step, share);
    }

    private double Weight(int distance) => gaussian ? Math.Exp(-0.5 * Math.Pow(distance / Math.Max(0.5, radius / 2.0), 2)) : 1;
}
