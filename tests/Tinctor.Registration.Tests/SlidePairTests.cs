using Tinctor.Registration.Pairs;
using Tinctor.Slides;

namespace Tinctor.Registration.Tests;

/// <summary>Tiles of two slides that lie on each other, but for known faults.</summary>
public sealed class SlidePairTests : IDisposable
{
    private const int Side = 512, Tile = 128;

    private readonly string folder = Directory.CreateTempSubdirectory("slide-pairs-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Rows of four tiles: the first has glass at its left; the second is as it should be; the third is shifted by 4 pixels; the fourth
    // shows other tissue. The target ends before the last column does.
    [Fact]
    public void Tiles_are_kept_or_dropped_for_what_is_wrong_with_them()
    {
        SlidePair pair = Write();
        PreparedPair prepared = PairPreparation.Prepare(pair, folder, Options);
        TileFate[][] fates = [.. prepared.Tiles.GroupBy(tile => tile.Y).OrderBy(row => row.Key)
            .Select(row => row.OrderBy(tile => tile.X).Select(tile => tile.Fate).ToArray())];
        Assert.Equal([TileFate.Background, TileFate.Kept, TileFate.Kept, TileFate.Outside], fates[0]);
        Assert.Equal([TileFate.Kept, TileFate.Kept, TileFate.Kept, TileFate.Outside], fates[1]);
        Assert.Equal([TileFate.Shifted, TileFate.Shifted, TileFate.Shifted, TileFate.Outside], fates[2]);
        Assert.Equal([TileFate.Unlike, TileFate.Unlike, TileFate.Unlike, TileFate.Outside], fates[3]);
        Assert.All(prepared.Tiles.Where(tile => tile.Fate == TileFate.Kept), tile => Assert.InRange(tile.Residual!.Value, 0, 0.5));
        Assert.All(prepared.Tiles.Where(tile => tile.Fate == TileFate.Shifted), tile => Assert.InRange(tile.Residual!.Value, 3, 5));
        foreach (string side in (string[])["source", "target"])
        {
            string[] files = [.. Directory.GetFiles(Path.Combine(folder, side, "a")).Order()];
            Assert.Equal(files, prepared.Tiles.Where(tile => tile.Fate == TileFate.Kept)
                .Select(tile => side == "source" ? prepared.FilesOf(folder, tile).Source : prepared.FilesOf(folder, tile).Target).Order());
        }
        SlideTile kept = prepared.Tiles.First(tile => tile.Fate == TileFate.Kept);
        Assert.Equal(Image.Read(pair.Source).Crop(kept.X, kept.Y, Tile, Tile).Data, Image.Read(prepared.FilesOf(folder, kept).Source).Data);
        Assert.Equal(Image.Read(pair.Target).Crop(kept.X, kept.Y, Tile, Tile).Data, Image.Read(prepared.FilesOf(folder, kept).Target).Data);
    }

    [Fact]
    public void What_is_done_stays_and_what_was_interrupted_is_made_again()
    {
        SlidePair pair = Write();
        PreparedPair prepared = PairPreparation.Prepare(pair, folder, Options);
        string done = PairPreparation.FileOf(folder, "a", ".json"), tile = Directory.GetFiles(Path.Combine(folder, "source", "a"))[0];
        byte[] pixels = File.ReadAllBytes(tile);
        File.WriteAllText(tile, "touched");
        PreparedPair again = PairPreparation.Prepare(pair, folder, Options);
        Assert.Equal(prepared.Tiles, again.Tiles);
        Assert.Equal("touched", File.ReadAllText(tile));
        var other = Options with { Tiling = Options.Tiling with { Tile = 64 } };
        Assert.Contains("other settings", Assert.Throws<TinctorException>(() => PairPreparation.Prepare(pair, folder, other)).Message);

        // As a kill leaves it: tiles, but nothing that says that they are all.
        File.Delete(done);
        File.WriteAllText(Path.Combine(folder, "source", "a", "half.png"), "");
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => PairPreparation.Prepare(pair, folder, Options, (_, share) =>
        {
            if (share > 0.7) stop.Cancel();
        }, stop.Token));
        Assert.False(File.Exists(done));
        Assert.Equal(prepared.Tiles, PairPreparation.Prepare(pair, folder, Options).Tiles);
        Assert.Equal(pixels, File.ReadAllBytes(tile));
        Assert.False(File.Exists(Path.Combine(folder, "source", "a", "half.png")));
    }

    [Fact]
    public void Resolutions_must_be_known_and_not_finer_than_the_slide()
    {
        SlidePair pair = Write();
        var half = Options with { Tiling = Options.Tiling with { Mpp = 0.5 } };
        Assert.Contains("give --source-mpp", Assert.Throws<TinctorException>(() => PairPreparation.Prepare(pair, folder, half)).Message);
        Assert.Contains("would only be enlarged",
            Assert.Throws<TinctorException>(() => PairPreparation.Prepare(pair, folder, half with { SourceMpp = 1, TargetMpp = 1 })).Message);
        PreparedPair prepared = PairPreparation.Prepare(pair, folder, half with { SourceMpp = 0.25, TargetMpp = 0.25 });
        Assert.Equal(4, prepared.Tiles.Count);
        Assert.Equal(0.5, prepared.Mpp);
    }

    private static PreparationOptions Options => new()
    {
        Registration = null,
        Tissue = new() { UnknownSide = 500, LeastPiece = 0, Folds = false },
        Tiling = new() { Tile = Tile, MinNcc = 0.3, MaxResidual = 3 },
    };

    private SlidePair Write()
    {
        (Tissue tissue, Tissue other) = (new Tissue(4, 700, 640), new Tissue(9, 700, 640));
        Image source = tissue.Render(Side, Side, AffineTransform.Identity), target = tissue.Render(Side, Side, AffineTransform.Identity, ihc: true);
        target.Paste(tissue.Render(Side, Side, AffineTransform.Translation(4, 0), ihc: true).Crop(0, 2 * Tile, Side, Tile), 0, 2 * Tile);
        target.Paste(other.Render(Side, Side, AffineTransform.Identity, ihc: true).Crop(0, 3 * Tile, Side, Tile), 0, 3 * Tile);
        var glass = new Image(Tile - 20, Tile, 3);
        glass.Fill([245, 245, 245]);
        source.Paste(glass, 0, 0);
        string a = Path.Combine(folder, "a.png"), b = Path.Combine(folder, "b.png");
        source.Write(a);
        target.Crop(0, 0, Side - 30, Side).Write(b);
        return new("a", a, b);
    }
}
