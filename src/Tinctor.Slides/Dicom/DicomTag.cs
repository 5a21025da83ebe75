namespace Tinctor.Slides.Dicom;

/// <summary>Tags of DICOM, group and element, by the names of the standard (PS3.6).</summary>
internal static class DicomTag
{
    public const uint MediaSopClassUid = 0x0002_0002, TransferSyntaxUid = 0x0002_0010, ImageType = 0x0008_0008,
        SopClassUid = 0x0008_0016, SopInstanceUid = 0x0008_0018, Manufacturer = 0x0008_0070, SeriesDescription = 0x0008_103E,
        Model = 0x0008_1090, SeriesInstanceUid = 0x0020_000E, DimensionOrganizationType = 0x0020_9311, ConcatenationUid = 0x0020_9161,
        ConcatenationFrameOffset = 0x0020_9228, SamplesPerPixel = 0x0028_0002, Photometric = 0x0028_0004,
        PlanarConfiguration = 0x0028_0006, NumberOfFrames = 0x0028_0008, Rows = 0x0028_0010, Columns = 0x0028_0011,
        PixelSpacing = 0x0028_0030, BitsAllocated = 0x0028_0100, PixelRepresentation = 0x0028_0103, IccProfile = 0x0028_2000,
        ZOffset = 0x0040_074A, VolumeWidth = 0x0048_0001, TotalColumns = 0x0048_0006, TotalRows = 0x0048_0007,
        OpticalPaths = 0x0048_0105, OpticalPathIdentifier = 0x0048_0106, OpticalPathDescription = 0x0048_0107,
        ObjectivePower = 0x0048_0112, PlanePosition = 0x0048_021A, ColumnPosition = 0x0048_021E, RowPosition = 0x0048_021F,
        FocalPlanes = 0x0048_0303, SharedGroups = 0x5200_9229, FrameGroups = 0x5200_9230, ExtendedOffsets = 0x7FE0_0001,
        ExtendedLengths = 0x7FE0_0002, PixelData = 0x7FE0_0010, Item = 0xFFFE_E000, ItemEnd = 0xFFFE_E00D, SequenceEnd = 0xFFFE_E0DD;
}
