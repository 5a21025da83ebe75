using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tinctor.Data.Phantom;

/// <summary>Hashed lattice noise: pure functions of coordinates and a seed, so any region can be evaluated independently.</summary>
internal static class Noise
{
    /// <summary>32-bit hash of a lattice point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(int x, int y, uint seed)
    {
        uint h = ((uint)x * 0x8DA6B343u) ^ ((uint)y * 0xD8163841u) ^ (seed * 0xCB1AB31Fu);
        h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
        h = (h ^ (h >> 12)) * 0x297A2D39u;
        return h ^ (h >> 15);
    }

    /// <summary>Uniform number in [0, 1) of a lattice point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Uniform(int x, int y, uint seed) => (Hash(x, y, seed) >> 8) * (1f / (1 << 24));

    /// <summary>Uniform number in [0, 1): the n-th draw for an object's hash.</summary>
    public static float Draw(uint hash, int n) => Uniform((int)hash, n, 0x5EEDu);

    /// <summary>Uniform number in [low, high): the n-th draw for an object's hash.</summary>
    public static float Draw(uint hash, int n, float low, float high) => low + ((high - low) * Draw(hash, n));

    /// <summary>Standard normal number (Box-Muller): the n-th draw for an object's hash.</summary>
    public static float Normal(uint hash, int n)
    {
        float radius = MathF.Sqrt(-2 * MathF.Log(1 - Draw(hash, 2 * n)));
        return radius * MathF.Cos(MathF.Tau * Draw(hash, (2 * n) + 1));
    }

    /// <summary>Gradient noise (Perlin) of unit wavelength, about [-1, 1].</summary>
    public static float Gradient(float x, float y, uint seed)
    {
        int ix = (int)MathF.Floor(x), iy = (int)MathF.Floor(y);
        float fx = x - ix, fy = y - iy;
        float sx = fx * fx * fx * ((fx * ((fx * 6) - 15)) + 10), sy = fy * fy * fy * ((fy * ((fy * 6) - 15)) + 10);
        float top = Lerp(Slope(ix, iy, fx, fy, seed), Slope(ix + 1, iy, fx - 1, fy, seed), sx);
        float bottom = Lerp(Slope(ix, iy + 1, fx, fy - 1, seed), Slope(ix + 1, iy + 1, fx - 1, fy - 1, seed), sx);
        return 1.5f * Lerp(top, bottom, sy);
    }

    /// <summary>Sum of octaves of gradient noise: wavelength and amplitude start at 1 and halve with each octave.</summary>
    public static float Fractal(float x, float y, uint seed, int octaves)
    {
        float sum = 0, amplitude = 1;
        for (int i = 0; i < octaves; i++)
        {
            sum += amplitude * Gradient(x, y, seed + (uint)i);
            (x, y, amplitude) = (x * 2.03f, y * 2.03f, amplitude * 0.5f);
        }
        return sum;
    }

    /// <summary>Value noise of unit wavelength at eight points, in [-1, 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Value8(Vector256<float> x, Vector256<float> y, uint seed)
    {
        Vector256<float> bx = Vector256.Floor(x), by = Vector256.Floor(y);
        Vector256<float> fx = x - bx, fy = y - by;
        fx = fx * fx * (Vector256.Create(3f) - (fx + fx));
        fy = fy * fy * (Vector256.Create(3f) - (fy + fy));
        Vector256<int> hx = Vector256.ConvertToInt32(bx) * unchecked((int)0x8DA6B343u);
        Vector256<int> hy = (Vector256.ConvertToInt32(by) * unchecked((int)0xD8163841u)) ^ Vector256.Create((int)(seed * 0xCB1AB31Fu));
        Vector256<int> hx1 = hx + Vector256.Create(unchecked((int)0x8DA6B343u));
        Vector256<int> hy1 = ((Vector256.ConvertToInt32(by) + Vector256<int>.One) * unchecked((int)0xD8163841u))
            ^ Vector256.Create((int)(seed * 0xCB1AB31Fu));
        Vector256<float> a = Mix8(hx ^ hy), b = Mix8(hx1 ^ hy), c = Mix8(hx ^ hy1), d = Mix8(hx1 ^ hy1);
        Vector256<float> top = a + ((b - a) * fx), bottom = c + ((d - c) * fx);
        return top + ((bottom - top) * fy);
    }

    /// <summary>Smooth step from 0 at low to 1 at high.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Step(float low, float high, float x)
    {
        float t = Math.Clamp((x - low) / (high - low), 0f, 1f);
        return t * t * (3 - (2 * t));
    }

    /// <summary>Square of a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Square(float x) => x * x;

    /// <summary>Linear interpolation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Lerp(float a, float b, float t) => a + ((b - a) * t);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Slope(int ix, int iy, float dx, float dy, uint seed)
    {
        uint h = Hash(ix, iy, seed);
        float gx = ((h & 0xFFFF) * (2f / 65535)) - 1, gy = ((h >> 16) * (2f / 65535)) - 1;
        return (gx * dx) + (gy * dy);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mix8(Vector256<int> h)
    {
        h = (h ^ Vector256.ShiftRightLogical(h, 15)) * 0x2C1B3C6D;
        h = (h ^ Vector256.ShiftRightLogical(h, 12)) * 0x297A2D39;
        return Vector256.ConvertToSingle(h) * (1f / int.MaxValue);
    }
}
