using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tinctor.Staining.Operators;

/// <summary>Joins sequences element by element: the columns of an output that were computed apart.</summary>
internal static unsafe class Interleaving
{
    private static readonly Vector512<int> Lower = Vector512.Create(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
        Upper = Vector512.Create(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);

    /// <summary>Joins sequences.</summary>
    /// <param name="values">The first sequence.</param>
    /// <param name="distance">Distance of the sequences.</param>
    /// <param name="count">Number of sequences.</param>
    /// <param name="length">Length of each.</param>
    /// <param name="result">Receives the first element of each, the second of each, and so on.</param>
    public static void Join(float* values, int distance, int count, int length, float* result)
    {
        int start = 0;
        if (Avx512F.IsSupported && count == 2)
        {
            for (; start <= length - Vector512<float>.Count; start += Vector512<float>.Count)
            {
                Vector512<float> first = Vector512.Load(values + start), second = Vector512.Load(values + distance + start);
                Avx512F.PermuteVar16x32x2(first, Lower, second).Store(result + (2 * start));
                Avx512F.PermuteVar16x32x2(first, Upper, second).Store(result + (2 * start) + Vector512<float>.Count);
            }
        }
        for (int i = start; i < length; i++)
            for (int j = 0; j < count; j++) result[(i * count) + j] = values[(j * distance) + i];
    }
}
