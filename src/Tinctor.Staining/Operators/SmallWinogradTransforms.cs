using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Transforms of Winograd's algorithm F(3x3, 2x2), which computes 3x3 pixels of a convolution of 2x2 from 4x4 with 16 multiplications
/// instead of 36: AT [(G g GT) * (BT d B)] A with the points 0, 1, -1 and infinity. Vectors hold the same element of several tiles.
/// </summary>
internal static unsafe class SmallWinogradTransforms
{
    /// <summary>Side of the tiles of the input.</summary>
    public const int InputSide = 4;

    /// <summary>Side of the tiles of the output.</summary>
    public const int OutputSide = 3;

    /// <summary>Number of products of a tile.</summary>
    public const int Products = InputSide * InputSide;

    /// <summary>Transforms a kernel [2, 2] to [4, 4]: G g GT.</summary>
    public static void Kernel(float g00, float g01, float g10, float g11, Span<float> result)
    {
        Span<float> left = stackalloc float[InputSide], right = stackalloc float[InputSide];
        Transform(g00, g10, left);
        Transform(g01, g11, right);
        for (int row = 0; row < InputSide; row++) Transform(left[row], right[row], result[(row * InputSide)..]);
    }

    /// <summary>Transforms tiles of the input: BT d B.</summary>
    /// <param name="pixels">Pixel (y, x) of the tiles at (4 y + x) times the length.</param>
    /// <param name="length">Distance of the pixels.</param>
    /// <param name="products">Receives element (i, j) of the tiles at (4 i + j) distances.</param>
    /// <param name="distance">Distance of the elements.</param>
    [SkipLocalsInit]
    public static void Input(float* pixels, int length, float* products, nint distance)
    {
        int lanes = Vector<float>.Count;
        Vector<float>* columns = stackalloc Vector<float>[Products];
        for (int x = 0; x < InputSide; x++)
            TransformInput((float*)(columns + x), InputSide * lanes, pixels + (x * length), InputSide * length);
        for (int y = 0; y < InputSide; y++)
            TransformInput(products + (InputSide * y * distance), distance, (float*)(columns + (InputSide * y)), lanes);
    }

    /// <summary>Transforms products to tiles of the output: AT m A.</summary>
    /// <param name="products">Element (i, j) of the tiles at (4 i + j) distances.</param>
    /// <param name="distance">Distance of the elements.</param>
    /// <param name="pixels">Receives pixel (y, x) of the tiles at (3 y + x) times the length.</param>
    /// <param name="length">Distance of the pixels.</param>
    /// <param name="bias">Is added to every pixel.</param>
    /// <param name="least">Least value of a pixel: 0 for a ReLU, else minus infinity.</param>
    [SkipLocalsInit]
    public static void Output(float* products, nint distance, float* pixels, int length, float bias, float least)
    {
        int lanes = Vector<float>.Count;
        Vector<float>* columns = stackalloc Vector<float>[OutputSide * InputSide];
        for (int x = 0; x < InputSide; x++)
            TransformOutput((float*)(columns + x), InputSide * lanes, products + (x * distance), InputSide * distance, Vector<float>.Zero,
                new(float.NegativeInfinity));
        for (int y = 0; y < OutputSide; y++)
            TransformOutput(pixels + (OutputSide * y * length), length, (float*)(columns + (InputSide * y)), lanes, new(bias), new(least));
    }

    // G of two numbers.
    private static void Transform(float a, float b, Span<float> result)
    {
        result[0] = a;
        result[1] = (a + b) / 2;
        result[2] = (a - b) / 2;
        result[3] = b;
    }

    // BT of four vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformInput(float* result, nint step, float* source, nint distance)
    {
        Vector<float> d0 = Vector.Load(source), d1 = Vector.Load(source + distance), d2 = Vector.Load(source + (2 * distance)),
            d3 = Vector.Load(source + (3 * distance));
        (d0 - d2).Store(result);
        (d1 + d2).Store(result + step);
        (d2 - d1).Store(result + (2 * step));
        (d3 - d1).Store(result + (3 * step));
    }

    // AT of four vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformOutput(float* result, nint step, float* source, nint distance, Vector<float> bias, Vector<float> least)
    {
        Vector<float> m0 = Vector.Load(source), m1 = Vector.Load(source + distance), m2 = Vector.Load(source + (2 * distance)),
            m3 = Vector.Load(source + (3 * distance));
        Vector<float> sum = m1 + m2;
        Vector.Max(m0 + sum + bias, least).Store(result);
        Vector.Max(m1 - m2 + bias, least).Store(result + step);
        Vector.Max(sum + m3 + bias, least).Store(result + (2 * step));
    }
}
