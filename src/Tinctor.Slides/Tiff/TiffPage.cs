namespace Tinctor.Slides.Tiff;

/// <summary>Transparency of a TIFF page, by its ExtraSamples tag.</summary>
internal enum TiffAlpha
{
    /// <summary>No sample is marked as alpha.</summary>
    None,

    /// <summary>Alpha by which colours are multiplied already.</summary>
    Associated,

    /// <summary>Alpha beside colours. libvips marks all samples beyond RGB so, whether they are alpha or not.</summary>
    Unassociated,
}

/// <summary>Page of a TIFF file, by its tags.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Samples">Samples per pixel.</param>
/// <param name="Bits">Bits of the first sample.</param>
internal sealed record TiffPage(int Width, int Height, int Samples, int Bits)
{
    /// <summary>Versions of lower resolution (SubIFDs).</summary>
    public IReadOnlyList<TiffPage> Smaller { get; init; } = [];

    /// <summary>ImageDescription, such as OME-XML; null if there is none.</summary>
    public string? Description { get; init; }

    /// <summary>Pixels per <see cref="ResolutionUnit"/>, horizontally; null if there is no such tag.</summary>
    public double? Resolution { get; init; }

    /// <summary>Unit of the resolution: 1 none, 2 inch, 3 centimetre.</summary>
    public int ResolutionUnit { get; init; }

    /// <summary>Whether pixels are YCbCr although the page says RGB.</summary>
    public bool HoldsYCbCrAsRgb { get; init; }

    /// <summary>Transparency in the last of two or four samples.</summary>
    public TiffAlpha Alpha { get; init; }

    /// <summary>Width and height of its tiles in pixels; null if it is stored in strips.</summary>
    public (long Width, long Height)? Tile { get; init; }

    /// <summary>Blocks of ImageJ's metadata (tag 50839); the first lists the types of the others.</summary>
    public byte[][] ImageJMetadata { get; init; } = [];

    /// <summary>Whether another page has the same size, samples and bits.</summary>
    public bool IsLike(TiffPage other) => (Width, Height, Samples, Bits) == (other.Width, other.Height, other.Samples, other.Bits);
}
