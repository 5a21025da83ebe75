using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Evaluation.Metrics;

/// <summary>Rows of interleaved samples on their way into sums.</summary>
internal static class SampleRows
{
    /// <summary>Loads a vector from a row without bounds checks, which would cost half of the time of a sliding window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> At<T>(this T[] row, int at) where T : struct =>
        Vector.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(row), (nuint)at);

    /// <summary>Stores a vector in a row without bounds checks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(this Vector<T> vector, T[] row, int at) where T : struct =>
        vector.StoreUnsafe(ref MemoryMarshal.GetArrayDataReference(row), (nuint)at);

    /// <summary>Converts a row of bytes or floats to integers or doubles; the target may be longer.</summary>
    public static void Load<TSample, TSum>(ReadOnlySpan<TSample> from, Span<TSum> to)
        where TSample : struct where TSum : struct
    {
        if (typeof(TSample) == typeof(float) && typeof(TSum) == typeof(double))
            Load(MemoryMarshal.Cast<TSample, float>(from), MemoryMarshal.Cast<TSum, double>(to));
        else if (typeof(TSample) == typeof(byte) && typeof(TSum) == typeof(int))
            Load(MemoryMarshal.Cast<TSample, byte>(from), MemoryMarshal.Cast<TSum, int>(to));
        else
            throw new NotSupportedException($"{typeof(TSample)} as {typeof(TSum)}");
    }

    /// <summary>Copies a row of bytes or floats and subtracts a number; the target may be longer.</summary>
    public static void Load<TSample, T>(ReadOnlySpan<TSample> from, Span<T> to, T less)
        where TSample : struct, INumber<TSample> where T : struct, INumber<T>
    {
        for (int i = 0; i < from.Length; i++)
            to[i] = T.CreateTruncating(from[i]) - less;
    }

    /// <summary>a b + c of floats or doubles, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> MultiplyAdd<T>(Vector<T> a, Vector<T> b, Vector<T> c) where T : struct => typeof(T) == typeof(double)
        ? Vector.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>()
        : Vector.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>();

    /// <summary>Adds a vector of floats or doubles to sums. Not checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T>(double[] sums, int at, Vector<T> vector) where T : struct
    {
        if (typeof(T) == typeof(double))
        {
            (sums.At(at) + vector.As<T, double>()).Store(sums, at);
            return;
        }
        Vector.Widen(vector.As<T, float>(), out Vector<double> low, out Vector<double> high);
        (sums.At(at) + low).Store(sums, at);
        (sums.At(at + Vector<double>.Count) + high).Store(sums, at + Vector<double>.Count);
    }

    /// <summary>Means of each channel, of columns of sums over a number of rows.</summary>
    public static double[] MeansPerChannel(ReadOnlySpan<double> columns, int channels, int rows)
    {
        var means = new double[channels];
        for (int i = 0; i < columns.Length; i++)
            means[i % channels] += columns[i];
        double windows = (double)(columns.Length / channels) * rows;
        return Array.ConvertAll(means, sum => sum / windows);
    }

    private static void Load(ReadOnlySpan<float> from, Span<double> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(from[i..]), out Vector<double> low, out Vector<double> high);
            low.CopyTo(to[i..]);
            high.CopyTo(to[(i + Vector<double>.Count)..]);
        }
        for (; i < from.Length; i++)
            to[i] = from[i];
    }

    private static void Load(ReadOnlySpan<byte> from, Span<int> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(from[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Spread(low, to[i..]);
            Spread(high, to[(i + Vector<ushort>.Count)..]);
        }
        for (; i < from.Length; i++)
            to[i] = from[i];

        static void Spread(Vector<ushort> numbers, Span<int> to)
        {
            Vector.Widen(numbers, out Vector<uint> low, out Vector<uint> high);
            Vector.AsVectorInt32(low).CopyTo(to);
            Vector.AsVectorInt32(high).CopyTo(to[Vector<int>.Count..]);
        }
    }
}
