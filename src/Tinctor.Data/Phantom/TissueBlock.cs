using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Rectangle of tissue, prepared for sampling at any point inside it. Samples do not depend on the rectangle.</summary>
internal sealed class TissueBlock
{
    private const float IndexStep = 8, CellReach = 15, Surround = CellReach + IndexStep + 1;

    private readonly TissueModel model;
    private readonly GlandMap glands;
    private readonly TissueFields fields;
    private readonly List<Nucleus> nuclei;
    private readonly List<Cell> cells;
    private readonly DiscIndex nucleiAt, cellsAt;

    /// <summary>Builds the tissue for an area.</summary>
    public TissueBlock(TissueModel model, TissueArea area)
    {
        this.model = model;
        TissueArea around = area.Expand(Surround);
        glands = new GlandMap(model, around);
        fields = new TissueFields(model, glands, around);
        var placement = new CellPlacement(model, glands, fields, around);
        (nuclei, cells) = (placement.Nuclei, placement.Cells);
        nucleiAt = DiscIndex.Create(area, IndexStep, nuclei, nucleus => (nucleus.X, nucleus.Y, nucleus.Reach));
        cellsAt = DiscIndex.Create(area, IndexStep, cells, cell => (cell.X, cell.Y, CellReach));
    }

    /// <summary>Nuclei that may overlap the area.</summary>
    public IReadOnlyList<Nucleus> Nuclei => nuclei;

    /// <summary>Samples the tissue at a point of the rectangle.</summary>
    public TissuePoint Sample(float x, float y)
    {
        TissuePoint point = new() { NucleusIndex = -1 };
        FieldValues field = fields.At(x, y);
        float fine = Noise.Gradient(x / 7, y / 7, model.TextureSeed(1));
        float inside = Noise.Step(0, 0.008f, field.Tissue + (0.009f * fine) + (0.02f * field.Tone));
        if (inside <= 0)
            return point;

        Gland? gland = glands.At(x + field.WarpX, y + field.WarpY, out float depth);
        // Cells bulge: outlines of nests are scalloped.
        if (gland is { Tissue: PhantomTissue.Tumour })
            depth += (1.3f * field.Outline) + (0.5f * fine);
        float thickness = inside * (1 + (0.1f * field.Thickness));
        float open = 0;
        if (gland is not null && depth > -0.7f)
            open = gland.Tissue == PhantomTissue.Vessel
                ? Vessel(ref point, gland, depth, x, y)
                : Epithelium(ref point, gland, depth, x, y, field);
        if (gland is null || depth < 0.7f)
        {
            TissuePoint stroma = new() { NucleusIndex = -1 };
            float stromaOpen = Stroma(ref stroma, gland, depth, x, y, field);
            float w = gland is null ? 0 : Noise.Step(-0.7f, 0.7f, depth);
            Blend(ref point, stroma, w);
            open = Noise.Lerp(stromaOpen, open, w);
        }
        DrawNuclei(ref point, x, y, ref open);
        point.Thickness = thickness * (1 - open);
        if (open > 0.5f && point.Tissue is not (PhantomTissue.Fat or PhantomTissue.Vessel))
            point.Tissue = PhantomTissue.Lumen;
        if (inside < 0.5f)
            point.Tissue = PhantomTissue.Glass;
        if (point.Tissue is PhantomTissue.Glass or PhantomTissue.Lumen && point.Nucleus < 0.5f)
            point.NucleusIndex = -1;
        point.Phase = point.Thickness * (0.5f + (0.35f * point.Collagen) + (0.2f * point.Nucleus * point.Chromatin)
            + (0.25f * point.Membrane) + (0.3f * point.Blood) + (0.06f * fine));
        return point;
    }

