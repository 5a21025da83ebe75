using System.Buffers.Binary;
using System.Text;

namespace Tinctor.Fuzzing.Tests;

/// <summary>Mutates files: bits, bytes, lengths, numbers, ranges and words of the format. The same seed gives the same file.</summary>
/// <param name="random">Source of chance.</param>
/// <param name="words">Words of the format that are inserted, such as names of keys.</param>
internal sealed class Mutator(Random random, IReadOnlyList<string> words)
{
    private const int MostMutations = 4, LongestRange = 64;

    // Where formats keep their headers and directories.
    private const int Edge = 2048;

    private static readonly long[] Numbers =
    [
        0, 1, -1, 2, 7, 8, 64, 127, 128, 255, 256, 32767, 32768, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue,
        long.MinValue, 1L << 40,
    ];
    private static readonly string[] NumberTexts =
    [
        "0", "-0", "-1", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "1e308", "1e309",
        "-1e309", "1e-400", "NaN", "Infinity", "-Infinity", "0x10", "00",
        "1.7976931348623157e308", "99999999999999999999999999", "\"1\"", "null",
    ];

    /// <summary>Mutates a file one to four times.</summary>
    /// <param name="seed">Bytes of the file.</param>
    /// <param name="other">Another file of the format, of which parts are taken.</param>
    public byte[] Mutate(byte[] seed, byte[] other)
    {
        List<byte> file = [.. seed];
        for (int count = random.Next(1, MostMutations + 1); count > 0; count--) MutateOnce(file, other);
        return [.. file];
    }

    private void MutateOnce(List<byte> file, byte[] other)
    {
        if (file.Count == 0)
        {
            file.AddRange(other.AsSpan(0, Math.Min(other.Length, 16)));
            return;
        }
        int at = Place(file.Count), length = Math.Min(random.Next(1, LongestRange), file.Count - at);
        switch (random.Next(10))
        {
            case 0:
                file[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                file[at] = (byte)random.Next(256);
                break;
            case 2:
                file.RemoveRange(at, length);
                break;
            case 3:
                file.InsertRange(at, file.GetRange(at, length));
                break;
            case 4:
                file.RemoveRange(at, file.Count - at);
                break;
            case 5:
                int from = random.Next(other.Length);
                file.InsertRange(at, other.AsSpan(from, Math.Min(length, other.Length - from)).ToArray());
                break;
            case 6 or 7:
                WriteNumber(file, at);
                break;
            case 8:
                ReplaceNumberText(file, at);
                break;
            default:
                if (words.Count > 0) file.InsertRange(at, Encoding.Latin1.GetBytes(words[random.Next(words.Count)]));
                else file.Reverse(at, length);
                break;
        }
    }

    private int Place(int length) => random.Next(4) switch
    {
        0 => random.Next(Math.Min(length, Edge)),
        1 => length - 1 - random.Next(Math.Min(length, Edge)),
        _ => random.Next(length),
    };

    private void WriteNumber(List<byte> file, int at)
    {
        byte[] bytes = new byte[8];
        long number = Numbers[random.Next(Numbers.Length)];
        bool isLittle = random.Next(2) == 0;
        int size = 1 << random.Next(1, 4);
        if (isLittle) BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        else BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        ReadOnlySpan<byte> value = isLittle ? bytes.AsSpan(0, size) : bytes.AsSpan(8 - size);
        for (int i = 0; i < size && at + i < file.Count; i++) file[at + i] = value[i];
    }

    // Replaces the next number that is written as text.
    private void ReplaceNumberText(List<byte> file, int at)
    {
        while (at < file.Count && !char.IsAsciiDigit((char)file[at])) at++;
        int end = at;
        while (end < file.Count && (char.IsAsciiDigit((char)file[end]) || file[end] is (byte)'.' or (byte)'-')) end++;
        file.RemoveRange(at, end - at);
        file.InsertRange(at, Encoding.ASCII.GetBytes(NumberTexts[random.Next(NumberTexts.Length)]));
    }
}
