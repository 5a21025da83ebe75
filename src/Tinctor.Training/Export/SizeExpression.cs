namespace Tinctor.Training.Export;

/// <summary>Number of images, height and width of a network's input.</summary>
internal readonly record struct InputSize(long Count, long Height, long Width)
{
    public long this[int axis] => axis switch { 0 => Count, 1 => Height, _ => Width };
}

/// <summary>
/// Integer that depends on the input size: <c>numerator * product / denominator + offset</c>, where the product is over some of number,
/// height and width, or the padding of one axis to a multiple. A constant has an empty product.
/// </summary>
/// <param name="Axes">Axes in the product: 0 number of images, 1 height, 2 width.</param>
/// <param name="Numerator">Factor.</param>
/// <param name="Denominator">Divisor, above 0.</param>
/// <param name="Offset">Summand; the value of a constant.</param>
internal sealed record SizeExpression(int[] Axes, long Numerator, long Denominator, long Offset)
{
    private const int LargestMultiple = 512;

    /// <summary>Multiple that the axis is padded to; 0 for a product.</summary>
    public int PaddedTo { get; private init; }

    /// <summary>Whether the number is the same for all input sizes.</summary>
    public bool IsConstant => Axes.Length == 0;

    /// <summary>
    /// Finds the expression of a number from its values at several input sizes: the first size, sizes that differ from it in one axis each,
    /// in the order of the axes, and a size that differs in all.
    /// </summary>
    /// <returns>The expression; null if the number depends on the size in another way.</returns>
    public static SizeExpression? Fit(IReadOnlyList<InputSize> sizes, IReadOnlyList<long> values)
    {
        int[] axes = [.. Enumerable.Range(0, 3).Where(axis => values[axis + 1] != values[0])];
        IEnumerable<SizeExpression> candidates = Product(axes, sizes, values) is { } product ? [product] : [];
        if (axes.Length < 2)
            candidates = candidates.Concat(from axis in new[] { 1, 2 }
                                           from shift in Enumerable.Range(1, (int)Math.Log2(LargestMultiple))
                                           select new SizeExpression([axis], 0, 1, 0) { PaddedTo = 1 << shift });
        return candidates.FirstOrDefault(candidate => sizes.Zip(values).All(pair => candidate.ValueAt(pair.First) == pair.Second));
    }

    private static SizeExpression? Product(int[] axes, IReadOnlyList<InputSize> sizes, IReadOnlyList<long> values)
    {
        if (axes.Length == 0) return new([], 0, 1, values[0]);
        (long rise, long run) = (values[axes[0] + 1] - values[0], Volume(axes, sizes[axes[0] + 1]) - Volume(axes, sizes[0]));
        if (run < 0) (rise, run) = (-rise, -run);
        long divisor = (long)System.Numerics.BigInteger.GreatestCommonDivisor(rise, run);
        (long numerator, long denominator) = (rise / divisor, run / divisor);
        return new(axes, numerator, denominator, values[0] - (numerator * Volume(axes, sizes[0]) / denominator));
    }

    private static long Volume(int[] axes, InputSize size) => axes.Aggregate(1L, (total, axis) => total * size[axis]);

    private long ValueAt(InputSize size) => PaddedTo > 0 ? (PaddedTo - (size[Axes[0]] % PaddedTo)) % PaddedTo
        : (Numerator * Volume(Axes, size) / Denominator) + Offset;
}
