namespace Tinctor.Data.Phantom;

/// <summary>
/// Unbounded tissue of a slide: pure functions of a position in micrometres. Compartments are smooth noise, glands and nuclei lie on
/// jittered lattices. Any region can be built independently.
/// </summary>
internal sealed class TissueModel
{
    /// <summary>Maximum displacement of outlines by the fine warp.</summary>
    public const float WarpReach = 9;

    /// <summary>Maximum distance of a gland's points from its lattice point.</summary>
    public const float GlandReach = 90;

    private const float NestSpacing = 56, AcinusSpacing = 64, VesselSpacing = 110, StromalSpacing = 11.5f, LymphocyteSpacing = 7.2f;

    // Share of the cells of a section that are cut again by the next one, 4 um deeper, and the distance by which they move, in micrometres.
    private const float Continuing = 0.35f, CellShift = 1.4f;

    // Textures of single cells, granules and fine fibres (see TissueBlock and TissueFields), which neighbouring sections do not share:
    // bit n for texture n.
    private const uint FineTextures = (1u << 1) | (1u << 2) | (1u << 4) | (1u << 5) | (1u << 7) | (1u << 12) | (1u << 14) | (1u << 15)
        | (1u << 16) | (1u << 18) | (1u << 21) | (1u << 22) | (1u << 23);

    private const uint GapTexture = 4;

    // Standard deviation of the atypia of the nests of a slide whose level only whole fields show: more than a level's step of 0.2.
    private const float NestSpread = 0.22f;

    private readonly uint seed;
    private readonly uint section; // salt of the section; 0 for the first
    private readonly uint stain; // salt of the HER2 expression; 0 if it follows from the tissue alone
    private readonly int level;
    private readonly float atypia;
    private readonly float tubular;
    private readonly bool levelInFields;

    /// <summary>Creates the tissue of a slide.</summary>
    /// <param name="seed">Random seed.</param>
    /// <param name="her2Level">HER2 level, 0 to 3.</param>
    /// <param name="ki67Share">Fraction of positive tumour nuclei; null draws it.</param>
    /// <param name="levelInHe">Correlation of nuclear morphology with the level, 0 to 1: <see cref="PhantomOptions.LevelInHe"/>.</param>
    /// <param name="levelInFields">Whether only whole fields show the level: <see cref="PhantomOptions.LevelInFields"/>.</param>
    /// <param name="stainSeed">Random seed of the HER2 expression: <see cref="PhantomOptions.StainSeed"/>.</param>
    /// <param name="section">
    /// Number of the section: 0, or the next ones, with the same glands and compartments, but other cells.
    /// </param>
    public TissueModel(ulong seed, int her2Level, double? ki67Share, double levelInHe = 0, bool levelInFields = false,
        ulong? stainSeed = null, int section = 0)
    {
        this.seed = Noise.Hash((int)seed, (int)(seed >> 32), 0x7155u);
        this.levelInFields = levelInFields;
        this.section = section == 0 ? 0 : Noise.Hash(section, 0, this.seed) | 1;
        ulong expression = stainSeed ?? 0;
        stain = stainSeed is null && !levelInFields ? 0 : Noise.Hash((int)expression, (int)(expression >> 32), this.seed + 0x5741u) | 1;
        level = her2Level;
        LevelInHe = (float)levelInHe;
        float mean = Noise.Lerp(0.18f + (0.2f * her2Level), 0.05f + (0.3f * her2Level), LevelInHe);
        float spread = Noise.Lerp(0.1f, 0.07f, LevelInHe);
        this.atypia = Math.Clamp(mean + Noise.Draw(this.seed, 1, -spread, spread), 0, 1);
        tubular = Math.Clamp(0.9f - (0.75f * this.atypia) + Noise.Draw(this.seed, 2, -0.1f, 0.1f), 0, 1);
        Ki67Share = (float)(ki67Share ?? Math.Clamp(0.05 + (0.55 * this.atypia) + Noise.Draw(this.seed, 3, -0.08f, 0.08f), 0.03, 0.7));
    }

