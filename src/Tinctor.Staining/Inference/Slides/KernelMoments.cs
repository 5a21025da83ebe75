namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// Kernelized instance normalisation (Ho et al. 2022): the moments of every tile, as a first pass has found them, smoothed over the tiles
/// around it. A tile beyond the slide's edge counts as the one at the edge, as published; one that is glass does not count. Only the rows
/// that the kernel still reaches are held.
/// </summary>
/// <param name="radius">Tiles to each side.</param>
/// <param name="gaussian">Whether weights fall off as a Gaussian of deviation radius / 2 and at least 1/2; else all count the same.</param>
/// <param name="rows">Rows of tiles.</param>
/// <param name="columns">Columns of tiles.</param>
internal sealed class KernelMoments(int radius, bool gaussian, int rows, int columns)
{
    private readonly Dictionary<Tile, NormMoments> table = [];

    public int Radius => radius;

    public void Add(Tile tile, NormMoments moments) => table[tile] = moments;

    /// <summary>Forgets the rows above what the kernel reaches from a row.</summary>
    public void Forget(int row)
    {
        foreach (Tile tile in table.Keys.Where(tile => tile.Row < row - radius).ToList()) table.Remove(tile);
    }

    /// <summary>What a tile is normalised by; the tiles that the kernel reaches have been added.</summary>
    public NormMoments Of(Tile tile)
    {
        var around = new List<(NormMoments, double)>();
        for (int down = -radius; down <= radius; down++)
        {
            for (int across = -radius; across <= radius; across++)
            {
                var near = new Tile(Math.Clamp(tile.Row + down, 0, rows - 1), Math.Clamp(tile.Column + across, 0, columns - 1));
                if (table.TryGetValue(near, out NormMoments? moments)) around.Add((moments, Weight(down) * Weight(across)));
            }
        }
        return NormMoments.Smoothed(around);
    }

    private double Weight(int distance) => gaussian ? Math.Exp(-0.5 * Math.Pow(distance / Math.Max(0.5, radius / 2.0), 2)) : 1;
}
