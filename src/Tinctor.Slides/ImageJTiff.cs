using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>
/// TIFF of ImageJ and Fiji, hyperstacks included: sizes and unit in the description, colours, ranges and labels of channels in a private
/// tag. Pages are ordered by channel, then depth, then time.
/// </summary>
/// <remarks>Source: ij.io.TiffEncoder and ij.io.TiffDecoder of ImageJ 1.53.</remarks>
internal static class ImageJTiff
{
    private const int Labels = 0x6C61626C, Luts = 0x6C757473, Ranges = 0x72616E67, LongestName = 40;

    // Of ImageJ's composites without lookup tables of their own.
    private static readonly int[] CompositeColours = [0xFF0000, 0x00FF00, 0x0000FF, 0xFFFFFF, 0x00FFFF, 0xFF00FF, 0xFFFF00];

    /// <summary>Reads the description; null if it is not of ImageJ.</summary>
    public static TiffMetadata? Describe(IReadOnlyList<TiffPage> pages, bool littleEndian)
    {
        if (pages[0].Description is not string text || !text.StartsWith("ImageJ=", StringComparison.Ordinal)) return null;
        Dictionary<string, string> values = text.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
            .DistinctBy(pair => pair[0]).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        int channels = Count("channels"), depths = Count("slices"), times = Count("frames");
        int[] planes = TiffMetadata.FirstPlanes(pages, channels, depths, times);
        bool coloured = values.GetValueOrDefault("mode") is "composite" or "color";
        return new("ImageJ TIFF", planes)
        {
            Channels = pages[0].Samples == 1 && planes.Length == channels
                ? ChannelsOf(pages[0].ImageJMetadata, channels, littleEndian, coloured) : [],
            PixelSize = PixelSize(values.GetValueOrDefault("unit"), pages[0].Resolution) is double mpp ? (mpp, "ImageJ's unit") : null,
            Notes = TiffMetadata.StackNotes("ImageJ's description", pages, channels, depths, times),
            ListsOtherPages = false,
        };

        int Count(string key) => int.TryParse(values.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count > 0 ? count : 1;
    }

    private static double? PixelSize(string? unit, double? resolution) => resolution is not > 0 ? null : unit switch
    {
        "micron" or "microns" or "um" or "µm" or "μm" or "\\u00B5m" => 1 / resolution,
        "nm" => 0.001 / resolution,
        "mm" => 1000 / resolution,
        "cm" => 10_000 / resolution,
        "inch" => 25_400 / resolution,
        _ => null,
    };

    private static SlideChannel[] ChannelsOf(byte[][] metadata, int count, bool littleEndian, bool coloured)
    {
        Dictionary<int, List<byte[]>> blocks = BlocksOf(metadata, littleEndian);
        List<byte[]> labels = blocks.GetValueOrDefault(Labels, []), luts = blocks.GetValueOrDefault(Luts, []);
        byte[] ranges = blocks.GetValueOrDefault(Ranges, []).FirstOrDefault() ?? [];
        return [.. Enumerable.Range(0, count).Select(c =>
        {
            var channel = new SlideChannel(c < labels.Count ? Name(labels[c]) : "");
            // A lookup table is 256 reds, greens and blues; the last of each is the colour of the brightest sample.
            if (luts.ElementAtOrDefault(c) is { Length: 768 } lut)
                channel = channel with { Colour = (lut[255] << 16) | (lut[511] << 8) | lut[767] };
            else if (channel.Colour is null && coloured && c < CompositeColours.Length)
                channel = channel with { Colour = CompositeColours[c] };
            (double low, double high) = (Range(2 * c), Range((2 * c) + 1));
            return low < high ? channel with { Display = (low, high) } : channel;
        })];

        double Range(int index) => ranges.Length < (index + 1) * 8 ? double.NaN
            : littleEndian ? BinaryPrimitives.ReadDoubleLittleEndian(ranges.AsSpan(index * 8))
            : BinaryPrimitives.ReadDoubleBigEndian(ranges.AsSpan(index * 8));

        // Labels are of slices; long ones are file names and the like.
        string Name(byte[] label)
        {
            string name = (littleEndian ? Encoding.Unicode : Encoding.BigEndianUnicode).GetString(label).Trim();
            return name.Length <= LongestName && !name.Any(char.IsControl) ? name : "";
        }
    }

    // The first block is "IJIJ" and, for each type, its code and the number of its blocks.
    private static Dictionary<int, List<byte[]>> BlocksOf(byte[][] metadata, bool littleEndian)
    {
        var blocks = new Dictionary<int, List<byte[]>>();
        if (metadata.Length == 0) return blocks;
        int next = 1;
        for (int at = 4; at + 8 <= metadata[0].Length; at += 8)
        {
            int type = Whole(at), count = Math.Clamp(Whole(at + 4), 0, metadata.Length - next);
            blocks[type] = [.. metadata.Skip(next).Take(count)];
            next += count;
        }
        return blocks;

        int Whole(int at) => littleEndian ? BinaryPrimitives.ReadInt32LittleEndian(metadata[0].AsSpan(at))
            : BinaryPrimitives.ReadInt32BigEndian(metadata[0].AsSpan(at));
    }
}