    /// <summary>Correlation of nuclear morphology with the HER2 level, 0 to 1.</summary>
    public float LevelInHe { get; }

    /// <summary>Fraction of Ki67-positive tumour nuclei.</summary>
    public float Ki67Share { get; }

    /// <summary>Whether the section is the first one.</summary>
    public bool IsFirstSection => section == 0;

    /// <summary>Mean nuclear atypia of the slide's tumour, 0 to 1.</summary>
    public float Atypia => this.atypia;

    /// <summary>Level-set function of tissue: positive in tissue, negative on glass.</summary>
    public float Tissue(float x, float y) => 0.42f + Noise.Fractal(x / 800, y / 800, this.seed + 10, 3);

    /// <summary>Level-set function of tumour: positive inside.</summary>
    public float Tumour(float x, float y) => 0.08f + Noise.Fractal(x / 380, y / 380, this.seed + 20, 2);

    /// <summary>Level-set function of fat: positive inside; tumour displaces fat.</summary>
    public float Fat(float x, float y) => Noise.Fractal(x / 420, y / 420, this.seed + 30, 2) - 0.42f - (0.6f * Math.Max(0, Tumour(x, y)));

    /// <summary>Density of lymphocytes, 0 to 1.</summary>
    public float Lymph(float x, float y)
    {
        float n = Noise.Fractal(x / 170, y / 170, this.seed + 40, 2);
        return 0.015f + (0.9f * Noise.Step(0.35f, 0.8f, n));
    }

    /// <summary>Looseness of the stroma, 0 (dense) to 1.</summary>
    public float Loose(float x, float y) => Noise.Step(-0.6f, 0.8f, Noise.Fractal(x / 190, y / 190, this.seed + 50, 2));

    /// <summary>Displacement of outlines at a position, at most <see cref="WarpReach"/>.</summary>
    public (float X, float Y) Warp(float x, float y)
    {
        float dx = 5.5f * Noise.Fractal(x / 42, y / 42, this.seed + 60, 2), dy = 5.5f * Noise.Fractal(x / 42, y / 42, this.seed + 65, 2);
        if (section != 0)
        {
            // Outlines change a little from section to section.
            dx += 1.5f * Noise.Gradient(x / 24, y / 24, section + 1);
            dy += 1.5f * Noise.Gradient(x / 24, y / 24, section + 2);
        }
        return (Math.Clamp(dx, -WarpReach, WarpReach), Math.Clamp(dy, -WarpReach, WarpReach));
    }

    /// <summary>Angle of the collagen fibres far from glands.</summary>
    public float FibreAngle(float x, float y) =>
        (2.6f * Noise.Fractal(x / 320, y / 320, this.seed + 70, 2)) + (0.55f * Noise.Gradient(x / 26, y / 26, this.seed + 74));

    /// <summary>Random seed of a texture.</summary>
    public uint TextureSeed(uint n) => this.seed + 1000 + n + (((FineTextures >> (int)n) & 1) * section) + (n == GapTexture ? stain : 0);

    /// <summary>Whether a cell of the first section is also in this one.</summary>
    public bool Continues(uint place) => section == 0 || Noise.Uniform((int)place, 1, section) < Continuing;

    /// <summary>Gets the random number of a cell in this section: that of the first section if the cell continues.</summary>
    /// <param name="place">Random number of the cell's place in the first section.</param>
    /// <param name="hash">Random number in the first section.</param>
    public uint CellHash(uint place, uint hash) => Continues(place) ? hash : Noise.Hash((int)hash, 2, section);

    /// <summary>Draws the distance in micrometres between the centres of a cell in the first section and in this one.</summary>
    public (float X, float Y) Shift(uint place) => section == 0 ? (0, 0)
        : (CellShift * ((2 * Noise.Uniform((int)place, 3, section)) - 1), CellShift * ((2 * Noise.Uniform((int)place, 4, section)) - 1));

