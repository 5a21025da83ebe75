using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using Tinctor.Slides.Tiff;
using static Tinctor.Slides.Tiff.TiffTag;

namespace Tinctor.Slides;

/// <summary>
/// Writer of pyramidal BigTIFF files, tile by tile: a tile is written as soon as it is encoded and is added to the covering tile of the
/// next smaller level; the tags follow at the end. Only incomplete tiles of the smaller levels are held in memory.
/// </summary>
/// <remarks>Each level is the mean of 2x2 pixels of the level before, halves rounded up; an odd last column or row is left out.</remarks>
internal sealed class TiffPyramid
{
    private readonly Stream file;
    private readonly SlideSpec spec;
    private readonly Level[] levels;

    private TiffPyramid(Stream file, SlideSpec spec)
    {
        (this.file, this.spec) = (file, spec);
        levels = [.. Sizes(spec).Select(size => new Level(size.Width, size.Height, spec.Tile, spec.Planes))];
    }

    /// <summary>Writes a pyramid.</summary>
    /// <param name="file">Empty, seekable stream.</param>
    /// <param name="spec">Specification of the slide.</param>
    /// <param name="tiles">Tiles of the finest level in the order of <see cref="SlideSpec.Tiles"/>.</param>
    /// <param name="description">OME-XML; smaller levels become SubIFDs. Null for smaller levels as pages, if there is one plane.</param>
    public static void Write(Stream file, SlideSpec spec, IEnumerable<Image> tiles, string? description)
    {
        var pyramid = new TiffPyramid(file, spec);
        file.Write(TiffTags.Header);
        IEnumerable<Placed> all = pyramid.AllLevels(tiles);
        foreach ((Placed placed, byte[][] encoded) in ReadAhead.Of(all, Environment.ProcessorCount, pyramid.Encode))
            for (int plane = 0; plane < encoded.Length; plane++) pyramid.Append(placed, plane, encoded[plane]);
        pyramid.WriteTags(description);
    }

    private static IEnumerable<(int Width, int Height)> Sizes(SlideSpec spec)
    {
        (int width, int height) = (spec.Width, spec.Height);
        yield return (width, height);
        while (Math.Max(width, height) > spec.Tile && Math.Min(width, height) > 1)
            yield return (width, height) = (width / 2, height / 2);
    }

    private IEnumerable<Placed> AllLevels(IEnumerable<Image> tiles)
    {
        int index = 0, across = levels[0].Columns, count = across * levels[0].Rows;
        foreach (Image tile in tiles)
        {
            foreach (Placed placed in WithSmaller(new(0, index % across, index / across, tile))) yield return placed;
            index++;
        }
        if (index != count) throw new EndOfStreamException($"{index} tiles were given, {count} are needed");
    }

    // A tile, followed by the tiles of smaller levels that it completes.
    private IEnumerable<Placed> WithSmaller(Placed placed)
    {
        while (true)
        {
            yield return placed;
            if (placed.Level + 1 == levels.Length
                || levels[placed.Level + 1].Take(placed, levels[placed.Level], spec) is not Image smaller) yield break;
            placed = new(placed.Level + 1, placed.Column / 2, placed.Row / 2, smaller);
        }
    }

    private byte[][] Encode(Placed placed)
    {
        Image full = Padded(placed.Tile, levels[placed.Level].TileWidth, levels[placed.Level].TileHeight);
        return [.. Enumerable.Range(0, spec.Planes).Select(plane =>
        {
            Image part = spec.Planes == 1 ? full : new Image(full.Width, full.Height, 1, full.SampleType, full.Plane(plane));
            return spec.IsJpeg ? ImageWriter.EncodeJpeg(part, spec.JpegQuality!.Value) : Deflated(part);
        })];
    }

