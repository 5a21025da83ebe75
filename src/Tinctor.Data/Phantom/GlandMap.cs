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
        TissueArea around = area.Expand(2 * TissueModel.GlandReach);
        all = model.Glands(around.Left, around.Top, around.Right, around.Bottom);
        epithelia = all.FindAll(gland => gland.Tissue != PhantomTissue.Vessel);
        all.RemoveAll(gland => gland.Tissue == PhantomTissue.Vessel
            && Deepest(epithelia, gland.X, gland.Y, out _, gland.B + 6) is not null);
        index = new DiscIndex(area, IndexStep);
        for (int i = 0; i < all.Count; i++)
            index.Add(i, all[i].X, all[i].Y, all[i].Reach + all[i].Cleft + 3);
        index.Freeze();
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
            float dx = x - gland.X, dy = y - gland.Y, reach = gland.Reach + distance;
            if ((dx * dx) + (dy * dy) > reach * reach)
                continue;
            float d = gland.Depth(x, y);
            if (d > depth)
                (depth, deepest) = (d, gland);
        }
        return deepest;
    }
}