    /// <summary>Difference between a cell's HER2 expression and that of its gland, in levels; random if the stain has a seed.</summary>
    /// <param name="cell">Random number of the cell.</param>
    /// <param name="tone">Tone of the cell, 0 to 1.</param>
    public float CellExpression(uint cell, float tone) =>
        stain == 0 ? 0.3f * (tone - 0.5f) : 1.2f * (Noise.Uniform((int)cell, 5, stain) - 0.5f);

    /// <summary>
    /// Part of a gland's atypia that darkens its nuclei and cytoplasm, 0 to 1; constant if only whole fields show the level.
    /// </summary>
    public float Tone(Gland gland) => levelInFields ? 0.5f : gland.Atypia;

    /// <summary>Shift of the noise along a gland's membranes: positive for less complete membranes; 0 if the stain has no seed.</summary>
    public float GapShift(Gland gland) => stain == 0 ? 0 : 0.6f * (Noise.Uniform((int)gland.Hash, 6, stain) - 0.5f);

    /// <summary>
    /// Gets the nests, acini and vessels with centres in an area, in an order independent of the area.
    /// </summary>
    public List<Gland> Glands(TissueArea area)
    {
        List<Gland> glands = [];
        Visit(area, NestSpacing, 0.4f, this.seed + 100, (x, y, hash) => Add(Nest(x, y, hash)));
        Visit(area, AcinusSpacing, 0.32f, this.seed + 101, (x, y, hash) => Add(Acinus(x, y, hash)));
        Visit(area, VesselSpacing, 0.45f, this.seed + 102, (x, y, hash) => Add(Vessel(x, y, hash)));
        return glands;

        void Add(Gland? gland)
        {
            if (gland is not null)
                glands.Add(gland);
        }
    }

    /// <summary>Gets the nuclei of stroma and infiltrates with centres in an area, including positions inside glands.</summary>
    public IEnumerable<Nucleus> LooseNuclei(TissueArea area, Func<float, float, float> fibreAngle)
    {
        List<Nucleus> nuclei = [];
        VisitCells(area, LymphocyteSpacing, 0.36f, this.seed + 110, (x, y, hash) =>
        {
            if (Tissue(x, y) > 0.03f && Noise.Draw(hash, 3) < Lymph(x, y) && Fat(x, y) < 0)
                nuclei.Add(Lymphocyte(x, y, hash));
        });
        VisitCells(area, StromalSpacing, 0.45f, this.seed + 111, (x, y, hash) =>
        {
            float density = 0.17f + (0.22f * Noise.Step(-0.2f, 0.7f, Noise.Gradient(x / 60, y / 60, this.seed + 75)));
            if (Tissue(x, y) > 0.02f && Noise.Draw(hash, 3) < density && Lymph(x, y) < 0.3f && Fat(x, y) < 0)
                nuclei.Add(Stromal(x, y, hash, fibreAngle(x, y)));
        });
        return nuclei;
    }