    // Repeated edges compress well and cause no ringing.
    private static Image Padded(Image tile, int width, int height)
    {
        if (tile.Width == width && tile.Height == height) return tile;
        var full = new Image(width, height, tile.Channels, tile.SampleType);
        full.Paste(tile, 0, 0);
        int row = full.Data.Length / height, pixel = row / width;
        for (int y = 0; y < tile.Height; y++)
            for (int x = tile.Width; x < width; x++)
                full.Data.AsSpan((y * row) + ((x - 1) * pixel), pixel).CopyTo(full.Data.AsSpan((y * row) + (x * pixel)));
        for (int y = tile.Height; y < height; y++) full.Data.AsSpan((y - 1) * row, row).CopyTo(full.Data.AsSpan(y * row));
        return full;
    }

    // Predictor 2 of TIFF: differences of neighbouring samples, compressed.
    private static byte[] Deflated(Image tile)
    {
        var differences = new byte[tile.Data.Length];
        if (tile.SampleType == SampleType.UInt8) Differ<byte>(tile.Data, differences, tile);
        else Differ<ushort>(tile.Samples16, MemoryMarshal.Cast<byte, ushort>(differences.AsSpan()), tile);
        using var compressed = new MemoryStream(differences.Length / 2);
        using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal)) deflate.Write(differences);
        return compressed.ToArray();
    }

    private static void Differ<T>(ReadOnlySpan<T> samples, Span<T> differences, Image tile)
        where T : unmanaged, IBinaryInteger<T>
    {
        int row = tile.Width * tile.Channels;
        for (int start = 0; start < samples.Length; start += row)
        {
            samples.Slice(start, tile.Channels).CopyTo(differences[start..]);
            for (int i = start + tile.Channels; i < start + row; i++) differences[i] = unchecked(samples[i] - samples[i - tile.Channels]);
        }
    }

    private void Append(Placed placed, int plane, byte[] encoded)
    {
        levels[placed.Level].Note(plane, placed.Column, placed.Row, file.Position, encoded.Length);
        file.Write(encoded);
    }

    // From the last page to the first, because each refers to the next.
    private void WriteTags(string? description)
    {
        bool nested = description is not null || spec.Planes > 1;
        long next = 0;
        for (int plane = spec.Planes - 1; plane >= 0; plane--)
        {
            var smaller = new long[levels.Length - 1];
            for (int level = levels.Length - 1; level > 0; level--)
            {
                smaller[level - 1] = Tags(level, plane).WriteTo(file, next: nested ? 0 : next);
                if (!nested) next = smaller[level - 1];
            }
            TiffTags tags = Tags(0, plane);
            if (nested && smaller.Length > 0) tags.Pages(SubIfds, smaller);
            if (plane == 0 && description is not null) tags.Text(Description, description);
            next = tags.WriteTo(file, next);
        }
        TiffTags.SetFirstPage(file, next);
    }

    private TiffTags Tags(int index, int plane)
    {
        const int jpeg = 7, deflate = 8, blackIsZero = 1, rgb = 2, yCbCr = 6, reduced = 1;
        Level level = levels[index];
        int samples = spec.IsRgb ? 3 : 1;
        bool colours = samples == 3;
        var tags = new TiffTags();
        tags.Long(NewSubfileType, index > 0 ? reduced : 0);
        tags.Long(Width, level.Width);
        tags.Long(Height, level.Height);
        tags.Shorts(BitsPerSample, [.. Enumerable.Repeat(spec.SampleType == SampleType.UInt8 ? 8 : 16, samples)]);
        tags.Shorts(Compression, spec.IsJpeg ? jpeg : deflate);
        tags.Shorts(Photometric, !colours ? blackIsZero : spec.IsJpeg ? yCbCr : rgb);
        tags.Shorts(SamplesPerPixel, samples);
        tags.Shorts(PlanarConfiguration, 1);
        if (!spec.IsJpeg) tags.Shorts(Predictor, 2);
        tags.Long(TileWidth, level.TileWidth);
        tags.Long(TileLength, level.TileHeight);
        tags.Longs(TileOffsets, level.Offsets[plane]);
        tags.Longs(TileByteCounts, level.ByteCounts[plane]);
        tags.Shorts(SampleFormat, [.. Enumerable.Repeat(1, samples)]);
        if (colours && spec.IsJpeg)
        {
            int step = ImageWriter.HalvesChroma(spec.JpegQuality!.Value) ? 2 : 1;
            tags.Shorts(YCbCrSubSampling, step, step);
        }
        if (index == 0 && plane == 0 && spec.IccProfile is byte[] profile) tags.Raw(IccProfile, profile);
        if (spec.Mpp is not double mpp) return tags;
        double perCentimetre = 10_000 / mpp * level.Width / spec.Width;
        tags.Ratio(XResolution, perCentimetre);
        tags.Ratio(YResolution, perCentimetre);
        tags.Shorts(ResolutionUnit, 3);
        return tags;
    }

    private sealed record Placed(int Level, int Column, int Row, Image Tile);

    /// <summary>Level of the pyramid: positions of its tiles in the file, and its incomplete tiles.</summary>
    private sealed class Level
    {
        private readonly int tile;
        private readonly Dictionary<(int Column, int Row), (Image Image, int Missing)> pending = [];

        public Level(int width, int height, int tile, int planes)
        {
            (Width, Height, this.tile) = (width, height, tile);
            (Columns, Rows) = ((width + tile - 1) / tile, (height + tile - 1) / tile);
            Offsets = [.. Enumerable.Range(0, planes).Select(_ => new long[Columns * Rows])];
            ByteCounts = [.. Enumerable.Range(0, planes).Select(_ => new long[Columns * Rows])];
        }

        public int Width { get; }

        public int Height { get; }

        public int Columns { get; }

        public int Rows { get; }

        // libvips 8.18 refuses tiles that are much larger than the image.
        public int TileWidth => Math.Min(tile, (Width + 15) / 16 * 16);

        public int TileHeight => Math.Min(tile, (Height + 15) / 16 * 16);

        /// <summary>Position of each tile in the file, by plane.</summary>
        public long[][] Offsets { get; }

        public long[][] ByteCounts { get; }

        public void Note(int plane, int column, int row, long offset, int bytes) =>
            (Offsets[plane][(row * Columns) + column], ByteCounts[plane][(row * Columns) + column]) = (offset, bytes);

        /// <summary>Adds a tile of the finer level; returns the tile of this level that it completes, or null.</summary>
        public Image? Take(Placed placed, Level finer, SlideSpec spec)
        {
            (int column, int row) = (placed.Column / 2, placed.Row / 2);
            // An odd last column or row of the finer level.
            if (column >= Columns || row >= Rows) return null;
            if (!pending.TryGetValue((column, row), out (Image Image, int Missing) entry))
            {
                int Parts(int index, int count) => Math.Min(2, count - (2 * index));
                entry = (new Image(Math.Min(tile, Width - (column * tile)), Math.Min(tile, Height - (row * tile)), spec.Channels,
                    spec.SampleType),
                    Parts(column, finer.Columns) * Parts(row, finer.Rows));
            }
            Halve(placed.Tile, entry.Image, placed.Column % 2 * tile / 2, placed.Row % 2 * tile / 2);
            entry.Missing--;
            pending[(column, row)] = entry;
            if (entry.Missing > 0) return null;
            pending.Remove((column, row));
            return entry.Image;
        }

        private static void Halve(Image from, Image to, int left, int top)
        {
            if (from.SampleType == SampleType.UInt8) Halve<byte>(from.Data, to.Data, from, to, left, top);
            else Halve(from.Samples16, to.Samples16, from, to, left, top);
        }

        private static void Halve<T>(ReadOnlySpan<T> source, Span<T> target, Image from, Image to, int left, int top)
            where T : unmanaged, IBinaryInteger<T>
        {
            int channels = from.Channels, row = from.Width * channels;
            for (int y = 0; y < from.Height / 2; y++)
            {
                for (int x = 0; x < from.Width / 2; x++)
                {
                    int at = (2 * y * row) + (2 * x * channels), put = (((top + y) * to.Width) + left + x) * channels;
                    for (int c = at; c < at + channels; c++)
                    {
                        int sum = Value(source[c]) + Value(source[c + channels]) + Value(source[c + row])
                            + Value(source[c + row + channels]);
                        target[put++] = T.CreateTruncating((sum + 2) / 4);
                    }
                }
            }

            static int Value(T sample) => int.CreateTruncating(sample);
        }
    }
}
