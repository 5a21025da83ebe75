using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>Errors between two planes of numbers of one length.</summary>
internal static class PlaneErrors
{
    // Sums of short blocks of floats are precise enough; they are added as doubles.
    private const int Block = 1024;

    /// <summary>Mean absolute and mean squared difference.</summary>
    public static (double Absolute, double Squared) Means(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length || a.IsEmpty) throw new ArgumentException($"planes of {a.Length} and {b.Length} numbers");
        double absolute = 0, squared = 0;
        for (int start = 0; start < a.Length; start += Block)
        {
            int length = Math.Min(Block, a.Length - start);
            var sums = Sums(a.Slice(start, length), b.Slice(start, length));
            absolute += sums.Absolute;
            squared += sums.Squared;
        }
        return (absolute / a.Length, squared / a.Length);
    }

    private static (double Absolute, double Squared) Sums(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> absolutes = default, squares = default;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> difference = new Vector<float>(a[i..]) - new Vector<float>(b[i..]);
            absolutes += Vector.Abs(difference);
            squares += difference * difference;
        }
        double absolute = Vector.Sum(absolutes), squared = Vector.Sum(squares);
        for (; i < a.Length; i++)
        {
            double difference = a[i] - b[i];
            absolute += Math.Abs(difference);
            squared += difference * difference;
        }
        return (absolute, squared);
    }
}
