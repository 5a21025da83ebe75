using System.Globalization;

namespace Tinctor.Slides;

/// <summary>Specification of a slide to write.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Channels">Samples per pixel; 3 is RGB, unless <see cref="ChannelInfo"/> is given.</param>
/// <param name="SampleType">Type of the samples.</param>
public sealed record SlideSpec(int Width, int Height, int Channels = 3, SampleType SampleType = SampleType.UInt8)
{
    /// <summary>Micrometres per pixel; null if unknown.</summary>
    public double? Mpp { get; init; }

    /// <summary>Name of the image in OME-XML.</summary>
    public string Name { get; init; } = "";

    /// <summary>
    /// Names, colours and display ranges of the channels, one each or none. Three channels are red, green and blue if there are none, and
    /// separate planes otherwise.
    /// </summary>
    public IReadOnlyList<SlideChannel> ChannelInfo { get; init; } = [];

    /// <summary>ICC profile of grey or RGB samples; null for none. Deep Zoom has no place for it.</summary>
    public byte[]? IccProfile { get; init; }

    /// <summary>Quality of JPEG, 1 to 100; null for lossless compression, which 16-bit samples always have.</summary>
    public int? JpegQuality { get; init; } = 90;

    /// <summary>Side of the tiles in pixels, a multiple of 16.</summary>
    public int Tile { get; init; } = 512;

    /// <summary>Tiles, row by row; those at the right and lower edge may be smaller.</summary>
    internal IEnumerable<PixelArea> Tiles
    {
        get
        {
            for (int y = 0; y < Height; y += Tile)
                for (int x = 0; x < Width; x += Tile) yield return new(x, y, Math.Min(Tile, Width - x), Math.Min(Tile, Height - y));
        }
    }

    /// <summary>Cuts bands into the tiles of the slide; one row of tiles is held in memory.</summary>
    /// <param name="bands">Bands of the width of the slide and any height, from the top.</param>
    public IEnumerable<Image> TilesOf(IEnumerable<Image> bands)
    {
        Image row = Row(0);
        int top = 0, filled = 0;
        foreach (Image band in bands)
        {
            for (int used = 0, rows; used < band.Height; used += rows)
            {
                rows = Math.Min(band.Height - used, row.Height - filled);
                row.Paste(band.Crop(0, used, Width, rows), 0, filled);
                filled += rows;
                if (filled < row.Height) continue;
                for (int x = 0; x < Width; x += Tile) yield return row.Crop(x, 0, Math.Min(Tile, Width - x), row.Height);
                top += row.Height;
                if (top == Height) yield break;
                (row, filled) = (Row(top), 0);
            }
        }

        Image Row(int y) => new(Width, Math.Min(Tile, Height - y), Channels, SampleType);
    }

    /// <summary>Whether the three channels are red, green and blue.</summary>
    internal bool IsRgb => Channels == 3 && ChannelInfo.Count == 0;

    /// <summary>Planes of a TIFF: one for each channel, and one for RGB.</summary>
    internal int Planes => IsRgb ? 1 : Channels;

    /// <summary>Whether JPEG is used.</summary>
    internal bool IsJpeg => JpegQuality is not null && SampleType == SampleType.UInt8;

    /// <summary>
    /// Expected size of the file in bytes, for a slide full of tissue: an eighth of the samples as JPEG from quality 90 on, where chroma
    /// has full resolution, an eleventh below, where it has half, and two thirds without loss; a third more for the smaller levels.
    /// </summary>
    public long ExpectedBytes => (long)((double)Width * Height * Channels * (SampleType == SampleType.UInt8 ? 1 : 2)
        * (IsJpeg ? JpegQuality >= 90 ? 1 / 8.0 : 1 / 11.0 : 2 / 3.0) * 4 / 3);

    /// <summary>Returns a summary such as "40000x30000, about 600 MB (JPEG of quality 90)".</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Width}x{Height}{(Channels is 1 or 3 ? "" : $"x{Channels}")}, ")
        + $"about {Size(ExpectedBytes)} ({(IsJpeg ? $"JPEG of quality {JpegQuality}" : "without loss")})";

    /// <summary>Formats a number of bytes: "1.2 GB", "800 MB", "3 kB".</summary>
    internal static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
    };
}
