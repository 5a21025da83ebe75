namespace Tinctor.Slides;

/// <summary>Type of samples.</summary>
public enum SampleType
{
    /// <summary>8 bits, 0 to 255.</summary>
    UInt8,

    /// <summary>16 bits, 0 to 65535, native byte order.</summary>
    UInt16,
}

/// <summary>File format of images in general.</summary>
public enum ImageFormat
{
    /// <summary>PNG: lossless, 8 and 16 bits, 1 to 4 channels.</summary>
    Png,

    /// <summary>JPEG: lossy, 8 bits, 1 or 3 channels.</summary>
    Jpeg,

    /// <summary>TIFF and BigTIFF: 8 and 16 bits, any number of channels.</summary>
    Tiff,
}

/// <summary>Lossless compression of a TIFF file.</summary>
public enum TiffCompression
{
    /// <summary>No compression.</summary>
    None,

    /// <summary>zlib with horizontal differencing, the default.</summary>
    Deflate,

    /// <summary>LZW with horizontal differencing, for readers without zlib.</summary>
    Lzw,
}

/// <summary>Properties of an image file, read from its header.</summary>
/// <param name="Width">Width in pixels, after orientation.</param>
/// <param name="Height">Height in pixels, after orientation.</param>
/// <param name="Channels">Samples per pixel.</param>
/// <param name="SampleType">Type of the samples.</param>
/// <param name="Format">Format of the file by content, whatever its extension.</param>
public sealed record ImageInfo(int Width, int Height, int Channels, SampleType SampleType, ImageFormat Format);
