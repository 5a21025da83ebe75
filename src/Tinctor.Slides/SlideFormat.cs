namespace Tinctor.Slides;

/// <summary>File format of slides or images.</summary>
/// <param name="Name">Name, such as "Aperio SVS".</param>
/// <param name="Extensions">Extensions of its files in lower case, with the dot.</param>
internal sealed record SlideFormat(string Name, params IReadOnlyList<string> Extensions)
{
    /// <summary>Whether its files are slides of scanners; false for formats of images in general, of which only some are slides.</summary>
    public bool IsOfScanners { get; init; }

    /// <summary>Whether its files are read through OpenSlide.</summary>
    public bool NeedsOpenSlide { get; init; }

    /// <summary>Whether its files can be read.</summary>
    public bool IsSupported => Converter is null;

    /// <summary>Program that converts its files to a supported format; null if the format is supported.</summary>
    public string? Converter { get; init; }

    /// <summary>Format that the converter writes.</summary>
    internal string ConvertsTo { get; init; } = "OME-TIFF";

    /// <summary>First bytes of its files, and their position; empty if the content does not tell.</summary>
    internal (int At, byte[] Bytes)[] Signatures { get; init; } = [];
}

/// <summary>File of a folder that is left out.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Reason, such as "PDF is not supported".</param>
internal sealed record SkippedFile(string Path, string Reason);

/// <summary>Slides and images of a folder.</summary>
/// <param name="Files">Files that can be read, in ordinal order.</param>
/// <param name="Skipped">
/// Files of formats that are not supported or not known, in ordinal order; without texts, tables and other companions.
/// </param>
internal sealed record SlideFolder(IReadOnlyList<string> Files, IReadOnlyList<SkippedFile> Skipped);
