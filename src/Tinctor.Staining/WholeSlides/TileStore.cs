using Tinctor.Slides;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Stained tiles of an unfinished slide, as files of a folder, from which staining resumes. The folder belongs to one slide, one model and
/// one set of options; tiles of another are deleted. One process at a time uses it, or several that stain a band each.
/// </summary>
internal sealed class TileStore : IDisposable
{
    /// <summary>Kind of stained tiles.</summary>
    public const string Stained = "";

    /// <summary>Kind of tiles of variation between several results.</summary>
    public const string Variation = "-variation";

    /// <summary>Kind of tiles of novelty of the source.</summary>
    public const string Novelty = "-novelty";

    private readonly string folder, note;
    private readonly TileLock access;

    /// <param name="folder">The folder, created if needed.</param>
    /// <param name="fingerprint">Fingerprint of everything that the pixels of a tile depend on.</param>
    /// <param name="target">The stained slide, named in errors.</param>
    /// <param name="access">Lock on the folder, which belongs to the store from now on.</param>
    /// <exception cref="TinctorException">The folder of a band holds tiles of another model or other options.</exception>
    public TileStore(string folder, string fingerprint, string target, TileLock access)
    {
        (this.folder, this.access) = (folder, access);
        note = Path.Combine(folder, "tiles.txt");
        using FileLock? whole = access.HoldWhole();
        bool isOther = Directory.Exists(folder) && (!File.Exists(note) || File.ReadAllText(note) != fingerprint);
        if (isOther && access.Band is not null)
        {
            // Another process may be staining them.
            throw new TinctorException(target, $"its tiles in {folder} were stained with another model or other options",
                "Stain all bands with the same model and options, or remove the folder.");
        }
        if (isOther) Directory.Delete(folder, recursive: true);
        if (!File.Exists(note)) AtomicFile.WriteText(note, fingerprint);
        if (access.Band is null) AtomicFile.DeleteLeftovers(folder);
    }

    public bool Has(Tile tile, string kind = Stained) => File.Exists(PathOf(tile, kind));

    public Image Read(Tile tile, string kind = Stained) => Image.Read(PathOf(tile, kind));

    /// <summary>Stores a tile. A folder that has vanished with its disk is not created anew.</summary>
    /// <exception cref="TinctorException">The folder has vanished, or the tile cannot be written.</exception>
    public void Write(Tile tile, Image image, string kind = Stained)
    {
        RequireFolder();
        string path = PathOf(tile, kind);
        try
        {
            image.Write(path);
        }
        catch (TinctorException) when (!File.Exists(note))
        {
            // The reason is named below.
        }
        if (File.Exists(note)) return;
        // The folder has vanished meanwhile, and writing may have created it anew.
        if (Directory.Exists(folder)) Remove(path);
        RequireFolder();
    }

    /// <summary>Whether this process may write the slide: it has locked the whole slide; see <see cref="TileLock.TryLockWhole"/>.</summary>
    public bool TryLockWhole() => access.TryLockWhole();

    /// <summary>Deletes the tiles.</summary>
    public void Delete()
    {
        Directory.Delete(folder, recursive: true);
        access.DeleteLeftovers();
    }

    /// <summary>Lets other processes use the folder.</summary>
    public void Dispose() => access.Dispose();

    private void Remove(string path)
    {
        File.Delete(path);
        if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }

    private void RequireFolder()
    {
        if (File.Exists(note)) return;
        throw new TinctorException(folder, "the folder of stained tiles has vanished during the staining",
            "Connect the share or disk again and repeat the command; it resumes.");
    }

    private string PathOf(Tile tile, string kind) => Path.Combine(folder, $"{tile.Row:D5}-{tile.Column:D5}{kind}.png");
}