    private float Epithelium(ref TissuePoint point, Gland gland, float depth, float x, float y, in FieldValues field)
    {
        bool tumour = gland.Tissue == PhantomTissue.Tumour;
        point.Tissue = gland.Tissue;
        float wobble = 0.7f * Noise.Gradient(x / 3.1f, y / 3.1f, model.TextureSeed(2));
        float uneven = (tumour ? 3 : 1.2f) * field.Outline;
        float open = Noise.Step(-0.6f, 0.6f, depth - gland.Wall - uneven - wobble);
        // Wide nests have cribriform holes.
        if (tumour && float.IsInfinity(gland.Wall) && depth > 9)
        {
            float hole = Noise.Gradient(x / 17, y / 17, model.TextureSeed(3)) * Noise.Step(9, 13, depth);
            open = Math.Max(open, Noise.Step(0.62f, 0.7f, hole));
        }

        float best = float.MaxValue, second = float.MaxValue;
        int near = -1, next = -1;
        float wx = x + (0.5f * wobble), wy = y - (0.5f * wobble);
        foreach (int i in cellsAt.At(x, y))
        {
            if (!ReferenceEquals(cells[i].Gland, gland))
                continue;
            float d = Noise.Square(cells[i].X - wx) + Noise.Square(cells[i].Y - wy);
            if (d < best)
                (second, next, best, near) = (best, near, d, i);
            else if (d < second)
                (second, next) = (d, i);
        }
        uint cell = near < 0 ? gland.Hash : cells[near].Hash;
        float border = float.MaxValue;
        if (next >= 0)
        {
            float between = MathF.Sqrt(Noise.Square(cells[near].X - cells[next].X) + Noise.Square(cells[near].Y - cells[next].Y));
            border = (second - best) / (2 * between);
        }
        // Basal and luminal sides are fainter membranes.
        float basal = Math.Min(MathF.Abs(depth - 0.4f), MathF.Abs(gland.Wall + uneven + wobble - depth - 0.4f));
        point.Membrane = (1 - open)
            * Math.Max(Noise.Step(0.95f + (0.35f * field.Tone), 0.1f, border), 0.5f * Noise.Step(1.0f, 0.1f, basal));
        point.Gap = 0.5f + (0.55f * Noise.Gradient(x / 5.5f, y / 5.5f, model.TextureSeed(4))) + model.GapShift(gland);
        float granular = Noise.Gradient(x / 1.3f, y / 1.3f, model.TextureSeed(5));
        float tone = Noise.Draw(cell, 40);
        point.Cytoplasm = (1 - open) * ((tumour ? 0.72f : 0.8f) + (0.3f * (tone - 0.5f)) + (0.2f * granular)
            + (0.22f * Noise.Gradient(x / 3.7f, y / 3.7f, model.TextureSeed(21))) + (0.2f * field.Tone));
        point.Basophilia = (tumour ? 0.46f + (0.12f * model.Tone(gland)) : 0.36f) + (0.18f * (tone - 0.5f)) + (0.12f * field.Cleft);
        point.Her2 = gland.Her2 + (model.CellExpression(cell, tone) * Math.Min(1, gland.Her2));
        // Flakes of secretion in some lumina.
        if (open > 0 && Noise.Draw(gland.Hash, 50) < 0.3f)
        {
            float secretion = Noise.Step(0, 0.5f, Noise.Fractal(x / 12, y / 12, model.TextureSeed(6), 2)) * 0.45f;
            point.Cytoplasm = Math.Max(point.Cytoplasm, secretion * 0.6f);
            point.Basophilia *= 1 - open;
            open *= 1 - secretion;
        }
        return open;
    }

    private float Vessel(ref TissuePoint point, Gland gland, float depth, float x, float y)
    {
        point.Tissue = PhantomTissue.Vessel;
        float open = Noise.Step(-0.4f, 0.4f, depth - gland.Wall);
        point.Collagen = 0.55f * (1 - open);
        point.Cytoplasm = 0.4f * (1 - open);
        point.Basophilia = 0.2f;
        float packed = Noise.Draw(gland.Hash, 51);
        if (open <= 0 || packed < 0.35f)
            return open;
        // Red cells: discs on a jittered lattice, pale in the middle.
        const float spacing = 5.4f;
        int ix = (int)MathF.Floor(x / spacing), iy = (int)MathF.Floor(y / spacing);
        float cover = 0;
        for (int j = iy - 1; j <= iy + 1; j++)
        {
            for (int i = ix - 1; i <= ix + 1; i++)
            {
                uint hash = Noise.Hash(i, j, model.TextureSeed(7));
                if (Noise.Draw(hash, 3) > packed)
                    continue;
                float dx = x - ((i + 0.5f + (0.4f * (Noise.Draw(hash, 1) - 0.5f))) * spacing);
                float dy = y - ((j + 0.5f + (0.4f * (Noise.Draw(hash, 2) - 0.5f))) * spacing);
                float r = MathF.Sqrt((dx * dx) + (dy * dy));
                cover = Math.Max(cover, Noise.Step(3.1f, 2.5f, r) * (0.75f + (0.25f * Noise.Step(0, 2, r))));
            }
        }
        point.Blood = cover * open;
        return open * (1 - cover);
    }

