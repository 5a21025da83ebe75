using System.Globalization;
using Tinctor.Slides;

namespace Tinctor.Viewer.Folders;

/// <summary>Slide of the catalogue; it is opened on demand.</summary>
/// <param name="Path">File, or folder of a DICOM series.</param>
/// <param name="Id">Identifier in addresses.</param>
/// <param name="Folder">Folder as users know it.</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="Modified">Time of the latest change, in UTC.</param>
internal sealed record CatalogueSlide(string Path, string Id, string Folder, long Bytes, DateTime Modified)
{
    private readonly Lazy<string> fingerprint = new(() => FingerprintOf(Path)), content = new(() => SlideContent.Fingerprint(Path));

    /// <summary>Name of the file, or of the folder.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>SHA-256 of the content's fingerprint and of the times of the files; identifies the content in caches.</summary>
    /// <exception cref="TinctorException">A file cannot be read.</exception>
    public string Fingerprint => fingerprint.Value;

    /// <summary>Fingerprint of the content alone; see <see cref="SlideContent"/>.</summary>
    /// <exception cref="TinctorException">A file cannot be read.</exception>
    public string Content => content.Value;

    /// <summary>Creates an entry; null if the files are gone.</summary>
    public static CatalogueSlide? Create(string path, SafeFolders folders)
    {
        try
        {
            FileInfo[] files = [.. SlideFormats.FilesOf(path).Select(file => new FileInfo(file))];
            return files.Length == 0 ? null : new(path, SafeFolders.IdOf(path), folders.DisplayFolder(path),
                files.Sum(file => file.Length), files.Max(file => file.LastWriteTimeUtc));
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            return null;
        }
    }

    /// <summary>Whether another entry has the same path, size and time.</summary>
    public bool IsSameAs(CatalogueSlide other) => (Path, Bytes, Modified) == (other.Path, other.Bytes, other.Modified);

    private static string FingerprintOf(string path)
    {
        using var hash = new Fingerprint();
        hash.Add("content", SlideContent.Fingerprint(path));
        foreach (string file in SlideFormats.FilesOf(path))
            hash.Add("modified", File.GetLastWriteTimeUtc(file).Ticks.ToString(CultureInfo.InvariantCulture));
        return hash.ToHex();
    }
}
