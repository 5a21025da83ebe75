using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Smooth fields of the tissue at a point.</summary>
internal readonly struct FieldValues(Vector256<float> tissue, Vector256<float> texture)
{
    /// <summary>Level sets of the compartments: positive inside.</summary>
    public float Tissue => tissue[0];
    public float Fat => tissue[1];
    public float Lymph => tissue[2];

    /// <summary>Looseness of the stroma, 0 to 1.</summary>
    public float Loose => tissue[3];
    public float Thickness => tissue[4];

    /// <summary>Displacement of outlines in micrometres.</summary>
    public float WarpX => tissue[5];
    public float WarpY => tissue[6];

    /// <summary>Cosine and sine of twice the angle of the fibres, not normalised.</summary>
    public float FibreCos => texture[0];
    public float FibreSin => texture[1];

    /// <summary>Noise of 11, 28 and 22 um, about [-1, 1].</summary>
    public float Outline => texture[2];
    public float Cleft => texture[3];
    public float Tone => texture[4];
}

/// <summary>Smooth fields of the tissue on a grid over an area, interpolated between its nodes.</summary>
internal sealed class TissueFields
{
    private const float NodeStep = 4, GlandHalo = 44;

    private readonly Vector256<float>[] tissue, texture;
    private readonly int columns, left, top;

    /// <summary>Computes the fields of an area.</summary>
    public TissueFields(TissueModel model, GlandMap glands, TissueArea area)
    {
        // Nodes at multiples of the step make results independent of the area.
        left = (int)MathF.Floor(area.Left / NodeStep);
        top = (int)MathF.Floor(area.Top / NodeStep);
        columns = (int)MathF.Floor(area.Right / NodeStep) - left + 2;
        int rows = (int)MathF.Floor(area.Bottom / NodeStep) - top + 2;
        tissue = new Vector256<float>[columns * rows];
        texture = new Vector256<float>[columns * rows];
        for (int i = 0; i < tissue.Length; i++)
            (tissue[i], texture[i]) = Node(model, glands, (left + (i % columns)) * NodeStep, (top + (i / columns)) * NodeStep);
    }

    /// <summary>Gets the fields at a point of the area.</summary>
    public FieldValues At(float x, float y)
    {
        float gx = x / NodeStep, gy = y / NodeStep;
        int ix = (int)MathF.Floor(gx), iy = (int)MathF.Floor(gy);
        float fx = gx - ix, fy = gy - iy;
        int at = ((iy - top) * columns) + ix - left;
        float w00 = (1 - fx) * (1 - fy), w10 = fx * (1 - fy), w01 = (1 - fx) * fy, w11 = fx * fy;
        return new FieldValues(
            (tissue[at] * w00) + (tissue[at + 1] * w10) + (tissue[at + columns] * w01) + (tissue[at + columns + 1] * w11),
            (texture[at] * w00) + (texture[at + 1] * w10) + (texture[at + columns] * w01) + (texture[at + columns + 1] * w11));
    }

    /// <summary>Gets the direction of the fibres at a point of the area.</summary>
    public float FibreAngle(float x, float y)
    {
        FieldValues values = At(x, y);
        return 0.5f * MathF.Atan2(values.FibreSin, values.FibreCos);
    }

    private static (Vector256<float> Tissue, Vector256<float> Texture) Node(TissueModel model, GlandMap glands, float x, float y)
    {
        (float wx, float wy) = model.Warp(x, y);
        float angle = model.FibreAngle(x, y);
        float c2 = MathF.Cos(2 * angle), s2 = MathF.Sin(2 * angle);
        // Fibres run around glands: near a gland they follow the tangent of its outline.
        Gland? gland = glands.Near(x + wx, y + wy, out float depth, GlandHalo);
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
                model.Tissue(x, y), model.Fat(x, y), model.Lymph(x, y), model.Loose(x, y),
                Noise.Fractal(x / 240, y / 240, model.TextureSeed(17), 2), wx, wy, 0),
            Vector256.Create(
                c2, s2,
                Noise.Gradient(x / 11, y / 11, model.TextureSeed(18)), Noise.Gradient(x / 28, y / 28, model.TextureSeed(19)),
                Noise.Gradient(x / 22, y / 22, model.TextureSeed(20)), 0, 0, 0));
    }
}