    /// <summary>Creates an epithelial nucleus of a gland.</summary>
    public Nucleus Epithelial(Gland gland, int index, float x, float y, float radialAngle)
    {
        uint hash = CellHash(Noise.Hash((int)gland.Hash, index, 0xCE12u), Noise.Hash((int)gland.Hash, index, 0xCE11u));
        bool tumour = gland.Tissue == PhantomTissue.Tumour;
        bool vessel = gland.Tissue == PhantomTissue.Vessel;
        float atypia = gland.Atypia;
        float size = tumour
            ? 3.5f + (1.6f * atypia) + ((0.35f + (0.75f * atypia)) * Math.Clamp(Noise.Normal(hash, 5), -1.8f, 2.4f))
            : 3.1f + (0.25f * Noise.Normal(hash, 5));
        size = Math.Clamp(size, 2.4f, 8);
        float aspect = tumour ? Noise.Draw(hash, 1, 1, 1.35f + (0.35f * atypia)) : Noise.Draw(hash, 1, 1.15f, 1.5f);
        float angle = radialAngle + (tumour ? Noise.Draw(hash, 2, -1.3f, 1.3f) : Noise.Draw(hash, 2, -0.25f, 0.25f));
        if (vessel)
            (size, aspect, angle) = (2.1f, Noise.Draw(hash, 1, 2.5f, 4), radialAngle + (MathF.PI / 2));
        float dark = tumour
            ? Noise.Draw(hash, 4, 0.46f, 0.84f) + (0.12f * Tone(gland) * Noise.Draw(hash, 6))
            : Noise.Draw(hash, 4, 0.6f, 0.85f);
        dark *= Noise.Draw(hash, 8) < 0.2f ? 0.55f : 1;
        if (tumour)
        {
            // Bland nuclei become smaller and paler, atypical ones larger and darker, in proportion to the option.
            size *= 1 + (LevelInHe * ((0.3f * atypia) - 0.1f));
            dark *= 1 + (LevelInHe * ((0.5f * atypia) - 0.15f));
        }
        // The next section cuts a nucleus at another height.
        if (section != 0) size *= 0.8f + (0.3f * Noise.Uniform((int)hash, 7, section));
        float root = MathF.Sqrt(aspect);
        float her2 = vessel ? 0 : Math.Clamp(gland.Her2 + (0.25f * Noise.Normal(hash, 7)), 0, 3);
        float share = tumour ? Ki67Share * (0.6f + (0.8f * atypia)) : vessel ? 0.01f : 0.03f;
        var nucleus = new Nucleus
        {
            Hash = hash,
            Kind = tumour ? PhantomNucleusKind.Tumour : vessel ? PhantomNucleusKind.Stromal : PhantomNucleusKind.Epithelial,
            X = x,
            Y = y,
            A = size * root,
            B = size / root,
            Cos = MathF.Cos(angle),
            Sin = MathF.Sin(angle),
            Uneven = tumour ? 0.1f + (0.18f * atypia) : 0.06f,
            Dark = dark,
            Coarse = tumour ? 0.35f + (0.5f * atypia) : 0.3f,
            Ki67 = Noise.Draw(hash, 9) < share ? Noise.Draw(hash, 10, 0.45f, 1) : 0,
            Her2 = her2,
            Nucleoli = tumour ? (int)((0.4f + (2.2f * atypia)) * Noise.Draw(hash, 11) * 1.6f) : 0,
        };
        bool dividing = tumour && Noise.Draw(hash, 13) < 0.06f * LevelInHe * atypia;
        return dividing ? nucleus with { A = 4.6f, B = 1.5f, Uneven = 0.4f, Dark = 1.25f, Coarse = 0.2f, Nucleoli = 0 } : nucleus;
    }

    /// <summary>Creates a flat nucleus parallel to an outline with the given outward direction.</summary>
    public Nucleus Flat(uint hash, float x, float y, float radialAngle) => new()
    {
        Hash = hash,
        Kind = PhantomNucleusKind.Stromal,
        X = x,
        Y = y,
        A = Noise.Draw(hash, 4, 2.6f, 4.6f),
        B = Noise.Draw(hash, 5, 0.8f, 1.3f),
        Cos = -MathF.Sin(radialAngle),
        Sin = MathF.Cos(radialAngle),
        Uneven = 0.15f,
        Dark = Noise.Draw(hash, 6, 0.6f, 0.95f),
        Coarse = 0.3f,
    };

