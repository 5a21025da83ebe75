namespace Tinctor.Slides.Dicom;

/// <summary>Place of a frame of a sparsely tiled image.</summary>
/// <param name="X">Left edge in pixels of the whole image.</param>
/// <param name="Y">Upper edge in pixels of the whole image.</param>
/// <param name="Z">Focal plane in micrometres; 0 if it is not stated.</param>
/// <param name="OpticalPath">Identifier of the optical path; null if it is not stated.</param>
internal sealed record DicomPlace(int X, int Y, double Z, string? OpticalPath);

/// <summary>Optical path: light and filter of a channel.</summary>
/// <param name="Identifier">Identifier, to which frames refer.</param>
/// <param name="Description">Description; empty if there is none.</param>
/// <param name="Profile">ICC profile; null if there is none.</param>
/// <param name="Objective">Magnification of the objective; null if unknown.</param>
internal sealed record DicomOpticalPath(string Identifier, string Description = "", byte[]? Profile = null, double? Objective = null);

/// <summary>
/// Metadata of a DICOM file: level of a slide, part of one, or associated image.
/// </summary>
/// <remarks>Source: DICOM PS3.3, A.32.8 (VL Whole Slide Microscopy Image) and C.8.12.4; PS3.5 for transfer syntaxes.</remarks>
internal sealed class DicomInstance
{
    private const string WholeSlide = "1.2.840.10008.5.1.4.1.1.77.1.6", TiledFull = "TILED_FULL";
    private const long LargestFrame = 1 << 28;

    private static readonly Dictionary<string, string> OtherKinds = new()
    {
        ["1.2.840.10008.5.1.4.1.1.1"] = "computed radiography",
        ["1.2.840.10008.5.1.4.1.1.1.1"] = "digital X-ray",
        ["1.2.840.10008.5.1.4.1.1.2"] = "CT",
        ["1.2.840.10008.5.1.4.1.1.4"] = "MR",
        ["1.2.840.10008.5.1.4.1.1.6.1"] = "ultrasound",
        ["1.2.840.10008.5.1.4.1.1.7"] = "secondary capture",
        ["1.2.840.10008.5.1.4.1.1.20"] = "nuclear medicine",
        ["1.2.840.10008.5.1.4.1.1.66.4"] = "segmentation",
        ["1.2.840.10008.5.1.4.1.1.77.1.1"] = "endoscopy",
        ["1.2.840.10008.5.1.4.1.1.77.1.2"] = "single microscopic field",
        ["1.2.840.10008.5.1.4.1.1.77.1.3"] = "microscopic fields",
        ["1.2.840.10008.5.1.4.1.1.77.1.4"] = "photograph",
        ["1.2.840.10008.5.1.4.1.1.104.1"] = "PDF",
        ["1.2.840.10008.5.1.4.1.1.128"] = "PET",
        ["1.2.840.10008.1.3.10"] = "directory of files (DICOMDIR)",
    };

    private readonly List<DicomPlace> places = [];
    private readonly List<DicomOpticalPath> opticalPaths = [];
    private readonly Dictionary<uint, string> texts = [];
    private readonly Dictionary<uint, long> numbers = [];

    private DicomInstance(string path) => Path = path;

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Whether it belongs to a slide; other DICOM files are radiographs, photographs and so on.</summary>
    public bool IsWholeSlide => Text(DicomTag.SopClassUid) == WholeSlide;

    /// <summary>Kind of a file that belongs to no slide, such as "CT".</summary>
    public string OtherKind
    {
        get
        {
            // A DICOMDIR has a class in the description of the file only.
            string kind = texts.GetValueOrDefault(DicomTag.SopClassUid, Text(DicomTag.MediaSopClassUid));
            return OtherKinds.GetValueOrDefault(kind, $"SOP class {kind}");
        }
    }

    /// <summary>Unique identifier of the series: one scan of a slide.</summary>
    public string Series => Text(DicomTag.SeriesInstanceUid);

