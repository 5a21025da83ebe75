using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Staining.Bridges;

/// <summary>
/// Standard normal noise that is a function of its position: of seed, slide, level, run, step, pixel and channel. The noise of a tile is a
/// crop of the slide's, so results do not depend on tiles, batches, their order or the machine. Philox4x32-10 counts (column, row, channel,
/// step) under a key made of the rest; Box and Muller make normal numbers of its bits, in float64, so that rounding to float32 hides
/// differences between processors. Thread-safe.
/// </summary>
internal sealed class PositionalNoise
{
    private const int Group = 16;
    private static readonly Vector256<ulong> Lanes = Vector256.Create(0UL, 1, 2, 3);
    private static readonly Vector256<double> Unit = Vector256.Create(1.0 / (1UL << 32));
    private readonly ulong key;

    /// <param name="seed">Random seed.</param>
    /// <param name="slide">Name of the slide; without a folder, so that moving it changes nothing.</param>
    /// <param name="level">Pyramid level whose pixels are counted.</param>
    /// <param name="run">Number of the run, of several on the same slide.</param>
    public PositionalNoise(ulong seed, string slide, int level = 0, int run = 0) =>
        key = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{level}/{run}/{slide}")));

    /// <summary>Computes the noise of a region, [channels, height, width]; left and top may be negative.</summary>
    public float[] Sample(int step, int left, int top, int width, int height, int channels = 3)
    {
        var noise = new float[channels * height * width];
        Span<float> values = noise;
        int first = left & -Group, groups = (left - first + width + Group - 1) / Group;
        var row = new float[groups * Group];
        for (int line = 0; line < channels * height; line++)
        {
            FillRow(row, first, top + (line % height), line / height, step);
            row.AsSpan(left - first, width).CopyTo(values.Slice(line * width, width));
        }
        return noise;
    }

    // Sixteen columns share four blocks: lane l of word w is column 4 w + l, so that each word is stored as it stands.
    private void FillRow(Span<float> row, int first, int y, int channel, int step)
    {
        Vector256<ulong> line = Vector256.Create((ulong)(uint)y);
        Vector256<ulong> plane = Vector256.Create((ulong)(uint)channel), time = Vector256.Create((ulong)(uint)step);
        Span<Vector256<float>> halves = MemoryMarshal.Cast<float, Vector256<float>>(row);
        for (int i = 0; i < halves.Length; i += 2)
        {
            Vector256<ulong> column = Vector256.Create((ulong)(uint)((first / 4) + (i * 2))) + Lanes;
            Philox bits = new Philox(column, line, plane, time).Encrypt(key);
            halves[i] = Normal(bits.A, bits.B);
            halves[i + 1] = Normal(bits.C, bits.D);
        }
    }

    // Box and Muller (1958): eight normal numbers of eight words.
    private static Vector256<float> Normal(Vector256<ulong> a, Vector256<ulong> b)
    {
        Vector256<double> uniform = (Vector256.ConvertToDouble(a) + Vector256<double>.One) * Unit; // (0, 1]
        Vector256<double> radius = Vector256.Sqrt(Vector256.Log(uniform) * -2);
        (Vector256<double> sin, Vector256<double> cos) = Vector256.SinCos(Vector256.ConvertToDouble(b) * Unit * Math.Tau);
        return Vector256.Narrow(radius * cos, radius * sin);
    }
}
