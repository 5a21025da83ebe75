using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Tissue class of a pixel, with its value in the saved mask.</summary>
internal enum PhantomTissue : byte
{
    /// <summary>Glass outside the section.</summary>
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

    /// <summary>Vessels, including blood.</summary>
    Vessel = 7,
}

/// <summary>Kinds of nuclei.</summary>
internal enum PhantomNucleusKind : byte
{
    /// <summary>Round to oval, regular; normal glands.</summary>
    Epithelial,

    /// <summary>Large, uneven, with coarse chromatin and nucleoli; tumour.</summary>
    Tumour,

    /// <summary>Thin spindles; fibroblasts and endothelium.</summary>
    Stromal,

    /// <summary>Small, round, dark; lymphocytes.</summary>
    Lymphocyte,
}

/// <summary>Nucleus of the ground truth. Coordinates are full-resolution source pixels; (0, 0) is the centre of the first pixel.</summary>
/// <param name="Label">Value of its pixels in the instance mask, from 1.</param>
/// <param name="Kind">Kind of nucleus.</param>
/// <param name="X">Horizontal position of the centre.</param>
/// <param name="Y">Vertical position of the centre.</param>
/// <param name="Area">Number of pixels in the instance mask.</param>
/// <param name="Ki67Positive">Whether DAB stains the nucleus in Ki67.</param>
/// <param name="Her2">HER2 expression of the cell, 0 to 3, continuous; 0 for cells without an epithelial membrane.</param>
internal sealed record PhantomNucleus(int Label, PhantomNucleusKind Kind, float X, float Y, int Area, bool Ki67Positive, float Her2);

/// <summary>Epithelial structure or vessel: an ellipse with lobes, in micrometres.</summary>
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

    /// <summary>Width of the retraction cleft.</summary>
    public float Cleft { get; init; }

    /// <summary>Nuclear atypia, 0 (bland) to 1.</summary>
    public float Atypia { get; init; }

    /// <summary>HER2 expression, 0 to 3.</summary>
    public float Her2 { get; init; }

    /// <summary>Maximum distance of its points from its centre.</summary>
    public float Reach => (A * 1.3f) + TissueModel.WarpReach;

    /// <summary>Approximate distance of a warped position to the outline, positive inside.</summary>
    public float Depth(float x, float y)
    {
        float dx = x - X, dy = y - Y;
        float u = ((dx * Cos) + (dy * Sin)) / A, v = ((dy * Cos) - (dx * Sin)) / B;
        float k0 = MathF.Sqrt((u * u) + (v * v)) + 1e-6f;
        float k1 = MathF.Sqrt((u * u / (A * A)) + (v * v / (B * B))) + 1e-6f;
        float c = u / k0, s = v / k0;
        return k0 * (Lobes(c, s) - k0) / k1;
    }

    /// <summary>Radius in direction (cosine c, sine s) relative to the ellipse: harmonics 2 and 3.</summary>
    public float Lobes(float c, float s)
    {
        float c2 = (c * c) - (s * s), s2 = 2 * c * s;
        float c3 = (c2 * c) - (s2 * s), s3 = (s2 * c) + (c2 * s);
        return 1 + (lobes[0] * c2) + (lobes[1] * s2) + (lobes[2] * c3) + (lobes[3] * s3);
    }
}

/// <summary>Shape and stain of a nucleus, in micrometres.</summary>
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

    /// <summary>Relative unevenness of the outline.</summary>
    public float Uneven { get; init; }

    /// <summary>Relative haematoxylin concentration.</summary>
    public float Dark { get; init; }

    /// <summary>Contrast of the chromatin texture.</summary>
    public float Coarse { get; init; }

    /// <summary>Ki67 intensity, 0 (negative) to 1.</summary>
    public float Ki67 { get; init; }

    public float Her2 { get; init; }

    /// <summary>Number of nucleoli.</summary>
    public int Nucleoli { get; init; }

    public float Reach => (A * (1 + Uneven)) + 1;

    /// <summary>Unique key: the position rounded to 1/32 of a micrometre.</summary>
    public ulong Key => ((ulong)(uint)(int)MathF.Round(X * 32) << 32) | (uint)(int)MathF.Round(Y * 32);
}
