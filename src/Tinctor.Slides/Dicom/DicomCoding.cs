namespace Tinctor.Slides.Dicom;

/// <summary>Encoding of the frames of a DICOM file.</summary>
internal enum DicomCoding
{
    /// <summary>Uncompressed samples.</summary>
    None,

    /// <summary>JPEG, baseline or extended, 8 bits.</summary>
    Jpeg,

    /// <summary>JPEG 2000, also with its high-throughput coder.</summary>
    Jpeg2000,

    /// <summary>Runs of bytes.</summary>
    Rle,
}

/// <summary>Transfer syntaxes of DICOM.</summary>
internal static class DicomCodings
{
    private static readonly Dictionary<string, DicomCoding> Known = new()
    {
        ["1.2.840.10008.1.2"] = DicomCoding.None,
        ["1.2.840.10008.1.2.1"] = DicomCoding.None,
        ["1.2.840.10008.1.2.5"] = DicomCoding.Rle,
        ["1.2.840.10008.1.2.4.50"] = DicomCoding.Jpeg,
        ["1.2.840.10008.1.2.4.51"] = DicomCoding.Jpeg,
        ["1.2.840.10008.1.2.4.90"] = DicomCoding.Jpeg2000,
        ["1.2.840.10008.1.2.4.91"] = DicomCoding.Jpeg2000,
        ["1.2.840.10008.1.2.4.201"] = DicomCoding.Jpeg2000,
        ["1.2.840.10008.1.2.4.202"] = DicomCoding.Jpeg2000,
        ["1.2.840.10008.1.2.4.203"] = DicomCoding.Jpeg2000,
    };

    private static readonly Dictionary<string, string> Others = new()
    {
        ["1.2.840.10008.1.2.4.57"] = "lossless JPEG",
        ["1.2.840.10008.1.2.4.70"] = "lossless JPEG",
        ["1.2.840.10008.1.2.4.80"] = "JPEG-LS",
        ["1.2.840.10008.1.2.4.81"] = "JPEG-LS",
        ["1.2.840.10008.1.2.4.110"] = "JPEG XL",
        ["1.2.840.10008.1.2.4.112"] = "JPEG XL",
    };

    /// <summary>Returns the encoding of a transfer syntax.</summary>
    /// <exception cref="TinctorException">It is not supported.</exception>
    public static DicomCoding Of(string syntax) => Known.TryGetValue(syntax, out DicomCoding coding) ? coding
        : throw new TinctorException(null, $"is compressed with {Others.GetValueOrDefault(syntax, $"the transfer syntax {syntax}")}, "
            + "which is not supported", "Export the slide with JPEG, JPEG 2000 or RLE.");
}
