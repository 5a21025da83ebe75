using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Tinctor.Staining.Operators;

/// <summary>Sums of products of filters and pixels, which take nearly all of the time of a convolution.</summary>
internal static unsafe class FilterProducts
{
    /// <summary>Number of filters that are computed together.</summary>
    public const int Count = 8;

    /// <summary>Number of vectors of positions that are computed together.</summary>
    public const int Vectors = 2;

    /// <summary>Number of positions that are computed together.</summary>
    public static readonly int Positions = Vectors * Vector<float>.Count;

    /// <summary>Number of filters of <see cref="ComputeThree"/>.</summary>
    public const int ThreeCount = 3;

    /// <summary>Number of positions of <see cref="ComputeThree"/>.</summary>
    public static readonly int ThreePositions = 2 * Positions;

    /// <summary>Whether the processor multiplies and adds vectors in one instruction.</summary>
    public static bool IsFast => Fma.IsSupported || AdvSimd.Arm64.IsSupported;

    /// <summary>Divides and rounds up: the number of blocks or vectors that hold a number of items.</summary>
    public static int DivideUp(int number, int divisor) => (number + divisor - 1) / divisor;

    // Processors that lower their clock for vectors of 512 bits are not among them.
    private static bool IsWide => Vector512.IsHardwareAccelerated && Positions == Vector512<float>.Count;

    /// <summary>Computes eight filters at two vectors of positions.</summary>
    /// <param name="weights">Weights [inputs, rows, columns, 8].</param>
    /// <param name="corner">First pixel that the filters read.</param>
    /// <param name="window">Numbers of inputs, rows and columns that the filters read.</param>
    /// <param name="plane">Distance of the inputs.</param>
    /// <param name="line">Distance of the rows.</param>
    /// <param name="results">Receives two vectors of each filter.</param>
    /// <param name="distance">Distance of the filters in the results.</param>
    public static void Compute(float* weights, float* corner, (int Inputs, int Rows, int Columns) window, int plane, int line,
        float* results, int distance)
    {
        if (IsWide) ComputeWide(weights, corner, window, plane, line, results, distance);
        else ComputeNarrow(weights, corner, window, plane, line, results, distance);
    }

    /// <summary>Computes three filters, such as those of a colour image, at more positions.</summary>
    /// <param name="weights">Weights [inputs, rows, columns, 3].</param>
    /// <param name="corner">First pixel that the filters read.</param>
    /// <param name="window">Numbers of inputs, rows and columns that the filters read.</param>
    /// <param name="plane">Distance of the inputs.</param>
    /// <param name="line">Distance of the rows.</param>
    /// <param name="results">Receives four vectors of each filter.</param>
    /// <param name="distance">Distance of the filters in the results.</param>
    public static void ComputeThree(float* weights, float* corner, (int Inputs, int Rows, int Columns) window, int plane, int line,
        float* results, int distance)
    {
        int lanes = Vector<float>.Count;
        Vector<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default,
            c0 = default, c1 = default, c2 = default, c3 = default;
        for (int input = 0; input < window.Inputs; input++, corner += plane)
            for (int row = 0; row < window.Rows; row++)
            {
                float* pixels = corner + (row * line);
                for (int column = 0; column < window.Columns; column++, weights += ThreeCount)
                {
                    float* first = pixels + column;
                    Vector<float> a = new(weights[0]), b = new(weights[1]), c = new(weights[2]), pixel = Vector.Load(first);
                    (a0, b0, c0) = (Vector.FusedMultiplyAdd(a, pixel, a0), Vector.FusedMultiplyAdd(b, pixel, b0),
                        Vector.FusedMultiplyAdd(c, pixel, c0));
                    pixel = Vector.Load(first + lanes);
                    (a1, b1, c1) = (Vector.FusedMultiplyAdd(a, pixel, a1), Vector.FusedMultiplyAdd(b, pixel, b1),
                        Vector.FusedMultiplyAdd(c, pixel, c1));
                    pixel = Vector.Load(first + (2 * lanes));
                    (a2, b2, c2) = (Vector.FusedMultiplyAdd(a, pixel, a2), Vector.FusedMultiplyAdd(b, pixel, b2),
                        Vector.FusedMultiplyAdd(c, pixel, c2));
                    pixel = Vector.Load(first + (3 * lanes));
                    (a3, b3, c3) = (Vector.FusedMultiplyAdd(a, pixel, a3), Vector.FusedMultiplyAdd(b, pixel, b3),
                        Vector.FusedMultiplyAdd(c, pixel, c3));
                }
            }
        Store(a0, a1, results);
        Store(a2, a3, results + (2 * lanes));
        Store(b0, b1, results + distance);
        Store(b2, b3, results + distance + (2 * lanes));
        Store(c0, c1, results + (2 * distance));
        Store(c2, c3, results + (2 * distance) + (2 * lanes));
    }

