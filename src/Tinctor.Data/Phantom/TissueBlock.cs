using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Composition of the tissue at a point of the section, before staining. Values are relative, 0 to about 1.</summary>
internal struct TissuePoint
{
    /// <summary>Tissue thickness, 0 on glass, in lumina and in clefts.</summary>
    public float Thickness;
    public float Nucleus;
    public float Chromatin;
    public float Nucleolus;
    public float Cytoplasm;

    /// <summary>Fraction of haematoxylin in the stain of the cytoplasm.</summary>
    public float Basophilia;
    public float Collagen;
    public float Blood;
    public float Membrane;

    /// <summary>Noise along the membrane, 0 to 1; the membrane is stained where it is below the completeness of the HER2 level.</summary>
    public float Gap;
    public float Her2;
    public float Ki67;
    public float Lymph;

    /// <summary>Mucoid ground substance between loose fibres, faintly basophilic.</summary>
    public float Ground;

    /// <summary>Optical path length for refraction: thickness with edges of nuclei, fibres and membranes.</summary>
    public float Phase;
    public PhantomTissue Tissue;

    /// <summary>Index into the block's nuclei, -1 outside of nuclei.</summary>
    public int NucleusIndex;
}

/// <summary>Rectangle of tissue, prepared for sampling at any point inside it. Samples do not depend on the rectangle.</summary>
internal sealed class TissueBlock
{
    private const float NodeStep = 4, BucketStep = 8, CellReach = 15, Surround = CellReach + BucketStep + 1, GlandHalo = 44;

    private readonly TissueModel model;
    private readonly List<Gland> glands;
    private readonly List<Gland> epithelia;
    private readonly List<Nucleus> nuclei = [];
    private readonly List<(float X, float Y, int Gland, uint Hash)> cells = [];
    private readonly Buckets glandsAt, nucleiAt, cellsAt;

    // Smooth fields on a grid whose nodes are multiples of NodeStep: (tissue, tumour, fat, lymph, loose, thickness, warp x, warp y)
    // and (cos 2a, sin 2a of the fibres, lumen edge, cleft, cytoplasm tone, -, -, -).
    private readonly Vector256<float>[] fieldsA, fieldsB;
    private readonly int nodesX, nodeLeft, nodeTop;

    /// <summary>Builds the tissue for a rectangle in micrometres.</summary>
    public TissueBlock(TissueModel model, float left, float top, float right, float bottom)
    {
        this.model = model;
        float far = Surround + (2 * TissueModel.GlandReach);
        this.glands = model.Glands(left - far, top - far, right + far, bottom + far);
        epithelia = this.glands.FindAll(g => g.Tissue != PhantomTissue.Vessel);
        this.glands.RemoveAll(g => g.Tissue == PhantomTissue.Vessel && Owner(epithelia, g.X, g.Y, out _, g.B + 6) is not null);

        glandsAt = new Buckets(left - Surround, top - Surround, right + Surround, bottom + Surround, 2 * BucketStep);
        for (int i = 0; i < this.glands.Count; i++)
            glandsAt.Add(i, this.glands[i].X, this.glands[i].Y, this.glands[i].Reach + this.glands[i].Cleft + 3);
        glandsAt.Freeze();

        nodeLeft = (int)MathF.Floor((left - Surround) / NodeStep);
        nodeTop = (int)MathF.Floor((top - Surround) / NodeStep);
        nodesX = (int)MathF.Floor((right + Surround) / NodeStep) - nodeLeft + 2;
        int nodesY = (int)MathF.Floor((bottom + Surround) / NodeStep) - nodeTop + 2;
        fieldsA = new Vector256<float>[nodesX * nodesY];
        fieldsB = new Vector256<float>[nodesX * nodesY];
        for (int i = 0; i < fieldsA.Length; i++)
            (fieldsA[i], fieldsB[i]) = Fields((nodeLeft + (i % nodesX)) * NodeStep, (nodeTop + (i / nodesX)) * NodeStep);

        PlaceNuclei(left - Surround, top - Surround, right + Surround, bottom + Surround);
        nucleiAt = new Buckets(left, top, right, bottom, BucketStep);
        for (int i = 0; i < nuclei.Count; i++)
            nucleiAt.Add(i, nuclei[i].X, nuclei[i].Y, nuclei[i].Reach);
        nucleiAt.Freeze();
        cellsAt = new Buckets(left, top, right, bottom, BucketStep);
        for (int i = 0; i < cells.Count; i++)
            cellsAt.Add(i, cells[i].X, cells[i].Y, CellReach);
        cellsAt.Freeze();
    }