    private float Stroma(ref TissuePoint point, Gland? gland, float depth, float x, float y, in FieldValues field)
    {
        point.Tissue = field.Lymph > 0.42f ? PhantomTissue.Lymphoid : PhantomTissue.Stroma;
        float loose = field.Loose;
        point.Lymph = Noise.Step(0.2f, 0.6f, field.Lymph);
        point.Ground = loose * Math.Clamp(0.5f + (0.9f * field.Thickness), 0, 1);
        (float fine, float coarse) = Fibres(x, y, field.FibreCos, field.FibreSin);
        float body = Noise.Lerp(0.62f, 0.42f, loose) + (0.2f * coarse) + (Noise.Lerp(0.14f, 0.3f, loose) * fine);
        float grain = Noise.Gradient(x / 1.1f, y / 1.1f, model.TextureSeed(22))
            + (0.8f * Noise.Gradient(x / 4.3f, y / 4.3f, model.TextureSeed(23)));
        float collagen = Math.Clamp(body + (0.07f * grain) + (0.12f * field.Cleft), 0.04f, 1.2f);
        // Bundles part along their fibres.
        float split = (0.75f * coarse) + (0.55f * fine) + (0.12f * grain) - Noise.Lerp(-1.15f, -0.5f, loose);
        float open = 0.9f * Noise.Step(0.08f, -0.12f, split);
        if (gland is not null && gland.Tissue != PhantomTissue.Vessel)
        {
            if (gland.Cleft > 0)
            {
                float width = gland.Cleft * Math.Clamp(0.5f + (1.3f * field.Cleft), 0, 1.3f);
                open = Math.Max(open, Noise.Step(-width - 0.8f, -width + 0.4f, depth) * Noise.Step(0.2f, 0.8f, width));
            }
            else
            {
                // Basement membrane.
                collagen += 0.25f * Noise.Step(-2.2f, -0.8f, depth);
            }
        }
        point.Collagen = collagen * (1 - (0.55f * point.Lymph));
        float fat = field.Fat;
        if (fat > -0.02f)
        {
            float wall = FatWall(x, y);
            float inFat = Noise.Step(-0.02f, 0.02f, fat);
            float septum = Noise.Step(1.3f, 0.4f, wall);
            point.Collagen = Noise.Lerp(point.Collagen, 0.45f * septum, inFat);
            open = Noise.Lerp(open, 1 - septum, inFat);
            if (inFat > 0.5f)
                point.Tissue = PhantomTissue.Fat;
        }
        return open;
    }

    /// <summary>Distance to the nearest wall between fat cells.</summary>
    private float FatWall(float x, float y)
    {
        const float spacing = 44;
        float wx = x + (5 * Noise.Gradient(x / 30, y / 30, model.TextureSeed(8)));
        float wy = y + (5 * Noise.Gradient(x / 30, y / 30, model.TextureSeed(9)));
        int ix = (int)MathF.Floor(wx / spacing), iy = (int)MathF.Floor(wy / spacing);
        float best = float.MaxValue, second = float.MaxValue, bx = 0, by = 0, sx = 0, sy = 0;
        for (int j = iy - 1; j <= iy + 1; j++)
        {
            for (int i = ix - 1; i <= ix + 1; i++)
            {
                float cx = (i + 0.5f + (0.7f * (Noise.Uniform(i, j, model.TextureSeed(10)) - 0.5f))) * spacing;
                float cy = (j + 0.5f + (0.7f * (Noise.Uniform(i, j, model.TextureSeed(11)) - 0.5f))) * spacing;
                float d = Noise.Square(cx - wx) + Noise.Square(cy - wy);
                if (d < best)
                    (second, sx, sy, best, bx, by) = (best, bx, by, d, cx, cy);
                else if (d < second)
                    (second, sx, sy) = (d, cx, cy);
            }
        }
        return (second - best) / (2 * MathF.Sqrt(Noise.Square(bx - sx) + Noise.Square(by - sy)));
    }