    /// <summary>Description of the series by the scanner; empty if there is none.</summary>
    public string Description => Text(DicomTag.SeriesDescription);

    /// <summary>Role of the image: VOLUME, LABEL, OVERVIEW, LOCALIZER or THUMBNAIL.</summary>
    public string Role => Text(DicomTag.ImageType).Split('\\').ElementAtOrDefault(2) ?? "";

    /// <summary>Unique identifier shared by the parts of one image; that of the file for an image in one part.</summary>
    public string Whole => Text(DicomTag.ConcatenationUid) is { Length: > 0 } shared ? shared : Text(DicomTag.SopInstanceUid);

    /// <summary>Number of frames of the image in the parts before this one.</summary>
    public long FrameOffset => Number(DicomTag.ConcatenationFrameOffset, 0);

    /// <summary>Encoding of the pixels.</summary>
    public DicomCoding Coding { get; private set; }

    /// <summary>Width of a frame in pixels.</summary>
    public int Columns => (int)Number(DicomTag.Columns, 0);

    /// <summary>Height of a frame in pixels.</summary>
    public int Rows => (int)Number(DicomTag.Rows, 0);

    /// <summary>Width of the whole image in pixels.</summary>
    public int Width => (int)Number(DicomTag.TotalColumns, 0);

    /// <summary>Height of the whole image in pixels.</summary>
    public int Height => (int)Number(DicomTag.TotalRows, 0);

    /// <summary>Number of frames in this file.</summary>
    public int Frames { get; private set; } = 1;

    /// <summary>Number of focal planes.</summary>
    public long FocalPlanes => Math.Max(1, Number(DicomTag.FocalPlanes, 1));

    /// <summary>Samples per pixel: 1 or 3.</summary>
    public int Samples => (int)Number(DicomTag.SamplesPerPixel, 1);

    /// <summary>Bytes per sample: 1 or 2.</summary>
    public int SampleBytes => (int)Number(DicomTag.BitsAllocated, 8) / 8;

    /// <summary>Bytes of a decoded frame.</summary>
    public int FrameBytes => Columns * Rows * Samples * SampleBytes;

    /// <summary>Whether the samples of an uncompressed frame are stored colour by colour.</summary>
    public bool IsPlanar => Number(DicomTag.PlanarConfiguration, 0) == 1 && Samples > 1;

    /// <summary>Meaning of the samples, such as RGB or YBR_FULL_422.</summary>
    public string Photometric => Text(DicomTag.Photometric);

    /// <summary>Whether frames cover the whole image row by row; else each has a place of its own.</summary>
    public bool IsFull => Text(DicomTag.DimensionOrganizationType) == TiledFull || places.Count == 0;

    /// <summary>Places of the frames; empty if they cover the image row by row.</summary>
    public IReadOnlyList<DicomPlace> Places => IsFull ? [] : places;

    /// <summary>Optical paths, at least one.</summary>
    public IReadOnlyList<DicomOpticalPath> OpticalPaths => opticalPaths.Count > 0 ? opticalPaths : [new("")];

    /// <summary>Micrometres per pixel; null if unknown.</summary>
    public double? Mpp { get; private set; }

    /// <summary>The pixels.</summary>
    public DicomElement Pixels { get; private set; }

    /// <summary>Positions and lengths of the frames, if the file lists them as 64-bit numbers.</summary>
    public (DicomElement Offsets, DicomElement Lengths)? ExtendedOffsets { get; private set; }

    /// <summary>Texts that describe the slide, by the names of the standard.</summary>
    public IReadOnlyDictionary<string, string> Properties => new (string Name, uint Tag)[]
    {
        ("Manufacturer", DicomTag.Manufacturer), ("ManufacturerModelName", DicomTag.Model),
        ("SeriesInstanceUID", DicomTag.SeriesInstanceUid), ("SeriesDescription", DicomTag.SeriesDescription),
        ("TransferSyntaxUID", DicomTag.TransferSyntaxUid), ("PhotometricInterpretation", DicomTag.Photometric),
    }.Where(property => Text(property.Tag).Length > 0).ToDictionary(property => $"dicom.{property.Name}", property => Text(property.Tag));

