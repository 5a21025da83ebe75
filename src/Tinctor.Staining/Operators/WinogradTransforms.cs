using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Transforms of Winograd's algorithm F(4x4, 3x3), which computes 4x4 pixels of a convolution of 3x3 from 6x6 with 36 multiplications
/// instead of 144 (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.2): AT [(G g GT) * (BT d B)] A.
/// Vectors hold the same element of several tiles.
/// </summary>
internal static unsafe class WinogradTransforms
{
    /// <summary>Side of the tiles of the input.</summary>
    public const int InputSide = 6;

    /// <summary>Side of the tiles of the output.</summary>
    public const int OutputSide = 4;

    /// <summary>Number of products of a tile.</summary>
    public const int Products = InputSide * InputSide;

    private const int KernelSide = 3;

    private static readonly double[,] G =
    {
        { 1 / 4.0, 0, 0 },
        { -1 / 6.0, -1 / 6.0, -1 / 6.0 },
        { -1 / 6.0, 1 / 6.0, -1 / 6.0 },
        { 1 / 24.0, 1 / 12.0, 1 / 6.0 },
        { 1 / 24.0, -1 / 12.0, 1 / 6.0 },
        { 0, 0, 1 },
    };

    /// <summary>Transforms a kernel: G g GT.</summary>
    /// <param name="kernel">Kernel [3, 3].</param>
    /// <param name="result">Receives [6, 6].</param>
    public static void Kernel(ReadOnlySpan<float> kernel, Span<float> result)
    {
        Span<double> half = stackalloc double[InputSide * KernelSide];
        for (int i = 0; i < InputSide; i++)
            for (int x = 0; x < KernelSide; x++)
                half[(i * KernelSide) + x] = (G[i, 0] * kernel[x]) + (G[i, 1] * kernel[KernelSide + x])
                    + (G[i, 2] * kernel[(2 * KernelSide) + x]);
        for (int i = 0; i < InputSide; i++)
            for (int j = 0; j < InputSide; j++)
                result[(i * InputSide) + j] = (float)((G[j, 0] * half[i * KernelSide]) + (G[j, 1] * half[(i * KernelSide) + 1])
                    + (G[j, 2] * half[(i * KernelSide) + 2]));
    }

    /// <summary>Transforms tiles of the input: BT d B.</summary>
    /// <param name="rows">
    /// Six rows of pixels, each as six parts: the pixels 0 to 5 of every tile.
    /// </param>
    /// <param name="partLength">Distance of the parts.</param>
    /// <param name="products">Receives element (i, j) of the tiles at (6 i + j) distances.</param>
    /// <param name="distance">Distance of the elements.</param>
    [SkipLocalsInit]
    public static void Input(float* rows, int partLength, float* products, nint distance)
    {
        Vector<float>* columns = stackalloc Vector<float>[Products];
        for (int x = 0; x < InputSide; x++)
        {
            TransformInput((float*)(columns + x), InputSide * Vector<float>.Count, rows + (x * partLength), InputSide * partLength);
        }
        for (int y = 0; y < InputSide; y++)
            TransformInput(products + (InputSide * y * distance), distance, (float*)(columns + (InputSide * y)), Vector<float>.Count);
    }

    /// <summary>Transforms products to tiles of the output: AT m A.</summary>
    /// <param name="products">Element (i, j) of the tiles at (6 i + j) distances.</param>
    /// <param name="distance">Distance of the elements.</param>
    /// <param name="rows">Receives four rows of pixels, each as four parts of the pixels 0, 1, 2 and 3 of every tile.</param>
    /// <param name="partLength">Distance of the parts.</param>
    /// <param name="bias">Is added to every pixel.</param>
    /// <param name="least">Least value of a pixel: 0 for a ReLU, else minus infinity.</param>
    [SkipLocalsInit]
    public static void Output(float* products, nint distance, float* rows, int partLength, float bias, float least)
    {
        Vector<float>* columns = stackalloc Vector<float>[OutputSide * InputSide];
        for (int x = 0; x < InputSide; x++)
            TransformOutput((float*)(columns + x), InputSide * Vector<float>.Count, products + (x * distance), InputSide * distance,
                Vector<float>.Zero, new(float.NegativeInfinity));
        for (int y = 0; y < OutputSide; y++)
            TransformOutput(rows + (OutputSide * y * partLength), partLength, (float*)(columns + (InputSide * y)), Vector<float>.Count,
                new(bias), new(least));
    }

    // BT of six vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformInput(float* result, nint step, float* source, nint distance)
    {
        Vector<float> d0 = Vector.Load(source), d1 = Vector.Load(source + distance), d2 = Vector.Load(source + (2 * distance)),
            d3 = Vector.Load(source + (3 * distance)), d4 = Vector.Load(source + (4 * distance)), d5 = Vector.Load(source + (5 * distance));
        Vector<float> even = d4 - (4 * d2), odd = d3 - (4 * d1), evenHalf = d4 - d2, oddHalf = 2 * (d3 - d1);
        ((4 * d0) - (5 * d2) + d4).Store(result);
        (even + odd).Store(result + step);
        (even - odd).Store(result + (2 * step));
        (evenHalf + oddHalf).Store(result + (3 * step));
        (evenHalf - oddHalf).Store(result + (4 * step));
        ((4 * d1) - (5 * d3) + d5).Store(result + (5 * step));
    }

    // AT of six vectors.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformOutput(float* result, nint step, float* source, nint distance, Vector<float> bias, Vector<float> least)
    {
        Vector<float> m0 = Vector.Load(source), m1 = Vector.Load(source + distance), m2 = Vector.Load(source + (2 * distance)),
            m3 = Vector.Load(source + (3 * distance)), m4 = Vector.Load(source + (4 * distance)), m5 = Vector.Load(source + (5 * distance));
        Vector<float> sum = m1 + m2, difference = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
        Vector.Max(m0 + sum + sum2 + bias, least).Store(result);
        Vector.Max(difference + (2 * difference2) + bias, least).Store(result + step);
        Vector.Max(sum + (4 * sum2) + bias, least).Store(result + (2 * step));
        Vector.Max(difference + (8 * difference2) + m5 + bias, least).Store(result + (3 * step));
    }
}
