namespace Tinctor.Data.Phantom;

/// <summary>
/// A smooth misalignment: small rotation, scale, shear and shift plus elastic waves. Maps a target pixel to the place in the source
/// that shows the same tissue: source = target + (dx, dy), in full-resolution pixels; never longer than the limit.
/// </summary>
internal sealed class PhantomWarp
{
    private const float Wavelength = 260;

    private readonly uint seed;
    private readonly float centreX, centreY, elastic, shiftX, shiftY, xx, xy, yx, yy;

    /// <summary>The misalignment of one target of one field, for a canvas in pixels; nothing moves further than the limit.</summary>
    public PhantomWarp(uint seed, int width, int height, double limit)
    {
        this.seed = seed;
        (centreX, centreY) = ((width - 1) / 2f, (height - 1) / 2f);
        float reach = MathF.Max(1, MathF.Sqrt((centreX * centreX) + (centreY * centreY)));
        // 45 % shift, 25 % rotation, 5 % each of stretch and shear at the corners, 20 % elastic: 100 % at most.
        float angle = MathF.Tau * Noise.Draw(seed, 1);
        float shift = (float)limit * 0.45f * Noise.Draw(seed, 2, 0.5f, 1);
        (shiftX, shiftY) = (shift * MathF.Cos(angle), shift * MathF.Sin(angle));
        float rotation = (float)limit * 0.25f / reach * Noise.Draw(seed, 3, -1, 1);
        float stretch = (float)limit * 0.05f / reach * Noise.Draw(seed, 4, -1, 1);
        float shear = (float)limit * 0.05f / reach * Noise.Draw(seed, 5, -1, 1);
        (xx, xy, yx, yy) = (stretch, shear - rotation, shear + rotation, -stretch);
        elastic = (float)limit * 0.2f;
    }

    /// <summary>Displacement of the target pixel (x, y); pixel centres are whole numbers.</summary>
    public (float X, float Y) At(float x, float y)
    {
        float u = x - centreX, v = y - centreY;
        float ex = Noise.Gradient(x / Wavelength, y / Wavelength, this.seed + 1);
        float ey = Noise.Gradient(x / Wavelength, y / Wavelength, this.seed + 2);
        float norm = MathF.Max(1, MathF.Sqrt((ex * ex) + (ey * ey)));
        return (shiftX + (xx * u) + (xy * v) + (elastic * ex / norm), shiftY + (yx * u) + (yy * v) + (elastic * ey / norm));
    }
}