    /// <summary>Nuclei that may overlap the rectangle.</summary>
    public IReadOnlyList<Nucleus> Nuclei => nuclei;

    /// <summary>Samples the tissue at a point of the rectangle.</summary>
    public TissuePoint Sample(float x, float y)
    {
        TissuePoint point = new() { NucleusIndex = -1 };
        (Vector256<float> a, Vector256<float> b) = Interpolate(x, y);
        float fine = Noise.Gradient(x / 7, y / 7, this.model.TextureSeed(1));
        float inside = Noise.Step(0, 0.008f, a[0] + (0.009f * fine) + (0.02f * b[4]));
        if (inside <= 0)
            return point;

        Gland? gland = OwnerAt(x + a[6], y + a[7], out float depth);
        // Cells bulge: outlines of nests are scalloped.
        if (gland is { Tissue: PhantomTissue.Tumour })
            depth += (1.3f * b[2]) + (0.5f * fine);
        float thickness = inside * (1 + (0.1f * a[5]));
        float open = 0;
        if (gland is not null && depth > -0.7f)
            open = gland.Tissue == PhantomTissue.Vessel
                ? Vessel(ref point, gland, depth, x, y)
                : Epithelium(ref point, gland, depth, x, y, b);
        if (gland is null || depth < 0.7f)
        {
            TissuePoint stroma = new() { NucleusIndex = -1 };
            float stromaOpen = Stroma(ref stroma, gland, depth, x, y, a, b);
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

    private float Epithelium(ref TissuePoint point, Gland gland, float depth, float x, float y, Vector256<float> b)
    {
        bool tumour = gland.Tissue == PhantomTissue.Tumour;
        point.Tissue = gland.Tissue;
        float wobble = 0.7f * Noise.Gradient(x / 3.1f, y / 3.1f, this.model.TextureSeed(2));
        float open = Noise.Step(-0.6f, 0.6f, depth - gland.Wall - (tumour ? 3 * b[2] : 1.2f * b[2]) - wobble);
        // Wide nests have cribriform holes.
        if (tumour && float.IsInfinity(gland.Wall) && depth > 9)
        {
            float hole = Noise.Gradient(x / 17, y / 17, this.model.TextureSeed(3)) * Noise.Step(9, 13, depth);
            open = Math.Max(open, Noise.Step(0.62f, 0.7f, hole));
        }

        float best = float.MaxValue, second = float.MaxValue;
        int near = -1, next = -1;
        float wx = x + (0.5f * wobble), wy = y - (0.5f * wobble);
        foreach (int i in cellsAt.At(x, y))
        {
            (float cx, float cy, int owner, _) = cells[i];
            if (!ReferenceEquals(this.glands[owner], gland))
                continue;
            float d = ((cx - wx) * (cx - wx)) + ((cy - wy) * (cy - wy));
            if (d < best)
                (second, next, best, near) = (best, near, d, i);
            else if (d < second)
                (second, next) = (d, i);
        }
        uint cell = near < 0 ? gland.Hash : cells[near].Hash;
        float border = float.MaxValue;
        if (next >= 0)
        {
            float between = MathF.Sqrt(Square(cells[near].X - cells[next].X) + Square(cells[near].Y - cells[next].Y));
            border = (second - best) / (2 * between);
        }
        // Basal and luminal sides are fainter membranes.
        float basal = Math.Min(MathF.Abs(depth - 0.4f), MathF.Abs(gland.Wall + (tumour ? 3 * b[2] : 1.2f * b[2]) + wobble - depth - 0.4f));
        point.Membrane = (1 - open) * Math.Max(Noise.Step(0.95f + (0.35f * b[4]), 0.1f, border), 0.5f * Noise.Step(1.0f, 0.1f, basal));
        point.Gap = 0.5f + (0.55f * Noise.Gradient(x / 5.5f, y / 5.5f, this.model.TextureSeed(4))) + this.model.GapShift(gland);
        float granular = Noise.Gradient(x / 1.3f, y / 1.3f, this.model.TextureSeed(5));
        float tone = Noise.Draw(cell, 40);
        point.Cytoplasm = (1 - open) * ((tumour ? 0.72f : 0.8f) + (0.3f * (tone - 0.5f)) + (0.2f * granular)
            + (0.22f * Noise.Gradient(x / 3.7f, y / 3.7f, this.model.TextureSeed(21))) + (0.2f * b[4]));
        point.Basophilia = (tumour ? 0.46f + (0.12f * this.model.Tone(gland)) : 0.36f) + (0.18f * (tone - 0.5f)) + (0.12f * b[3]);
        point.Her2 = gland.Her2 + (this.model.CellExpression(cell, tone) * Math.Min(1, gland.Her2));
        // Flakes of secretion in some lumina.
        if (open > 0 && Noise.Draw(gland.Hash, 50) < 0.3f)
        {
            float secretion = Noise.Step(0, 0.5f, Noise.Fractal(x / 12, y / 12, this.model.TextureSeed(6), 2)) * 0.45f;
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
                uint hash = Noise.Hash(i, j, this.model.TextureSeed(7));
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

    private float Stroma(ref TissuePoint point, Gland? gland, float depth, float x, float y, Vector256<float> a, Vector256<float> b)
    {
        point.Tissue = a[3] > 0.42f ? PhantomTissue.Lymphoid : PhantomTissue.Stroma;
        float loose = a[4];
        point.Lymph = Noise.Step(0.2f, 0.6f, a[3]);
        point.Ground = loose * Math.Clamp(0.5f + (0.9f * a[5]), 0, 1);
        (float fine, float coarse) = Fibres(x, y, b[0], b[1]);
        float body = Noise.Lerp(0.62f, 0.42f, loose) + (0.2f * coarse) + (Noise.Lerp(0.14f, 0.3f, loose) * fine);
        float grain = Noise.Gradient(x / 1.1f, y / 1.1f, this.model.TextureSeed(22))
            + (0.8f * Noise.Gradient(x / 4.3f, y / 4.3f, this.model.TextureSeed(23)));
        float collagen = Math.Clamp(body + (0.07f * grain) + (0.12f * b[3]), 0.04f, 1.2f);
        // Bundles part along their fibres.
        float split = (0.75f * coarse) + (0.55f * fine) + (0.12f * grain) - Noise.Lerp(-1.15f, -0.5f, loose);
        float open = 0.9f * Noise.Step(0.08f, -0.12f, split);
        if (gland is not null && gland.Tissue != PhantomTissue.Vessel)
        {
            if (gland.Cleft > 0)
            {
                float width = gland.Cleft * Math.Clamp(0.5f + (1.3f * b[3]), 0, 1.3f);
                open = Math.Max(open, Noise.Step(-width - 0.8f, -width + 0.4f, depth) * Noise.Step(0.2f, 0.8f, width));
            }
            else
            {
                // Basement membrane.
                collagen += 0.25f * Noise.Step(-2.2f, -0.8f, depth);
            }
        }
        point.Collagen = collagen * (1 - (0.55f * point.Lymph));
        float fat = a[2];
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
        float wx = x + (5 * Noise.Gradient(x / 30, y / 30, this.model.TextureSeed(8)));
        float wy = y + (5 * Noise.Gradient(x / 30, y / 30, this.model.TextureSeed(9)));
        int ix = (int)MathF.Floor(wx / spacing), iy = (int)MathF.Floor(wy / spacing);
        float best = float.MaxValue, second = float.MaxValue, bx = 0, by = 0, sx = 0, sy = 0;
        for (int j = iy - 1; j <= iy + 1; j++)
        {
            for (int i = ix - 1; i <= ix + 1; i++)
            {
                float cx = (i + 0.5f + (0.7f * (Noise.Uniform(i, j, this.model.TextureSeed(10)) - 0.5f))) * spacing;
                float cy = (j + 0.5f + (0.7f * (Noise.Uniform(i, j, this.model.TextureSeed(11)) - 0.5f))) * spacing;
                float d = Square(cx - wx) + Square(cy - wy);
                if (d < best)
                    (second, sx, sy, best, bx, by) = (best, bx, by, d, cx, cy);
                else if (d < second)
                    (second, sx, sy) = (d, cx, cy);
            }
        }
        return (second - best) / (2 * MathF.Sqrt(Square(bx - sx) + Square(by - sy)));
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
        float fine = Vector256.Sum(Noise.Value8(fx, fy, this.model.TextureSeed(12)));
        float coarse = Vector256.Sum(Noise.Value8(cx, cy, this.model.TextureSeed(13)));
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
                * Noise.Gradient((ku * around) + (n.Hash & 1023), (kv * around) + (n.Hash >> 22), this.model.TextureSeed(14)));
            float inside = (shape - k) * MathF.Sqrt(n.A * n.B) * (n.B < 2 ? 0.6f : 0.9f);
            // Nuclei lie at different heights in the section: some are out of focus, some are cut and pale.
            float soft = Noise.Draw(n.Hash, 30, 0.35f, 0.95f);
            float cover = Noise.Step(-soft, soft, inside);
            if (cover <= point.Nucleus)
                continue;
            float texture = Noise.Gradient(x / 0.95f, y / 0.95f, this.model.TextureSeed(15) + (n.Hash & 7))
                + (0.5f * Noise.Gradient(x / 2.2f, y / 2.2f, this.model.TextureSeed(16)));
            float rim = MathF.Exp(-Square((inside - 0.5f) / 0.55f)) * (1.3f - soft);
            float pale = n.Kind == PhantomNucleusKind.Tumour ? 0.25f * n.Coarse * Noise.Step(0.4f, 1.6f, inside) : 0;
            point.Nucleus = cover;
            point.Chromatin = n.Dark * Math.Max(0.25f, 1 + (n.Coarse * 0.95f * texture) + (0.45f * rim * (0.4f + n.Coarse)) - pale);
            point.Nucleolus = 0;
            for (int j = 0; j < n.Nucleoli; j++)
            {
                float ax = n.A * 0.5f * ((2 * Noise.Draw(n.Hash, 60 + (2 * j))) - 1);
                float ay = n.B * 0.5f * ((2 * Noise.Draw(n.Hash, 61 + (2 * j))) - 1);
                float r = MathF.Sqrt(Square(u - ax) + Square(v - ay));
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

    private (Vector256<float> A, Vector256<float> B) Fields(float x, float y)
    {
        (float wx, float wy) = this.model.Warp(x, y);
        float angle = this.model.FibreAngle(x, y);
        float c2 = MathF.Cos(2 * angle), s2 = MathF.Sin(2 * angle);
        // Fibres run around glands: near a gland they follow the tangent of its outline.
        Gland? gland = Owner(this.glands, x + wx, y + wy, out float depth, GlandHalo);
        if (gland is not null)
        {
            const float h = 1.5f;
            float gx = gland.Depth(x + wx + h, y + wy) - gland.Depth(x + wx - h, y + wy);
            float gy = gland.Depth(x + wx, y + wy + h) - gland.Depth(x + wx, y + wy - h);
            float norm = (gx * gx) + (gy * gy) + 1e-6f;
            float w = 2.2f * Noise.Step(-GlandHalo, 0, depth) * MathF.Exp(depth / 16);
            // The tangent is perpendicular to the gradient, so its double angle is the negated double angle of the gradient.
            c2 -= w * ((gx * gx) - (gy * gy)) / norm;
            s2 -= w * 2 * gx * gy / norm;
        }
        return (
            Vector256.Create(
                this.model.Tissue(x, y), this.model.Tumour(x, y), this.model.Fat(x, y), this.model.Lymph(x, y), this.model.Loose(x, y),
                Noise.Fractal(x / 240, y / 240, this.model.TextureSeed(17), 2), wx, wy),
            Vector256.Create(
                c2, s2,
                Noise.Gradient(x / 11, y / 11, this.model.TextureSeed(18)), Noise.Gradient(x / 28, y / 28, this.model.TextureSeed(19)),
                Noise.Gradient(x / 22, y / 22, this.model.TextureSeed(20)), 0, 0, 0));
    }

    private (Vector256<float> A, Vector256<float> B) Interpolate(float x, float y)
    {
        float gx = x / NodeStep, gy = y / NodeStep;
        int ix = (int)MathF.Floor(gx), iy = (int)MathF.Floor(gy);
        float fx = gx - ix, fy = gy - iy;
        int at = ((iy - nodeTop) * nodesX) + ix - nodeLeft;
        float w00 = (1 - fx) * (1 - fy), w10 = fx * (1 - fy), w01 = (1 - fx) * fy, w11 = fx * fy;
        return (
            (fieldsA[at] * w00) + (fieldsA[at + 1] * w10) + (fieldsA[at + nodesX] * w01) + (fieldsA[at + nodesX + 1] * w11),
            (fieldsB[at] * w00) + (fieldsB[at + 1] * w10) + (fieldsB[at + nodesX] * w01) + (fieldsB[at + nodesX + 1] * w11));
    }

    /// <summary>Finds the gland of a warped position: the one with the largest depth above -halo.</summary>
    private static Gland? Owner(List<Gland> glands, float x, float y, out float depth, float halo = 0)
    {
        depth = -halo;
        Gland? owner = null;
        foreach (Gland gland in glands)
        {
            if (Square(x - gland.X) + Square(y - gland.Y) > Square(gland.Reach + halo))
                continue;
            float d = gland.Depth(x, y);
            if (d > depth)
                (depth, owner) = (d, gland);
        }
        return owner;
    }

    private Gland? OwnerAt(float x, float y, out float depth)
    {
        depth = -9;
        Gland? owner = null;
        foreach (int i in glandsAt.At(x, y))
        {
            float d = this.glands[i].Depth(x, y);
            if (d > depth)
                (depth, owner) = (d, this.glands[i]);
        }
        return owner;
    }

    private void PlaceNuclei(float left, float top, float right, float bottom)
    {
        for (int i = 0; i < this.glands.Count; i++)
        {
            Gland gland = this.glands[i];
            float reach = gland.Reach;
            if (gland.X + reach > left && gland.X - reach < right && gland.Y + reach > top && gland.Y - reach < bottom)
                PlaceCells(gland, i, left, top, right, bottom);
        }
        foreach (Nucleus nucleus in this.model.LooseNuclei(left, top, right, bottom, FibreAngleAt))
        {
            (float wx, float wy) = this.model.Warp(nucleus.X, nucleus.Y);
            if (Owner(this.glands, nucleus.X + wx, nucleus.Y + wy, out _, nucleus.Kind == PhantomNucleusKind.Lymphocyte ? 2 : 3.5f) is null)
                nuclei.Add(nucleus);
        }
    }

    private float FibreAngleAt(float x, float y)
    {
        (_, Vector256<float> b) = Interpolate(x, y);
        return 0.5f * MathF.Atan2(b[1], b[0]);
    }

    /// <summary>Places cells in rows along a gland's outline, from its rim inwards.</summary>
    private void PlaceCells(Gland gland, int index, float left, float top, float right, float bottom)
    {
        bool vessel = gland.Tissue == PhantomTissue.Vessel, tumour = gland.Tissue == PhantomTissue.Tumour;
        // Larger nuclei need larger cells, but less than in proportion: they crowd.
        float larger = 1 + (0.1f * this.model.LevelInHe * gland.Atypia);
        float spacing = vessel ? 14 : tumour ? (8.2f + (3.2f * gland.Atypia)) * larger : 6.6f;
        float first = vessel ? 1.2f : tumour ? spacing * 0.52f : 5.2f;
        float last = Math.Min(gland.B, gland.Wall - (vessel ? 0 : 2.5f));
        float keep = vessel ? 0 : tumour ? spacing * 0.62f : 4.6f;
        if (gland.Tissue == PhantomTissue.Gland)
            PlaceMyoepithelium(gland, left, top, right, bottom);
        // A single row in normal acini and vessels.
        float step = tumour ? spacing * 0.92f : float.MaxValue;
        List<(float X, float Y)> placed = [];
        // Cells that continue from the first section come first; new ones fill the gaps between them.
        foreach (bool continuing in this.model.IsFirstSection ? [true] : (ReadOnlySpan<bool>)[true, false])
        {
            int number = 0;
            for (float depth = first; depth <= last; depth += step)
            {
                float ring = MathF.Tau * MathF.Sqrt(0.5f * (Square(gland.A - depth) + Square(gland.B - depth)));
                int count = Math.Max(1, (int)(ring / spacing));
                for (int i = 0; i < count; i++)
                {
                    uint cell = Noise.Hash((int)gland.Hash, ++number, 0xCE12u);
                    if (this.model.Continues(cell) != continuing)
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
            uint hash = this.model.CellHash(cell, cell);
            float jitter = tumour ? 0.28f + (0.1f * gland.Atypia) : 0.12f;
            float t = MathF.Tau * (at + (jitter * ((2 * Noise.Draw(hash, 1)) - 1)) + Noise.Draw(gland.Hash, 70)) / count;
            float d = depth + (jitter * spacing * 0.7f * ((2 * Noise.Draw(hash, 2)) - 1))
                + (tumour || vessel ? 0 : 1.6f * Noise.Draw(hash, 3));
            (float x, float y, float radial) = OnContour(gland, t, d);
            (float dx, float dy) = this.model.Shift(cell);
            (x, y) = (x + dx, y + dy);
            if (placed.Exists(p => Square(p.X - x) + Square(p.Y - y) < keep * keep))
                return false;
            placed.Add((x, y));
            if (x < left || x >= right || y < top || y >= bottom || !Fits(gland, x, y, vessel ? 0 : 2.2f))
                return true;
            if (vessel && Noise.Draw(hash, 4) < 0.45f)
                return true;
            if (!vessel)
                cells.Add((x, y, index, hash));
            nuclei.Add(this.model.Epithelial(gland, number, x, y, radial));
            return true;
        }

        // New cells of tumours lie between the rows of the first section as well.
        float NewDepth(uint cell, float spacing) => tumour ? spacing * Noise.Draw(cell, 93, -0.35f, 0.35f) : 0;
    }

    /// <summary>Flat, dark nuclei between an acinus and its basement membrane.</summary>
    private void PlaceMyoepithelium(Gland gland, float left, float top, float right, float bottom)
    {
        int count = (int)(MathF.Tau * MathF.Sqrt(0.5f * (Square(gland.A) + Square(gland.B))) / 13);
        for (int i = 0; i < count; i++)
        {
            uint cell = Noise.Hash((int)gland.Hash, i, 0xCE13u), hash = this.model.CellHash(cell, cell);
            float t = MathF.Tau * (i + (0.6f * Noise.Draw(hash, 1))) / count;
            (float x, float y, float radial) = OnContour(gland, t, 1.1f);
            if (x >= left && x < right && y >= top && y < bottom && Fits(gland, x, y, 0.3f) && Noise.Draw(hash, 2) < 0.7f)
                nuclei.Add(this.model.Flat(hash, x, y, radial));
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
            (float wx, float wy) = this.model.Warp(x, y);
            (x, y) = (qx - wx, qy - wy);
        }
        return (x, y, MathF.Atan2((nx * gland.Sin) + (ny * gland.Cos), (nx * gland.Cos) - (ny * gland.Sin)));
    }

    /// <summary>Whether a nucleus at (x, y) lies in the gland's wall, deeper than a minimum, and in no other gland.</summary>
    private bool Fits(Gland gland, float x, float y, float minimumDepth)
    {
        bool vessel = gland.Tissue == PhantomTissue.Vessel;
        (float wx, float wy) = this.model.Warp(x, y);
        Gland? owner = Owner(vessel ? this.glands : epithelia, x + wx, y + wy, out float depth);
        return ReferenceEquals(owner, gland) && depth > minimumDepth && this.model.Tissue(x, y) > 0.02f
            && depth < gland.Wall - (vessel ? -1 : 1.5f);
    }

    private static float Square(float x) => x * x;
}

/// <summary>Spatial index of discs: a grid with a list of discs per cell.</summary>
internal sealed class Buckets
{
    private readonly float left, top, step;
    private readonly int columns, rows;
    private readonly List<(int Bucket, int Item)> entries = [];
    private int[] starts = [];
    private int[] items = [];

    /// <summary>Creates an empty index of a rectangle.</summary>
    public Buckets(float left, float top, float right, float bottom, float step)
    {
        // Alignment to multiples of the step makes results independent of the rectangle.
        (this.left, this.top, this.step) = (MathF.Floor(left / step) - 2, MathF.Floor(top / step) - 2, step);
        columns = (int)(MathF.Floor(right / step) - this.left) + 3;
        rows = (int)(MathF.Floor(bottom / step) - this.top) + 3;
    }

    /// <summary>Adds a disc.</summary>
    public void Add(int item, float x, float y, float radius)
    {
        int x0 = Math.Max(0, Column(x - radius)), x1 = Math.Min(columns - 1, Column(x + radius));
        int y0 = Math.Max(0, Row(y - radius)), y1 = Math.Min(rows - 1, Row(y + radius));
        for (int row = y0; row <= y1; row++)
        {
            for (int column = x0; column <= x1; column++)
                entries.Add(((row * columns) + column, item));
        }
    }

    /// <summary>Sorts the discs into their lists; call once, after the last Add.</summary>
    public void Freeze()
    {
        starts = new int[(columns * rows) + 1];
        foreach ((int bucket, _) in entries)
            starts[bucket + 1]++;
        for (int i = 1; i < starts.Length; i++)
            starts[i] += starts[i - 1];
        items = new int[entries.Count];
        int[] next = [.. starts];
        foreach ((int bucket, int item) in entries)
            items[next[bucket]++] = item;
        entries.Clear();
    }

    /// <summary>Gets the discs that may cover a point, in the order of addition.</summary>
    public ReadOnlySpan<int> At(float x, float y)
    {
        int bucket = (Math.Clamp(Row(y), 0, rows - 1) * columns) + Math.Clamp(Column(x), 0, columns - 1);
        return items.AsSpan(starts[bucket], starts[bucket + 1] - starts[bucket]);
    }

    private int Column(float x) => (int)(MathF.Floor(x / this.step) - this.left);

    private int Row(float y) => (int)(MathF.Floor(y / this.step) - this.top);
}