    /// <summary>
    /// Fine fibres and coarse bundles: noise averaged along the fibre direction (line integral convolution), about [-1, 1].
    /// </summary>
    private (float Fine, float Coarse) Fibres(float x, float y, float cos2, float sin2)
    {
        float norm = MathF.Sqrt((cos2 * cos2) + (sin2 * sin2)) + 1e-6f;
        float c = MathF.Sqrt(Math.Max(0, 0.5f * (1 + (cos2 / norm))));
        float s = MathF.CopySign(MathF.Sqrt(Math.Max(0, 0.5f * (1 - (cos2 / norm)))), sin2);
        Vector256<float> taps = Vector256.Create(-3.5f, -2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 3.5f);
        Vector256<float> fx = (Vector256.Create(x) + (taps * (2.1f * c))) * (1 / 1.7f);
        Vector256<float> fy = (Vector256.Create(y) + (taps * (2.1f * s))) * (1 / 1.7f);
        Vector256<float> cx = (Vector256.Create(x) + (taps * (6.5f * c))) * (1 / 5.5f);
        Vector256<float> cy = (Vector256.Create(y) + (taps * (6.5f * s))) * (1 / 5.5f);
        float fine = Vector256.Sum(Noise.Value8(fx, fy, model.TextureSeed(12)));
        float coarse = Vector256.Sum(Noise.Value8(cx, cy, model.TextureSeed(13)));
        return (fine * 0.36f, coarse * 0.36f);
    }

    /// <summary>Draws the nuclei over the point.</summary>
    private void DrawNuclei(ref TissuePoint point, float x, float y, ref float open)
    {
        foreach (int i in nucleiAt.At(x, y))
        {
            Nucleus n = nuclei[i];
            float dx = x - n.X, dy = y - n.Y;
            float u = (dx * n.Cos) + (dy * n.Sin), v = (dy * n.Cos) - (dx * n.Sin);
            v += n.Bend * ((u * u / n.A) - (0.4f * n.A));
            float ku = u / n.A, kv = v / n.B;
            float k = MathF.Sqrt((ku * ku) + (kv * kv));
            if (k > 1.6f)
                continue;
            float around = 1.1f / (k + 0.2f);
            float shape = 1 + (n.Uneven
                * Noise.Gradient((ku * around) + (n.Hash & 1023), (kv * around) + (n.Hash >> 22), model.TextureSeed(14)));
            float inside = (shape - k) * MathF.Sqrt(n.A * n.B) * (n.B < 2 ? 0.6f : 0.9f);
            // Nuclei lie at different heights in the section: some are out of focus, some are cut and pale.
            float soft = Noise.Draw(n.Hash, 30, 0.35f, 0.95f);
            float cover = Noise.Step(-soft, soft, inside);
            if (cover <= point.Nucleus)
                continue;
            float texture = Noise.Gradient(x / 0.95f, y / 0.95f, model.TextureSeed(15) + (n.Hash & 7))
                + (0.5f * Noise.Gradient(x / 2.2f, y / 2.2f, model.TextureSeed(16)));
            float rim = MathF.Exp(-Noise.Square((inside - 0.5f) / 0.55f)) * (1.3f - soft);
            float pale = n.Kind == PhantomNucleusKind.Tumour ? 0.25f * n.Coarse * Noise.Step(0.4f, 1.6f, inside) : 0;
            point.Nucleus = cover;
            point.Chromatin = n.Dark * Math.Max(0.25f, 1 + (n.Coarse * 0.95f * texture) + (0.45f * rim * (0.4f + n.Coarse)) - pale);
            point.Nucleolus = 0;
            for (int j = 0; j < n.Nucleoli; j++)
            {
                float ax = n.A * 0.5f * ((2 * Noise.Draw(n.Hash, 60 + (2 * j))) - 1);
                float ay = n.B * 0.5f * ((2 * Noise.Draw(n.Hash, 61 + (2 * j))) - 1);
                float r = MathF.Sqrt(Noise.Square(u - ax) + Noise.Square(v - ay));
                point.Nucleolus = Math.Max(point.Nucleolus, Noise.Step(1.15f, 0.6f, r));
            }
            point.Ki67 = n.Ki67;
            point.NucleusIndex = cover > 0.5f ? i : point.NucleusIndex;
        }
        open *= 1 - point.Nucleus;
        point.Membrane *= 1 - (0.85f * point.Nucleus);
    }

    private static void Blend(ref TissuePoint point, in TissuePoint stroma, float w)
    {
        point.Cytoplasm *= w;
        point.Membrane *= w;
        point.Her2 *= w > 0 ? 1 : 0;
        point.Collagen = Noise.Lerp(stroma.Collagen, point.Collagen, w);
        point.Blood *= w;
        point.Lymph = stroma.Lymph * (1 - w);
        point.Ground = stroma.Ground * (1 - w);
        if (w < 0.5f)
            point.Tissue = stroma.Tissue;
    }
}
