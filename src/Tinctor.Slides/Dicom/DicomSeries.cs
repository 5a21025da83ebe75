namespace Tinctor.Slides.Dicom;

/// <summary>Series of DICOM files: one scan of a slide, usually a file for each level and associated image, in one folder.</summary>
/// <param name="Identifier">Unique identifier of the series.</param>
/// <param name="Description">Description by the scanner; empty if there is none.</param>
/// <param name="Files">Its files, in ordinal order.</param>
internal sealed record DicomSeries(string Identifier, string Description, IReadOnlyList<string> Files)
{
    /// <summary>Whether a file has the marker of DICOM; false for folders and files that cannot be opened.</summary>
    public static bool IsDicom(string path)
    {
        // Pipes have no length; opening one would wait for its writer.
        if (new FileInfo(path) is not { Exists: true, Length: > 0 }) return false;
        try
        {
            using FileStream file = InputFile.Open(path);
            return DicomReader.IsDicom(file);
        }
        catch (TinctorException)
        {
            return false;
        }
    }

    /// <summary>
    /// Lists the series of slides whose files lie directly in a folder, in the order of their files; without files of damaged metadata.
    /// </summary>
    public static IReadOnlyList<DicomSeries> In(string folder) => [.. FilesOf(folder).Select(Slide).OfType<DicomInstance>()
        .GroupBy(instance => instance.Series)
        .Select(series => new DicomSeries(series.Key, series.First().Description, [.. series.Select(instance => instance.Path)]))];

    /// <summary>Whether a folder holds DICOM files directly in it, and nothing else but files to ignore.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isIgnored">Whether a file does not count, such as a text.</param>
    public static bool IsAllOf(string folder, Func<string, bool> isIgnored)
    {
        string[] files = [.. FilesOf(folder).Where(file => !isIgnored(file))];
        return files.Length > 0 && files.All(IsDicom);
    }

    /// <summary>Finds the series of a file, or of a folder with one series.</summary>
    /// <returns>The series; null if the path is neither a DICOM file nor a folder with slides in DICOM.</returns>
    /// <exception cref="TinctorException">The file is no slide, or the folder holds several series.</exception>
    public static DicomSeries? Find(string path)
    {
        if (Directory.Exists(path))
        {
            IReadOnlyList<DicomSeries> all = In(path);
            if (all.Count <= 1) return all.SingleOrDefault();
            string files = string.Join(", ", all.Select(series => Path.GetFileName(series.Files[0])
                + (series.Description.Length > 0 ? $" ({series.Description})" : "")));
            throw new TinctorException(path, $"holds {all.Count} series of slides: {files}",
                "Name one of these files instead of the folder.");
        }
        if (!IsDicom(path)) return null;
        DicomInstance instance = DicomInstance.Read(path, isShort: true);
        if (!instance.IsWholeSlide)
            throw new TinctorException(path, $"is DICOM, but no whole-slide image ({instance.OtherKind})",
                "Use VL Whole Slide Microscopy images, or convert it to PNG or TIFF.");
        string folder = Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".";
        return In(folder).FirstOrDefault(series => series.Identifier == instance.Series)
            ?? new(instance.Series, instance.Description, [path]);
    }

    private static DicomInstance? Slide(string file)
    {
        try
        {
            return IsDicom(file) && DicomInstance.Read(file, isShort: true) is { IsWholeSlide: true } instance ? instance : null;
        }
        catch (TinctorException)
        {
            return null;
        }
    }

    private static IEnumerable<string> FilesOf(string folder) => Directory.EnumerateFiles(folder)
        .Where(file => Path.GetFileName(file)[0] != '.').Order(StringComparer.Ordinal);
}
