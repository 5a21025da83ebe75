using Tinctor.Slides;

namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Stained tiles of an unfinished slide, as files of a folder, from which staining resumes. The folder belongs to one slide, one model and
/// one set of options; tiles of another are deleted. One process at a time uses it.
/// </summary>
internal sealed class TileStore : IDisposable
{
    /// <summary>Kind of stained tiles.</summary>
    public const string Stained = "";

    /// <summary>Kind of tiles of variation between several results.</summary>
    public const string Variation = "-variation";

    /// <summary>Kind of tiles of novelty of the source.</summary>
    public const string Novelty = "-novelty";

    private readonly string folder;
    private readonly FileLock access;

    /// <param name="folder">The folder, created if needed.</param>
    /// <param name="fingerprint">Fingerprint of everything that the pixels of a tile depend on.</param>
    /// <param name="target">The stained slide, named in errors.</param>
    /// <exception cref="TinctorException">Another process stains the same slide.</exception>
    public TileStore(string folder, string fingerprint, string target)
    {
        this.folder = folder;
        access = FileLock.Acquire(folder + ".lock", target);
        try
        {
            string note = Path.Combine(folder, "tiles.txt");
            if (Directory.Exists(folder) && (!File.Exists(note) || File.ReadAllText(note) != fingerprint))
                Directory.Delete(folder, recursive: true);
            if (!File.Exists(note)) AtomicFile.WriteText(note, fingerprint);
            AtomicFile.DeleteLeftovers(folder);
        }
        catch
        {
            access.Dispose();
            throw;
        }
    }

    public bool Has(Tile tile, string kind = Stained) => File.Exists(PathOf(tile, kind));

    public Image Read(Tile tile, string kind = Stained) => Image.Read(PathOf(tile, kind));

    public void Write(Tile tile, Image image, string kind = Stained) => image.Write(PathOf(tile, kind));

    /// <summary>Deletes the tiles.</summary>
    public void Delete() => Directory.Delete(folder, recursive: true);

    /// <summary>Lets other processes use the folder.</summary>
    public void Dispose() => access.Dispose();

    private string PathOf(Tile tile, string kind) => Path.Combine(folder, $"{tile.Row:D5}-{tile.Column:D5}{kind}.png");
}
