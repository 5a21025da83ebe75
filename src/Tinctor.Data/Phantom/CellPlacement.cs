namespace Tinctor.Data.Phantom;

/// <summary>Epithelial cell: its nucleus's centre, its gland and its hash.</summary>
internal readonly record struct Cell(float X, float Y, Gland Gland, uint Hash);

/// <summary>Places cells in the glands of an area, and nuclei in its glands, vessels and stroma.</summary>
internal sealed class CellPlacement
{
    private readonly TissueModel model;
    private readonly GlandMap glands;
    private readonly TissueArea area;

    /// <summary>Places the cells.</summary>
    public CellPlacement(TissueModel model, GlandMap glands, TissueFields fields, TissueArea area)
    {
        (this.model, this.glands, this.area) = (model, glands, area);
        foreach (Gland gland in glands.All.Where(gland => area.Touches(gland.X, gland.Y, gland.Reach))) PlaceCells(gland);
        foreach (Nucleus nucleus in model.LooseNuclei(area, fields.FibreAngle))
        {
            (float wx, float wy) = model.Warp(nucleus.X, nucleus.Y);
            float distance = nucleus.Kind == PhantomNucleusKind.Lymphocyte ? 2 : 3.5f;
            if (glands.Near(nucleus.X + wx, nucleus.Y + wy, out _, distance) is null) Nuclei.Add(nucleus);
        }
    }

    /// <summary>Nuclei of the area.</summary>
    public List<Nucleus> Nuclei { get; } = [];

    /// <summary>Epithelial cells of the area.</summary>
    public List<Cell> Cells { get; } = [];

    /// <summary>Places cells in rows along a gland's outline, from its rim inwards.</summary>
    private void PlaceCells(Gland gland)
    {
        bool vessel = gland.Tissue == PhantomTissue.Vessel, tumour = gland.Tissue == PhantomTissue.Tumour;
        // Larger nuclei need larger cells, but less than in proportion: they crowd.
        float larger = 1 + (0.1f * model.LevelInHe * gland.Atypia);
        float spacing = vessel ? 14 : tumour ? (8.2f + (3.2f * gland.Atypia)) * larger : 6.6f;
        float first = vessel ? 1.2f : tumour ? spacing * 0.52f : 5.2f;
        float last = Math.Min(gland.B, gland.Wall - (vessel ? 0 : 2.5f));
        float keep = vessel ? 0 : tumour ? spacing * 0.62f : 4.6f;
        if (gland.Tissue == PhantomTissue.Gland)
            PlaceMyoepithelium(gland);
        // A single row in normal acini and vessels.
        float step = tumour ? spacing * 0.92f : float.MaxValue;
        List<(float X, float Y)> placed = [];
        // Cells that continue from the first section come first; new ones fill the gaps between them.
        foreach (bool continuing in model.IsFirstSection ? [true] : (ReadOnlySpan<bool>)[true, false])
        {
            int number = 0;
            for (float depth = first; depth <= last; depth += step)
            {
                float ring = MathF.Tau * MathF.Sqrt(0.5f * (Noise.Square(gland.A - depth) + Noise.Square(gland.B - depth)));
                int count = Math.Max(1, (int)(ring / spacing));
                for (int i = 0; i < count; i++)
                {
                    uint cell = Noise.Hash((int)gland.Hash, ++number, 0xCE12u);
                    if (model.Continues(cell) != continuing)
                        continue;
                    if (continuing)
                        Place(cell, number, depth, i, count);
                    else if (!Place(cell, number, depth + NewDepth(cell, spacing), i + 0.35f, count))
                        Place(cell, number, depth + NewDepth(cell, spacing), i + 0.65f, count);
                }
            }
        }

        bool Place(uint cell, int number, float depth, float at, int count)
        {
            uint hash = model.CellHash(cell, cell);
            float jitter = tumour ? 0.28f + (0.1f * gland.Atypia) : 0.12f;
            float t = MathF.Tau * (at + (jitter * ((2 * Noise.Draw(hash, 1)) - 1)) + Noise.Draw(gland.Hash, 70)) / count;
            float d = depth + (jitter * spacing * 0.7f * ((2 * Noise.Draw(hash, 2)) - 1))
                + (tumour || vessel ? 0 : 1.6f * Noise.Draw(hash, 3));
            (float x, float y, float radial) = OnContour(gland, t, d);
            (float dx, float dy) = model.Shift(cell);
            (x, y) = (x + dx, y + dy);
            if (placed.Exists(p => Noise.Square(p.X - x) + Noise.Square(p.Y - y) < keep * keep))
                return false;
            placed.Add((x, y));
            if (!area.Contains(x, y) || !Fits(gland, x, y, vessel ? 0 : 2.2f))
                return true;
            if (vessel && Noise.Draw(hash, 4) < 0.45f)
                return true;
            if (!vessel)
                Cells.Add(new Cell(x, y, gland, hash));
            Nuclei.Add(model.Epithelial(gland, number, x, y, radial));
            return true;
        }

        // New cells of tumours lie between the rows of the first section as well.
        float NewDepth(uint cell, float spacing) => tumour ? spacing * Noise.Draw(cell, 93, -0.35f, 0.35f) : 0;
    }

