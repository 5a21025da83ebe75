using Tinctor.Slides;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// The stained tiles of a slide that is being worked on, as files of a folder: what a slide is resumed from. It belongs to one slide, one
/// model and one way of staining; what another has left is thrown away.
/// </summary>
internal sealed class TileStore
{
    private readonly string folder;

    /// <param name="folder">The folder, made if need be.</param>
    /// <param name="identity">All that decides what a tile looks like, as text.</param>
    public TileStore(string folder, string identity)
    {
        this.folder = folder;
        string note = Path.Combine(folder, "tiles.txt");
        if (Directory.Exists(folder) && (!File.Exists(note) || File.ReadAllText(note) != identity)) Directory.Delete(folder, recursive: true);
        if (!File.Exists(note)) AtomicFile.WriteText(note, identity);
        AtomicFile.DeleteLeftovers(folder);
    }

    /// <summary>The stained tiles.</summary>
    public const string Stained = "";

    /// <summary>How much several results for the same tile differ.</summary>
    public const string Variation = "-variation";

    /// <summary>How unlike the training images the source is.</summary>
    public const string Novelty = "-novelty";

    public bool Has(Tile tile, string kind = Stained) => File.Exists(PathOf(tile, kind));

    public Image Read(Tile tile, string kind = Stained) => Image.Read(PathOf(tile, kind));

    public void Write(Tile tile, Image image, string kind = Stained) => image.Write(PathOf(tile, kind));

    /// <summary>Removes the tiles.</summary>
    public void Delete() => Directory.Delete(folder, recursive: true);

    private string PathOf(Tile tile, string kind) => Path.Combine(folder, $"{tile.Row:D5}-{tile.Column:D5}{kind}.png");
}

/// <summary>A tile by its place in the layout.</summary>
internal readonly record struct Tile(int Row, int Column);