    /// <summary>Computes with two vectors, in sixteen registers.</summary>
    /// <inheritdoc cref="Compute"/>
    internal static void ComputeNarrow(float* weights, float* corner, (int Inputs, int Rows, int Columns) window, int plane, int line,
        float* results, int distance)
    {
        Vector<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default,
            e0 = default, e1 = default, f0 = default, f1 = default, g0 = default, g1 = default, h0 = default, h1 = default;
        for (int input = 0; input < window.Inputs; input++, corner += plane)
            for (int row = 0; row < window.Rows; row++)
            {
                float* pixels = corner + (row * line);
                for (int column = 0; column < window.Columns; column++, weights += Count)
                {
                    Vector<float> pixel0 = Vector.Load(pixels + column), pixel1 = Vector.Load(pixels + column + Vector<float>.Count);
                    Vector<float> factor = new(weights[0]);
                    (a0, a1) = (Vector.FusedMultiplyAdd(factor, pixel0, a0), Vector.FusedMultiplyAdd(factor, pixel1, a1));
                    factor = new(weights[1]);
                    (b0, b1) = (Vector.FusedMultiplyAdd(factor, pixel0, b0), Vector.FusedMultiplyAdd(factor, pixel1, b1));
                    factor = new(weights[2]);
                    (c0, c1) = (Vector.FusedMultiplyAdd(factor, pixel0, c0), Vector.FusedMultiplyAdd(factor, pixel1, c1));
                    factor = new(weights[3]);
                    (d0, d1) = (Vector.FusedMultiplyAdd(factor, pixel0, d0), Vector.FusedMultiplyAdd(factor, pixel1, d1));
                    factor = new(weights[4]);
                    (e0, e1) = (Vector.FusedMultiplyAdd(factor, pixel0, e0), Vector.FusedMultiplyAdd(factor, pixel1, e1));
                    factor = new(weights[5]);
                    (f0, f1) = (Vector.FusedMultiplyAdd(factor, pixel0, f0), Vector.FusedMultiplyAdd(factor, pixel1, f1));
                    factor = new(weights[6]);
                    (g0, g1) = (Vector.FusedMultiplyAdd(factor, pixel0, g0), Vector.FusedMultiplyAdd(factor, pixel1, g1));
                    factor = new(weights[7]);
                    (h0, h1) = (Vector.FusedMultiplyAdd(factor, pixel0, h0), Vector.FusedMultiplyAdd(factor, pixel1, h1));
                }
            }
        Store(a0, a1, results);
        Store(b0, b1, results + distance);
        Store(c0, c1, results + (2 * distance));
        Store(d0, d1, results + (3 * distance));
        Store(e0, e1, results + (4 * distance));
        Store(f0, f1, results + (5 * distance));
        Store(g0, g1, results + (6 * distance));
        Store(h0, h1, results + (7 * distance));
    }

    /// <summary>Computes with one vector of 512 bits in place of two, in half of the instructions.</summary>
    /// <inheritdoc cref="Compute"/>
    internal static void ComputeWide(float* weights, float* corner, (int Inputs, int Rows, int Columns) window, int plane, int line,
        float* results, int distance)
    {
        Vector512<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        for (int input = 0; input < window.Inputs; input++, corner += plane)
            for (int row = 0; row < window.Rows; row++)
            {
                float* pixels = corner + (row * line);
                for (int column = 0; column < window.Columns; column++, weights += Count)
                {
                    Vector512<float> pixel = Vector512.Load(pixels + column);
                    a = Vector512.FusedMultiplyAdd(Vector512.Create(weights[0]), pixel, a);
                    b = Vector512.FusedMultiplyAdd(Vector512.Create(weights[1]), pixel, b);
                    c = Vector512.FusedMultiplyAdd(Vector512.Create(weights[2]), pixel, c);
                    d = Vector512.FusedMultiplyAdd(Vector512.Create(weights[3]), pixel, d);
                    e = Vector512.FusedMultiplyAdd(Vector512.Create(weights[4]), pixel, e);
                    f = Vector512.FusedMultiplyAdd(Vector512.Create(weights[5]), pixel, f);
                    g = Vector512.FusedMultiplyAdd(Vector512.Create(weights[6]), pixel, g);
                    h = Vector512.FusedMultiplyAdd(Vector512.Create(weights[7]), pixel, h);
                }
            }
        a.Store(results);
        b.Store(results + distance);
        c.Store(results + (2 * distance));
        d.Store(results + (3 * distance));
        e.Store(results + (4 * distance));
        f.Store(results + (5 * distance));
        g.Store(results + (6 * distance));
        h.Store(results + (7 * distance));
    }

    private static void Store(Vector<float> first, Vector<float> second, float* result)
    {
        first.Store(result);
        second.Store(result + Vector<float>.Count);
    }
}
