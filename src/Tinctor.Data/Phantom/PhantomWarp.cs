namespace Tinctor.Data.Phantom;

/// <summary>
/// Smooth misalignment: small rotation, scale, shear and shift plus elastic waves. Maps a target pixel to the source pixel with the same
/// tissue: source = target + (dx, dy), in full-resolution pixels; the length of (dx, dy) is limited.
/// </summary>
internal sealed class PhantomWarp
{
    private const float Wavelength = 260;

    private readonly uint seed;
    private readonly float centreX, centreY, elastic, shiftX, shiftY, xx, xy, yx, yy;

    /// <summary>Creates the misalignment of a target.</summary>
    /// <param name="seed">Random seed.</param>
    /// <param name="width">Width of the field in pixels.</param>
    /// <param name="height">Height of the field in pixels.</param>
    /// <param name="limit">Maximum displacement in pixels.</param>
    /// <param name="serial">Whether the section is another one, whose displacement is mostly elastic.</param>
    public PhantomWarp(uint seed, int width, int height, double limit, bool serial = false)
    {
        this.seed = seed;
        (centreX, centreY) = ((width - 1) / 2f, (height - 1) / 2f);
        float reach = MathF.Max(1, MathF.Sqrt((centreX * centreX) + (centreY * centreY)));
        // Parts of the limit at the corners: 45 % shift, 25 % rotation, 5 % stretch, 5 % shear, 20 % elastic; of another section 25 %,
        // 15 %, 5 %, 5 % and 50 %.
        (float shiftShare, float rotationShare, float elasticShare) = serial ? (0.25f, 0.15f, 0.5f) : (0.45f, 0.25f, 0.2f);
        float angle = MathF.Tau * Noise.Draw(seed, 1);
        float shift = (float)limit * shiftShare * Noise.Draw(seed, 2, 0.5f, 1);
        (shiftX, shiftY) = (shift * MathF.Cos(angle), shift * MathF.Sin(angle));
        float rotation = (float)limit * rotationShare / reach * Noise.Draw(seed, 3, -1, 1);
        float stretch = (float)limit * 0.05f / reach * Noise.Draw(seed, 4, -1, 1);
        float shear = (float)limit * 0.05f / reach * Noise.Draw(seed, 5, -1, 1);
        (xx, xy, yx, yy) = (stretch, shear - rotation, shear + rotation, -stretch);
        elastic = (float)limit * elasticShare;
    }

    /// <summary>Displacement of target pixel (x, y); pixel centres have integer coordinates.</summary>
    public (float X, float Y) At(float x, float y)
    {
        float u = x - centreX, v = y - centreY;
        float ex = Noise.Gradient(x / Wavelength, y / Wavelength, this.seed + 1);
        float ey = Noise.Gradient(x / Wavelength, y / Wavelength, this.seed + 2);
        float norm = MathF.Max(1, MathF.Sqrt((ex * ex) + (ey * ey)));
        return (shiftX + (xx * u) + (xy * v) + (elastic * ex / norm), shiftY + (yx * u) + (yy * v) + (elastic * ey / norm));
    }
}
