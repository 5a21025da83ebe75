using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Pixels;

/// <summary>Thumbnails on disk, by the content of their slides; the oldest are deleted beyond a number of files.</summary>
/// <param name="folder">Folder of the cache; null for the user's cache folder.</param>
internal sealed class ThumbnailCache(string? folder)
{
    private const int MostFiles = 20_000;
    private readonly string folder = Path.Combine(folder ?? UserFolders.Cache, "thumbnails");
    private int written;

    /// <summary>Returns a cached thumbnail; null if there is none.</summary>
    /// <param name="fingerprint">Content of the slide.</param>
    /// <param name="size">Longest side in pixels.</param>
    public byte[]? Read(string fingerprint, int size)
    {
        try
        {
            string path = PathOf(fingerprint, size);
            return File.Exists(path) ? InputFile.ReadAllBytes(path) : null;
        }
        catch (TinctorException)
        {
            return null;
        }
    }

    /// <summary>Stores a thumbnail. Nothing is stored if the folder cannot be written.</summary>
    public void Write(string fingerprint, int size, byte[] jpeg)
    {
        try
        {
            AtomicFile.Write(PathOf(fingerprint, size), stream => stream.Write(jpeg));
            if (Interlocked.Increment(ref written) % 500 == 1) DeleteOldest();
        }
        catch (Exception e) when (e is TinctorException || FileErrors.IsFileError(e))
        {
            // The cache saves time only.
        }
    }

    private void DeleteOldest()
    {
        foreach (FileInfo file in new DirectoryInfo(folder).EnumerateFiles("*.jpg")
            .OrderByDescending(file => file.LastWriteTimeUtc).Skip(MostFiles))
            file.Delete();
    }

    private string PathOf(string fingerprint, int size) => Path.Combine(folder, FormattableString.Invariant($"{fingerprint}-{size}.jpg"));
}