    private Nucleus Lymphocyte(float x, float y, uint hash) => new()
    {
        Hash = hash,
        Kind = PhantomNucleusKind.Lymphocyte,
        X = x,
        Y = y,
        A = Noise.Draw(hash, 4, 2.4f, 3.5f),
        B = Noise.Draw(hash, 5, 2.0f, 2.9f),
        Cos = MathF.Cos(MathF.Tau * Noise.Draw(hash, 6)),
        Sin = MathF.Sin(MathF.Tau * Noise.Draw(hash, 6)),
        Uneven = 0.14f,
        Dark = Noise.Draw(hash, 7, 0.7f, 1.1f),
        Coarse = 0.45f,
        Ki67 = Noise.Draw(hash, 8) < 0.04f ? Noise.Draw(hash, 9, 0.5f, 1) : 0,
    };

    private Nucleus Stromal(float x, float y, uint hash, float fibreAngle)
    {
        float angle = fibreAngle + (0.25f * Noise.Normal(hash, 4));
        bool plump = Noise.Draw(hash, 12) < 0.25f;
        return new()
        {
            Hash = hash,
            Kind = PhantomNucleusKind.Stromal,
            X = x,
            Y = y,
            A = plump ? Noise.Draw(hash, 6, 2.8f, 4.6f) : Noise.Draw(hash, 6, 3.4f, 8.5f),
            B = plump ? Noise.Draw(hash, 7, 1.5f, 2.4f) : Noise.Draw(hash, 7, 0.8f, 1.5f),
            Cos = MathF.Cos(angle),
            Sin = MathF.Sin(angle),
            Bend = 0.1f * Noise.Normal(hash, 5),
            Uneven = 0.25f,
            Dark = Noise.Draw(hash, 16, 0.4f, 0.95f),
            Coarse = 0.35f,
            Ki67 = Noise.Draw(hash, 17) < 0.015f ? Noise.Draw(hash, 18, 0.4f, 0.9f) : 0,
        };
    }

    private Gland? Nest(float x, float y, uint hash)
    {
        float tumour = Tumour(x, y);
        // Tumours of a high level are denser where the level is a property of fields.
        float density = levelInFields ? 0.4f + (0.1f * level) : 0.55f;
        if (tumour < 0 || Tissue(x, y) < 0.06f || Noise.Draw(hash, 3) > density + tumour)
            return null;
        float local = Noise.Lerp(0.35f, 0.17f, LevelInHe);
        float spread = levelInFields ? NestSpread : 0.08f;
        float atypia = this.atypia + (local * Noise.Gradient(x / 240, y / 240, this.seed + 80)) + (spread * Noise.Normal(hash, 10));
        atypia = Math.Clamp(atypia, 0, 1);
        float her2 = stain == 0 ? level + (1.6f * (atypia - this.atypia)) + (0.12f * Noise.Normal(hash, 20))
            : level + (0.5f * (atypia - this.atypia)) + (0.4f * Noise.Normal(Noise.Hash((int)hash, 8, stain), 20));
        float size = Noise.Draw(hash, 4) < 0.25f ? Noise.Draw(hash, 5, 9, 15) : Noise.Draw(hash, 5, 16, 27 + (11 * atypia));
        float root = MathF.Sqrt(Noise.Draw(hash, 6, 1, 2.3f));
        float angle = FibreAngle(x, y) + (0.5f * Noise.Normal(hash, 15));
        bool tube = size > 15 && Noise.Draw(hash, 7) < tubular;
        return new Gland
        {
            Hash = hash,
            Tissue = PhantomTissue.Tumour,
            X = x,
            Y = y,
            A = size * root,
            B = size / root,
            Cos = MathF.Cos(angle),
            Sin = MathF.Sin(angle),
            Wall = tube ? Noise.Draw(hash, 8, 9, 16) : float.PositiveInfinity,
            Cleft = Noise.Draw(hash, 9) < 0.4f ? Noise.Draw(hash, 16, 2, 6) : 0,
            Atypia = atypia,
            Her2 = stain == 0 ? Math.Clamp(her2, Math.Max(0, level - 0.7f), level + 0.4f)
                : Math.Clamp(her2, Math.Max(0, level - 1f), level + 0.6f),
        };
    }

