using NetVips;
using Tinctor.Slides.Tiff;
using static Tinctor.Slides.Tiff.TiffTag;

namespace Tinctor.Slides;

/// <summary>
/// Image whose rows are computed while libvips reads them, from the top, each once. They are passed as an uncompressed TIFF, which every
/// libvips reads without keeping it. An exception of the enumeration ends the reading and is kept in <see cref="Failure"/>.
/// </summary>
internal sealed class RowSource : IDisposable
{
    private const int StripBytes = 1 << 16;

    private readonly SourceCustom source = new();
    private readonly IEnumerator<ReadOnlyMemory<byte>> rows;
    private readonly byte[] header;
    private readonly long length;
    private ReadOnlyMemory<byte> pending;
    private long position, computed; // in the file: of the next read, and of the first byte of the pending rows

    /// <summary>Wraps rows of 1 or 3 channels.</summary>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="type">Type of the samples, in native byte order.</param>
    /// <param name="rows">Samples of one or more complete rows per item.</param>
    public RowSource(int width, int height, int channels, SampleType type, IEnumerable<ReadOnlyMemory<byte>> rows)
    {
        long row = (long)width * channels * Image.BytesPerSample(type);
        int strip = (int)Math.Clamp(StripBytes / row, 1, height);
        // Positions of strips do not change the length of the header.
        header = Header(width, height, channels, type, strip, row, Header(width, height, channels, type, strip, row, 0).Length);
        (this.rows, computed, length) = (rows.GetEnumerator(), header.Length, header.Length + (row * height));
        source.OnRead += (buffer, count) => Attempt(() => Read(buffer.AsSpan(0, count)));
        source.OnSeek += (offset, origin) => Attempt(() => Seek(offset, origin));
    }

    /// <summary>Exception of the enumeration; null for none.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Opens the rows as an image.</summary>
    public VipsImage Open() => VipsImage.TiffloadSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Warning);

    /// <inheritdoc/>
    public void Dispose()
    {
        source.Dispose();
        rows.Dispose();
    }

    private static byte[] Header(int width, int height, int channels, SampleType type, int strip, long row, long start)
    {
        const int none = 1, blackIsZero = 1, rgb = 2;
        var tags = new TiffTags();
        tags.Long(Width, width);
        tags.Long(Height, height);
        tags.Shorts(BitsPerSample, [.. Enumerable.Repeat(8 * Image.BytesPerSample(type), channels)]);
        tags.Shorts(Compression, none);
        tags.Shorts(Photometric, channels == 1 ? blackIsZero : rgb);
        tags.Shorts(SamplesPerPixel, channels);
        tags.Long(RowsPerStrip, strip);
        int[] first = [.. Enumerable.Range(0, (height + strip - 1) / strip).Select(index => index * strip)];
        tags.Longs(StripOffsets, Array.ConvertAll(first, y => start + (y * row)));
        tags.Longs(StripByteCounts, Array.ConvertAll(first, y => Math.Min(strip, height - y) * row));
        using var file = new MemoryStream();
        file.Write(TiffTags.Header);
        TiffTags.SetFirstPage(file, tags.WriteTo(file, next: 0));
        return file.ToArray();
    }

    // An exception cannot pass through C.
    private T Attempt<T>(Func<T> action) where T : System.Numerics.INumber<T>
    {
        try
        {
            return action();
        }
        catch (Exception error)
        {
            Failure ??= error;
            return -T.One;
        }
    }

    // All that is asked for: libvips 8.14 takes less for a damaged file.
    private int Read(Span<byte> target)
    {
        int read = 0;
        while (read < target.Length && Next() is { Length: > 0 } from)
        {
            int count = Math.Min(target.Length - read, from.Length);
            from.Span[..count].CopyTo(target[read..]);
            (read, position) = (read + count, position + count);
        }
        return read;
    }

    // The bytes at the position, as many as are there; none at the end.
    private ReadOnlyMemory<byte> Next()
    {
        if (position < header.Length) return header.AsMemory((int)position);
        while (position == computed + pending.Length && rows.MoveNext())
            (computed, pending) = (position, rows.Current);
        return position >= computed && position < computed + pending.Length ? pending[(int)(position - computed)..] : default;
    }

    private long Seek(long offset, SeekOrigin origin) => position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => position,
        _ => length,
    };
}
