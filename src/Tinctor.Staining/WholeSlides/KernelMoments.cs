using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Kernelized instance normalisation (Ho et al. 2022): moments of every tile, measured in a first pass, smoothed over neighbouring tiles. A
/// neighbour beyond the slide's edge counts as the tile at the edge, as published; one without tissue is left out. Only the rows within the
/// kernel are held.
/// </summary>
/// <param name="radius">Tiles to each side.</param>
/// <param name="gaussian">
/// Whether weights fall off as a Gaussian of standard deviation radius / 2, at least 1/2; else all are equal.
/// </param>
/// <param name="rows">Rows of tiles.</param>
/// <param name="columns">Columns of tiles.</param>
internal sealed class KernelMoments(int radius, bool gaussian, int rows, int columns)
{
    private readonly Dictionary<Tile, ImageMoments> table = [];

    public int Radius => radius;

    public void Add(Tile tile, ImageMoments moments) => table[tile] = moments;

    /// <summary>Removes the rows above the kernel of a row.</summary>
    public void RemoveAbove(int row)
    {
        foreach (Tile tile in table.Keys.Where(tile => tile.Row < row - radius).ToList()) table.Remove(tile);
    }

    /// <summary>Computes the moments that a tile is normalised by; the tiles within its kernel have been added.</summary>
    public ImageMoments Smooth(Tile tile)
    {
        var neighbours = new List<(ImageMoments, double)>();
        for (int down = -radius; down <= radius; down++)
        {
            for (int across = -radius; across <= radius; across++)
            {
                var near = new Tile(Math.Clamp(tile.Row + down, 0, rows - 1), Math.Clamp(tile.Column + across, 0, columns - 1));
                if (table.TryGetValue(near, out ImageMoments? moments)) neighbours.Add((moments, Weight(down) * Weight(across)));
            }
        }
        return ImageMoments.Smooth(neighbours);
    }

    private double Weight(int distance) => gaussian ? Math.Exp(-0.5 * Math.Pow(distance / Math.Max(0.5, radius / 2.0), 2)) : 1;
}