    /// <summary>Reads the metadata of a file.</summary>
    /// <param name="path">A DICOM file.</param>
    /// <param name="isShort">Whether only the kind of the file and its series are read; then nothing is checked.</param>
    /// <exception cref="TinctorException">The file is damaged, or a slide of a kind that is not supported.</exception>
    public static DicomInstance Read(string path, bool isShort = false)
    {
        var instance = new DicomInstance(path);
        try
        {
            using FileStream file = InputFile.Open(path);
            var reader = new DicomReader(file);
            foreach (DicomElement element in reader.Elements())
            {
                if (isShort && element.Sequence == 0 && element.Tag > DicomTag.SeriesInstanceUid) break;
                instance.Take(reader, element);
            }
            if (!isShort && instance.IsWholeSlide) instance.Check(file.Length);
            return instance;
        }
        catch (TinctorException error) when (error.File is null)
        {
            throw new TinctorException(path, error.Problem, error.Remedy ?? "Copy or export the file again.", error);
        }
    }

    private string Text(uint tag) => texts.GetValueOrDefault(tag, "");

    private long Number(uint tag, long missing) => numbers.GetValueOrDefault(tag, missing);

    private void Take(DicomReader reader, DicomElement element)
    {
        switch (element.Sequence, element.Tag)
        {
            case (0, DicomTag.MediaSopClassUid or DicomTag.TransferSyntaxUid or DicomTag.ImageType or DicomTag.SopClassUid
                or DicomTag.SopInstanceUid or DicomTag.Manufacturer or DicomTag.SeriesDescription or DicomTag.Model
                or DicomTag.SeriesInstanceUid or DicomTag.DimensionOrganizationType or DicomTag.ConcatenationUid or DicomTag.Photometric):
                texts[element.Tag] = reader.Text(element);
                break;
            case (0, DicomTag.ConcatenationFrameOffset or DicomTag.SamplesPerPixel or DicomTag.PlanarConfiguration or DicomTag.Rows
                or DicomTag.Columns or DicomTag.BitsAllocated or DicomTag.PixelRepresentation or DicomTag.TotalColumns or DicomTag.TotalRows
                or DicomTag.FocalPlanes or DicomTag.VolumeWidth):
                numbers[element.Tag] = reader.Whole(element);
                break;
            case (0, DicomTag.NumberOfFrames):
                Frames = reader.Decimals(element) is [double count, ..] && count is >= 1 and <= int.MaxValue ? (int)count
                    : throw new TinctorException($"has {reader.Text(element)} frames");
                break;
            case (0, DicomTag.PixelData):
                Pixels = element;
                break;
            case (0, DicomTag.ExtendedOffsets):
                ExtendedOffsets = (element, default);
                break;
            case (0, DicomTag.ExtendedLengths) when ExtendedOffsets is { } offsets:
                ExtendedOffsets = offsets with { Lengths = element };
                break;
            case (_, DicomTag.PixelSpacing):
                // Rows first, in millimetres.
                if (reader.Decimals(element) is [_, double across]) Mpp ??= 1000 * across;
                break;
            case (DicomTag.OpticalPaths, _):
                TakeOpticalPath(reader, element);
                break;
            case (DicomTag.FrameGroups, DicomTag.ColumnPosition or DicomTag.RowPosition or DicomTag.ZOffset
                or DicomTag.OpticalPathIdentifier):
                while (places.Count <= element.Item) places.Add(new(0, 0, 0, null));
                DicomPlace place = places[element.Item];
                // Positions count from 1.
                places[element.Item] = element.Tag switch
                {
                    DicomTag.ColumnPosition => place with { X = checked((int)reader.Whole(element) - 1) },
                    DicomTag.RowPosition => place with { Y = checked((int)reader.Whole(element) - 1) },
                    DicomTag.ZOffset => place with { Z = reader.Decimals(element).FirstOrDefault() },
                    _ => place with { OpticalPath = reader.Text(element) },
                };
                break;
        }
    }

