using System.Runtime.Intrinsics;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Sorts the pixels of a line by their place in tiles of <see cref="SmallWinogradTransforms"/>, and back. Parts hold the first pixels of
/// the tiles, the second, and so on.
/// </summary>
internal static unsafe class TileLines
{
    private const int Lanes = 8, Side = SmallWinogradTransforms.OutputSide;

    // Pixel 3 i + k of three vectors is in lane (3 i + k) % 8, so the pixels of a part k are in different lanes. Back, i is
    // 3 (lane - k) % 8.
    private static readonly Vector256<int>[] Pixels = [.. Enumerable.Range(0, Side).Select(k => Order(i => (Side * i) + k))];
    private static readonly Vector256<int>[] Places = [.. Enumerable.Range(0, Side).Select(k => Order(lane => Side * (lane + Lanes - k)))];
    private static readonly Vector256<int> EvenFirst = Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7);
    private static readonly Vector256<float> SecondLanes = Mask(1), ThirdLanes = Mask(2);

    /// <summary>Splits a line into tiles of four pixels, of which the last is the first of the next tile.</summary>
    /// <param name="line">The line.</param>
    /// <param name="parts">Receives the four parts.</param>
    /// <param name="distance">Distance of the parts.</param>
    /// <param name="tiles">Number of tiles.</param>
    public static void Split(float* line, float* parts, int distance, int tiles)
    {
        int tile = 0;
        for (; Vector256.IsHardwareAccelerated && tile <= tiles - Lanes; tile += Lanes)
        {
            float* pixels = line + (Side * tile);
            Vector256<float> a = Vector256.Load(pixels), b = Vector256.Load(pixels + Lanes), c = Vector256.Load(pixels + (2 * Lanes));
            Vector256.ShuffleNative(Blend(a, b, c), Pixels[0]).Store(parts + tile);
            Vector256.ShuffleNative(Blend(c, a, b), Pixels[1]).Store(parts + distance + tile);
            Vector256.ShuffleNative(Blend(b, c, a), Pixels[2]).Store(parts + (2 * distance) + tile);
        }
        for (; tile < tiles; tile++)
            for (int x = 0; x < Side; x++) parts[(x * distance) + tile] = line[(Side * tile) + x];
        new ReadOnlySpan<float>(parts + 1, tiles - 1).CopyTo(new(parts + (Side * distance), tiles - 1));
        parts[(Side * distance) + tiles - 1] = line[Side * tiles];
    }

    /// <summary>Joins tiles of three pixels that follow each other.</summary>
    /// <param name="parts">The three parts.</param>
    /// <param name="distance">Distance of the parts.</param>
    /// <param name="tiles">Number of tiles.</param>
    /// <param name="line">Receives the pixels.</param>
    public static void Join(float* parts, int distance, int tiles, float* line)
    {
        int tile = 0;
        for (; Vector256.IsHardwareAccelerated && tile <= tiles - Lanes; tile += Lanes)
        {
            Vector256<float> a = Vector256.ShuffleNative(Vector256.Load(parts + tile), Places[0]),
                b = Vector256.ShuffleNative(Vector256.Load(parts + distance + tile), Places[1]),
                c = Vector256.ShuffleNative(Vector256.Load(parts + (2 * distance) + tile), Places[2]);
            float* pixels = line + (Side * tile);
            Blend(a, b, c).Store(pixels);
            Blend(c, a, b).Store(pixels + Lanes);
            Blend(b, c, a).Store(pixels + (2 * Lanes));
        }
        for (; tile < tiles; tile++)
            for (int x = 0; x < Side; x++) line[(Side * tile) + x] = parts[(x * distance) + tile];
    }

    /// <summary>Separates the pixels of even and odd number.</summary>
    /// <param name="line">The line.</param>
    /// <param name="even">Receives one half.</param>
    /// <param name="odd">Receives the other half.</param>
    /// <param name="length">Length of a half.</param>
    public static void Halve(float* line, float* even, float* odd, int length)
    {
        int i = 0;
        for (; Vector256.IsHardwareAccelerated && i <= length - Lanes; i += Lanes)
        {
            Vector256<float> first = Vector256.ShuffleNative(Vector256.Load(line + (2 * i)), EvenFirst),
                second = Vector256.ShuffleNative(Vector256.Load(line + (2 * i) + Lanes), EvenFirst);
            Vector256.Create(first.GetLower(), second.GetLower()).Store(even + i);
            Vector256.Create(first.GetUpper(), second.GetUpper()).Store(odd + i);
        }
        for (; i < length; i++) (even[i], odd[i]) = (line[2 * i], line[(2 * i) + 1]);
    }

    // Lanes 0, 3 and 6 of the first vector, 1, 4 and 7 of the second, 2 and 5 of the third.
    private static Vector256<float> Blend(Vector256<float> first, Vector256<float> second, Vector256<float> third) =>
        Vector256.ConditionalSelect(ThirdLanes, third, Vector256.ConditionalSelect(SecondLanes, second, first));

    private static Vector256<float> Mask(int place) =>
        Vector256.Create([.. Enumerable.Range(0, Lanes).Select(lane => lane % Side == place ? -1 : 0)]).AsSingle();

    private static Vector256<int> Order(Func<int, int> lane) =>
        Vector256.Create([.. Enumerable.Range(0, Lanes).Select(i => lane(i) % Lanes)]);
}
