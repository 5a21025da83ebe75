namespace Tinctor.Data.Phantom;

/// <summary>
/// Glands, tumour nests and vessels in and around an area. Positions are warped (<see cref="TissueModel.Warp"/>); a depth is a distance
/// inside an outline in micrometres, negative outside.
/// </summary>
internal sealed class GlandMap
{
    private const float IndexStep = 16;

    private readonly List<Gland> all, epithelia;
    private readonly DiscIndex index;

    /// <summary>Finds the glands of an area.</summary>
    public GlandMap(TissueModel model, TissueArea area)
    {
        all = model.Glands(area.Expand(2 * TissueModel.GlandReach));
        epithelia = all.FindAll(gland => gland.Tissue != PhantomTissue.Vessel);
        all.RemoveAll(gland => gland.Tissue == PhantomTissue.Vessel
            && Deepest(epithelia, gland.X, gland.Y, out _, gland.B + 6) is not null);
        index = DiscIndex.Create(area, IndexStep, all, gland => (gland.X, gland.Y, gland.Reach + gland.Cleft + 3));
    }

    /// <summary>All glands.</summary>
    public IReadOnlyList<Gland> All => all;

    /// <summary>Gets the gland at a point of the area or up to 9 um outside of it; null if there is none.</summary>
    public Gland? At(float x, float y, out float depth)
    {
        depth = -9;
        Gland? deepest = null;
        foreach (int i in index.At(x, y))
        {
            float d = all[i].Depth(x, y);
            if (d > depth)
                (depth, deepest) = (d, all[i]);
        }
        return deepest;
    }

    /// <summary>Gets the gland at any point or at most a distance from it; null if there is none.</summary>
    public Gland? Near(float x, float y, out float depth, float distance = 0) => Deepest(all, x, y, out depth, distance);

    /// <summary>Gets the gland or nest at any point, not a vessel; null if there is none.</summary>
    public Gland? EpitheliumAt(float x, float y, out float depth) => Deepest(epithelia, x, y, out depth);

    // The one with the largest depth above -distance.
    private static Gland? Deepest(List<Gland> glands, float x, float y, out float depth, float distance = 0)
    {
        depth = -distance;
        Gland? deepest = null;
        foreach (Gland gland in glands)
        {
            if (Noise.Square(x - gland.X) + Noise.Square(y - gland.Y) > Noise.Square(gland.Reach + distance))
                continue;
            float d = gland.Depth(x, y);
            if (d > depth)
                (depth, deepest) = (d, gland);
        }
        return deepest;
    }
}
