using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Class of a pixel in the tissue mask; the numbers are those of the saved mask.</summary>
internal enum PhantomTissue : byte
{
    /// <summary>Glass outside of the section.</summary>
    Glass = 0,

    /// <summary>Connective tissue.</summary>
    Stroma = 1,

    /// <summary>Epithelium of normal glands.</summary>
    Gland = 2,

    /// <summary>Tumour nests and glands.</summary>
    Tumour = 3,

    /// <summary>Dense lymphocytes.</summary>
    Lymphoid = 4,

    /// <summary>Fat cells.</summary>
    Fat = 5,

    /// <summary>Lumina and clefts inside the section.</summary>
    Lumen = 6,

    /// <summary>Vessels and the blood in them.</summary>
    Vessel = 7,
}

/// <summary>Kinds of nuclei.</summary>
public enum PhantomNucleusKind : byte
{
    /// <summary>Round to oval, regular, of normal glands.</summary>
    Epithelial,

    /// <summary>Large, uneven, with coarse chromatin and nucleoli.</summary>
    Tumour,

    /// <summary>Thin spindles of fibroblasts and endothelium.</summary>
    Stromal,

    /// <summary>Small, round and dark.</summary>
    Lymphocyte,
}

/// <summary>One nucleus of the truth. Coordinates are pixels of the full-resolution source (0, 0 = centre of the first pixel).</summary>
/// <param name="Label">Value of its pixels in the instance mask, from 1.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="X">Centre, pixels from the left.</param>
/// <param name="Y">Centre, pixels from the top.</param>
/// <param name="Area">Pixels in the instance mask.</param>
/// <param name="Ki67Positive">Whether it takes DAB in the Ki67 stain.</param>
/// <param name="Her2">HER2 expression of its cell, 0 to 3 (continuous); 0 where the cell has no epithelial membrane.</param>
public sealed record PhantomNucleus(int Label, PhantomNucleusKind Kind, float X, float Y, int Area, bool Ki67Positive, float Her2);

/// <summary>An epithelial structure or a vessel: an ellipse with lobes, in micrometres.</summary>
internal sealed record Gland
{
    private readonly Vector128<float> lobes;
    private readonly uint hash;

    public required uint Hash
    {
        get => hash;
        init
        {
            hash = value;
            lobes = Vector128.Create(
                Noise.Draw(value, 90, -0.05f, 0.05f), Noise.Draw(value, 91, -0.05f, 0.05f), Noise.Draw(value, 92, -0.11f, 0.11f),
                Noise.Draw(value, 93, -0.11f, 0.11f));
        }
    }

    public required PhantomTissue Tissue { get; init; }
    public required float X { get; init; }
    public required float Y { get; init; }

    /// <summary>Half axes of the ellipse.</summary>
    public required float A { get; init; }
    public required float B { get; init; }
    public required float Cos { get; init; }
    public required float Sin { get; init; }

    /// <summary>Thickness of the wall around the lumen; infinite for solid nests.</summary>
    public required float Wall { get; init; }

    /// <summary>Width of the retraction cleft around it.</summary>
    public float Cleft { get; init; }

    /// <summary>Nuclear atypia, 0 (bland) to 1.</summary>
    public float Atypia { get; init; }

    /// <summary>HER2 expression, 0 to 3.</summary>
    public float Her2 { get; init; }

    /// <summary>No point of it lies further from its centre.</summary>
    public float Reach => (A * 1.3f) + TissueModel.WarpReach;

    /// <summary>About the distance to its outline, positive inside; x and y already warped.</summary>
    public float Depth(float x, float y)
    {
        float dx = x - X, dy = y - Y;
        float u = ((dx * Cos) + (dy * Sin)) / A, v = ((dy * Cos) - (dx * Sin)) / B;
        float k0 = MathF.Sqrt((u * u) + (v * v)) + 1e-6f;
        float k1 = MathF.Sqrt((u * u / (A * A)) + (v * v / (B * B))) + 1e-6f;
        float c = u / k0, s = v / k0;
        return k0 * (Lobes(c, s) - k0) / k1;
    }

    /// <summary>Radius in the direction (cosine c, sine s) relative to the ellipse's: harmonics 2 and 3.</summary>
    public float Lobes(float c, float s)
    {
        float c2 = (c * c) - (s * s), s2 = 2 * c * s;
        float c3 = (c2 * c) - (s2 * s), s3 = (s2 * c) + (c2 * s);
        return 1 + (lobes[0] * c2) + (lobes[1] * s2) + (lobes[2] * c3) + (lobes[3] * s3);
    }
}

/// <summary>A nucleus as it is drawn, in micrometres.</summary>
internal sealed record Nucleus
{
    public required uint Hash { get; init; }
    public required PhantomNucleusKind Kind { get; init; }
    public required float X { get; init; }
    public required float Y { get; init; }
    public required float A { get; init; }
    public required float B { get; init; }
    public required float Cos { get; init; }
    public required float Sin { get; init; }

    /// <summary>Curvature of the long axis.</summary>
    public float Bend { get; init; }

    /// <summary>Unevenness of the outline, relative.</summary>
    public float Uneven { get; init; }

    /// <summary>Haematoxylin, relative.</summary>
    public float Dark { get; init; }

    /// <summary>Contrast of the chromatin texture.</summary>
    public float Coarse { get; init; }

    /// <summary>Ki67 label, 0 for negative nuclei, up to 1.</summary>
    public float Ki67 { get; init; }

    public float Her2 { get; init; }

    /// <summary>Number of nucleoli.</summary>
    public int Nucleoli { get; init; }

    public float Reach => (A * (1 + Uneven)) + 1;

    /// <summary>Unique in the tissue: its place to 1/32 of a micrometre.</summary>
    public ulong Key => ((ulong)(uint)(int)MathF.Round(X * 32) << 32) | (uint)(int)MathF.Round(Y * 32);
}
