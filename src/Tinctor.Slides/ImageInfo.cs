namespace Tinctor.Slides;

/// <summary>How a sample is stored.</summary>
public enum SampleType
{
    /// <summary>8 bits, 0 to 255.</summary>
    UInt8,

    /// <summary>16 bits, 0 to 65535, native byte order.</summary>
    UInt16,
}

/// <summary>The file formats that are read and written.</summary>
public enum ImageFormat
{
    /// <summary>PNG: lossless, 8 and 16 bit, 1 to 4 channels.</summary>
    Png,

    /// <summary>JPEG: lossy, 8 bit, 1 or 3 channels.</summary>
    Jpeg,

    /// <summary>TIFF and BigTIFF: 8 and 16 bit, any number of channels.</summary>
    Tiff,
}

/// <summary>Compression of a TIFF file; each of them is lossless.</summary>
public enum TiffCompression
{
    /// <summary>Stored as it is.</summary>
    None,

    /// <summary>zlib with horizontal differencing, the default.</summary>
    Deflate,

    /// <summary>LZW with horizontal differencing, for readers without zlib.</summary>
    Lzw,
}

/// <summary>What <see cref="Image.Read"/> would return for a file, from its header alone.</summary>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Channels">Samples in a pixel.</param>
/// <param name="SampleType">How a sample is stored.</param>
/// <param name="Format">The file's format by its content, whatever its extension.</param>
public sealed record ImageInfo(int Width, int Height, int Channels, SampleType SampleType, ImageFormat Format);