    /// <summary>Flat, dark nuclei between an acinus and its basement membrane.</summary>
    private void PlaceMyoepithelium(Gland gland)
    {
        int count = (int)(MathF.Tau * MathF.Sqrt(0.5f * (Noise.Square(gland.A) + Noise.Square(gland.B))) / 13);
        for (int i = 0; i < count; i++)
        {
            uint cell = Noise.Hash((int)gland.Hash, i, 0xCE13u), hash = model.CellHash(cell, cell);
            float t = MathF.Tau * (i + (0.6f * Noise.Draw(hash, 1))) / count;
            (float x, float y, float radial) = OnContour(gland, t, 1.1f);
            if (area.Contains(x, y) && Fits(gland, x, y, 0.3f) && Noise.Draw(hash, 2) < 0.7f)
                Nuclei.Add(model.Flat(hash, x, y, radial));
        }
    }

    /// <summary>
    /// Computes the point at angle t and a depth inside a gland's outline, with the warp undone, and the direction to the rim.
    /// </summary>
    private (float X, float Y, float Radial) OnContour(Gland gland, float t, float depth)
    {
        float c = MathF.Cos(t), s = MathF.Sin(t);
        float lobes = gland.Lobes(c, s);
        float u = c * Math.Max(0.5f, (gland.A * lobes) - depth), v = s * Math.Max(0.5f, (gland.B * lobes) - depth);
        float nx = c / gland.A, ny = s / gland.B;
        float qx = gland.X + (u * gland.Cos) - (v * gland.Sin), qy = gland.Y + (u * gland.Sin) + (v * gland.Cos);
        float x = qx, y = qy;
        for (int i = 0; i < 3; i++)
        {
            (float wx, float wy) = model.Warp(x, y);
            (x, y) = (qx - wx, qy - wy);
        }
        return (x, y, MathF.Atan2((nx * gland.Sin) + (ny * gland.Cos), (nx * gland.Cos) - (ny * gland.Sin)));
    }

    /// <summary>Whether a nucleus at (x, y) lies in the gland's wall, deeper than a minimum, and in no other gland.</summary>
    private bool Fits(Gland gland, float x, float y, float minimumDepth)
    {
        bool vessel = gland.Tissue == PhantomTissue.Vessel;
        (float wx, float wy) = model.Warp(x, y);
        Gland? deepest = vessel ? glands.Near(x + wx, y + wy, out float depth) : glands.EpitheliumAt(x + wx, y + wy, out depth);
        return ReferenceEquals(deepest, gland) && depth > minimumDepth && model.Tissue(x, y) > 0.02f
            && depth < gland.Wall - (vessel ? -1 : 1.5f);
    }
}