    private Gland? Acinus(float x, float y, uint hash)
    {
        float lobule = 0.15f + Noise.Fractal(x / 210, y / 210, this.seed + 81, 2);
        if (Tumour(x, y) > -0.1f || Tissue(x, y) < 0.08f || Fat(x, y) > -0.05f || lobule < 0 || Noise.Draw(hash, 3) > 0.85f)
            return null;
        float size = Noise.Draw(hash, 5, 19, 29);
        float root = MathF.Sqrt(Noise.Draw(hash, 6, 1, 1.7f));
        float angle = FibreAngle(x, y) + (0.4f * Noise.Normal(hash, 15));
        return new Gland
        {
            Hash = hash,
            Tissue = PhantomTissue.Gland,
            X = x,
            Y = y,
            A = size * root,
            B = size / root,
            Cos = MathF.Cos(angle),
            Sin = MathF.Sin(angle),
            Wall = Noise.Draw(hash, 8, 12, 15),
            Atypia = 0,
            Her2 = Math.Min(level, 1) * Noise.Draw(hash, 9, 0.1f, 0.6f),
        };
    }

    private Gland? Vessel(float x, float y, uint hash)
    {
        if (Tissue(x, y) < 0.1f || Fat(x, y) > 0 || Noise.Draw(hash, 3) > 0.5f)
            return null;
        float size = Noise.Draw(hash, 4) < 0.7f ? Noise.Draw(hash, 5, 5, 8) : Noise.Draw(hash, 5, 9, 17);
        float root = MathF.Sqrt(Noise.Draw(hash, 6, 1, 2.6f));
        float angle = FibreAngle(x, y);
        return new Gland
        {
            Hash = hash,
            Tissue = PhantomTissue.Vessel,
            X = x,
            Y = y,
            A = size * root,
            B = size / root,
            Cos = MathF.Cos(angle),
            Sin = MathF.Sin(angle),
            Wall = 1.6f + (size * 0.12f),
        };
    }

    // As Visit; in later sections some points move a little, and the others are drawn anew.
    private void VisitCells(TissueArea area, float spacing, float jitter, uint seed, Action<float, float, uint> visit)
    {
        if (section == 0)
        {
            Visit(area, spacing, jitter, seed, visit);
            return;
        }
        Visit(area.Expand(2 * spacing), spacing, jitter, seed, (x, y, place) =>
        {
            uint hash = CellHash(place, place);
            (float dx, float dy) = Shift(place);
            if (!Continues(place))
                (dx, dy) = (spacing * Noise.Draw(hash, 91, -0.5f, 0.5f), spacing * Noise.Draw(hash, 92, -0.5f, 0.5f));
            (x, y) = (x + dx, y + dy);
            if (area.Contains(x, y)) visit(x, y, hash);
        });
    }

    /// <summary>Calls a function for each point of a jittered lattice in the area.</summary>
    private static void Visit(TissueArea area, float spacing, float jitter, uint seed, Action<float, float, uint> visit)
    {
        int x1 = (int)MathF.Floor((area.Right / spacing) + 1), y1 = (int)MathF.Floor((area.Bottom / spacing) + 1);
        for (int iy = (int)MathF.Floor(area.Top / spacing) - 1; iy <= y1; iy++)
        {
            for (int ix = (int)MathF.Floor(area.Left / spacing) - 1; ix <= x1; ix++)
            {
                uint hash = Noise.Hash(ix, iy, seed);
                // A half-step shift of every other row makes the lattice less visible.
                float x = (ix + 0.5f + (0.5f * (iy & 1)) + (jitter * ((2 * Noise.Draw(hash, 1)) - 1))) * spacing;
                float y = (iy + 0.5f + (jitter * ((2 * Noise.Draw(hash, 2)) - 1))) * spacing;
                if (area.Contains(x, y))
                    visit(x, y, hash);
            }
        }
    }
}
