using System.Runtime.Intrinsics;
using Tinctor.Staining.Operators;

namespace Tinctor.Staining.Tests.Operators;

public sealed unsafe class FilterProductsTests
{
    private const int Inputs = 5, Rows = 3, Columns = 7, Line = 40, Plane = 4 * Line;

    private static readonly float[] Pixels = Random(Inputs * Plane), Weights = Random(Inputs * Rows * Columns * FilterProducts.Count);

    private delegate void Products(float* weights, float* corner, (int, int, int) window, int plane, int line, float* results,
        int distance);

    [Fact]
    public void ComputeNarrow_equals_sums_in_double() => AssertSums(FilterProducts.ComputeNarrow);

    [Fact]
    public void ComputeWide_equals_sums_in_double()
    {
        Assert.SkipUnless(FilterProducts.Positions == Vector512<float>.Count, "needs a processor whose vectors have 256 bits");
        AssertSums(FilterProducts.ComputeWide);
    }

    private static void AssertSums(Products products)
    {
        float[] results = new float[FilterProducts.Count * FilterProducts.Positions];
        fixed (float* weights = Weights, corner = Pixels, result = results)
            products(weights, corner, (Inputs, Rows, Columns), Plane, Line, result, FilterProducts.Positions);
        for (int i = 0; i < results.Length; i++)
            Assert.Equal(Sum(i / FilterProducts.Positions, i % FilterProducts.Positions), results[i], 1e-5);
    }

    private static double Sum(int filter, int position)
    {
        double sum = 0;
        for (int input = 0, tap = 0; input < Inputs; input++)
            for (int row = 0; row < Rows; row++)
                for (int column = 0; column < Columns; column++, tap++)
                    sum += (double)Weights[(tap * FilterProducts.Count) + filter]
                        * Pixels[(input * Plane) + (row * Line) + position + column];
        return sum;
    }

    private static float[] Random(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