    private void TakeOpticalPath(DicomReader reader, DicomElement element)
    {
        while (opticalPaths.Count <= element.Item) opticalPaths.Add(new(""));
        DicomOpticalPath path = opticalPaths[element.Item];
        opticalPaths[element.Item] = element.Tag switch
        {
            DicomTag.OpticalPathIdentifier => path with { Identifier = reader.Text(element) },
            DicomTag.OpticalPathDescription => path with { Description = reader.Text(element) },
            DicomTag.IccProfile => path with { Profile = reader.Bytes(element) },
            DicomTag.ObjectivePower when reader.Decimals(element) is [> 0 and double power, ..] => path with { Objective = power },
            _ => path,
        };
    }

    private void Check(long fileLength)
    {
        Coding = DicomCodings.Of(Text(DicomTag.TransferSyntaxUid));
        if (Series.Length == 0) throw new TinctorException("has no SeriesInstanceUID");
        Require(DicomTag.Columns, "Columns", 1, ushort.MaxValue);
        Require(DicomTag.Rows, "Rows", 1, ushort.MaxValue);
        Require(DicomTag.TotalColumns, "TotalPixelMatrixColumns", 1, int.MaxValue);
        Require(DicomTag.TotalRows, "TotalPixelMatrixRows", 1, int.MaxValue);
        Require(DicomTag.FocalPlanes, "TotalPixelMatrixFocalPlanes", 1, ushort.MaxValue, isOptional: true);
        Require(DicomTag.ConcatenationFrameOffset, "ConcatenationFrameOffsetNumber", 0, int.MaxValue, isOptional: true);
        if (Number(DicomTag.BitsAllocated, 8) is not (8 or 16) || Number(DicomTag.PixelRepresentation, 0) != 0)
            throw Unsupported("samples that are not unsigned 8 or 16 bit");
        if ((Samples, Photometric) is not ((1, "MONOCHROME2") or (3, "RGB" or "YBR_FULL" or "YBR_FULL_422" or "YBR_ICT" or "YBR_RCT"))
            || (Photometric == "YBR_FULL_422" && Coding is not DicomCoding.Jpeg))
            throw Unsupported($"{Samples} samples of {(Photometric.Length > 0 ? Photometric : "unknown meaning")} a pixel");
        if ((long)Columns * Rows * Samples * SampleBytes > LargestFrame)
            throw Unsupported($"frames of {Columns}x{Rows} pixels (the limit is {LargestFrame >> 20} MB)");
        if (Pixels.Start == 0) throw new TinctorException("has no pixels");
        // The width of the image in millimetres is a 32-bit floating-point number.
        if (numbers.TryGetValue(DicomTag.VolumeWidth, out long bits)) Mpp ??= 1000 * BitConverter.Int32BitsToSingle((int)bits) / Width;
        if (Coding != DicomCoding.None) return;
        long needed = (long)Frames * FrameBytes, present = Math.Min(Pixels.Length, fileLength - Pixels.Start);
        if (present < needed) throw new TinctorException($"holds {present} bytes of pixels, but {Frames} frames need {needed}");
    }

    private void Require(uint tag, string name, long least, long most, bool isOptional = false)
    {
        if (isOptional && !numbers.ContainsKey(tag)) return;
        if (!numbers.TryGetValue(tag, out long value)) throw new TinctorException($"has no {name}");
        if (value < least || value > most) throw new TinctorException($"{name} is {value}, but must be {least} to {most}");
    }

    private static TinctorException Unsupported(string kind) =>
        new(null, $"has {kind}, which is not supported", "Export the slide as OME-TIFF.");
}
