using System.Buffers.Binary;

namespace Tinctor.Slides.Dicom;

/// <summary>Decoder of the RLE compression of DICOM (PS3.5, annex G): one segment for each byte of a sample, high bytes first.</summary>
internal static class RunLengths
{
    private const int Header = 64;

    /// <summary>Decodes a frame.</summary>
    /// <param name="frame">Encoded frame.</param>
    /// <param name="pixels">Number of pixels.</param>
    /// <param name="samples">Samples per pixel.</param>
    /// <param name="sampleBytes">Bytes per sample.</param>
    /// <returns>Interleaved samples, little-endian.</returns>
    /// <exception cref="TinctorException">The frame is damaged.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> frame, int pixels, int samples, int sampleBytes)
    {
        int segments = samples * sampleBytes;
        if (frame.Length < Header || BinaryPrimitives.ReadUInt32LittleEndian(frame) != segments) throw Damaged();
        var decoded = new byte[pixels * segments];
        for (int i = 0; i < segments; i++)
        {
            uint start = Offset(frame, i), end = i + 1 < segments ? Offset(frame, i + 1) : (uint)frame.Length;
            if (start < Header || end < start || end > frame.Length) throw Damaged();
            int lowest = (i / sampleBytes * sampleBytes) + (sampleBytes - 1 - (i % sampleBytes));
            Unpack(frame[(int)start..(int)end], decoded, lowest, segments);
        }
        return decoded;
    }

    private static uint Offset(ReadOnlySpan<byte> frame, int segment) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[(4 + (4 * segment))..]);

    // Each count is followed by that many bytes, or by one byte to repeat.
    private static void Unpack(ReadOnlySpan<byte> packed, Span<byte> target, int at, int step)
    {
        for (int i = 0; at < target.Length;)
        {
            if (i >= packed.Length) throw Damaged();
            int count = (sbyte)packed[i++];
            if (count == sbyte.MinValue) continue;
            bool repeats = count < 0;
            int length = Math.Abs(count) + 1;
            if (i + (repeats ? 1 : length) > packed.Length) throw Damaged();
            for (int k = 0; k < length && at < target.Length; k++, at += step) target[at] = packed[repeats ? i : i + k];
            i += repeats ? 1 : length;
        }
    }

    private static TinctorException Damaged() => new("a frame is no valid RLE");
}
