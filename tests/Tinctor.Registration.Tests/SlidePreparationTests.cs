using Tinctor.Data;
using Tinctor.Registration.Pairs;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

/// <summary>Tiles of two aligned slides with known defects.</summary>
public sealed class SlidePreparationTests : IDisposable
{
    private const int Side = 512, Tile = 128;

    private readonly string folder = Directory.CreateTempSubdirectory("slide-pairs-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Rows of four tiles: the first has glass at its left; the second is correct; the third is shifted by 4 pixels; the fourth shows other
    // tissue. The target ends before the last column does.
    [Fact]
    public void Prepare_tiles_with_defects_gives_each_its_status()
    {
        SlidePair pair = Write();
        SlidePairFile prepared = SlidePreparation.Prepare(pair, folder, Options);
        TileStatus[][] statuses = [.. prepared.Tiles.GroupBy(tile => tile.Y).OrderBy(row => row.Key)
            .Select(row => row.OrderBy(tile => tile.X).Select(tile => tile.Status).ToArray())];
        Assert.Equal([TileStatus.Background, TileStatus.Kept, TileStatus.Kept, TileStatus.Outside], statuses[0]);
        Assert.Equal([TileStatus.Kept, TileStatus.Kept, TileStatus.Kept, TileStatus.Outside], statuses[1]);
        Assert.Equal([TileStatus.Misaligned, TileStatus.Misaligned, TileStatus.Misaligned, TileStatus.Outside], statuses[2]);
        Assert.Equal([TileStatus.LowCorrelation, TileStatus.LowCorrelation, TileStatus.LowCorrelation, TileStatus.Outside], statuses[3]);
        Assert.All(prepared.Tiles.Where(tile => tile.Status == TileStatus.Kept), tile => Assert.InRange(tile.Residual!.Value, 0, 0.5));
        Assert.All(prepared.Tiles.Where(tile => tile.Status == TileStatus.Misaligned), tile => Assert.InRange(tile.Residual!.Value, 3, 5));
        foreach (string side in (string[])["source", "target"])
        {
            string[] files = [.. Directory.GetFiles(Path.Combine(folder, side, "a")).Order()];
            Assert.Equal(files, prepared.Tiles.Where(tile => tile.Status == TileStatus.Kept)
                .Select(tile => side == "source" ? SlidePreparation.Files(folder, "a", tile, prepared).Source
                    : SlidePreparation.Files(folder, "a", tile, prepared).Target).Order());
        }
        PreparedTile kept = prepared.Tiles.First(tile => tile.Status == TileStatus.Kept);
        Assert.Equal(Image.Read(pair.Source).Crop(kept.X, kept.Y, Tile, Tile).Data,
            Image.Read(SlidePreparation.Files(folder, "a", kept, prepared).Source).Data);
        Assert.Equal(Image.Read(pair.Target).Crop(kept.X, kept.Y, Tile, Tile).Data,
            Image.Read(SlidePreparation.Files(folder, "a", kept, prepared).Target).Data);
    }

    [Fact]
    public void Prepare_repeats_interrupted_pairs_only()
    {
        SlidePair pair = Write();
        SlidePairFile prepared = SlidePreparation.Prepare(pair, folder, Options);
        string done = SlidePreparation.PathOf(folder, "a", ".json"), tile = Directory.GetFiles(Path.Combine(folder, "source", "a"))[0];
        byte[] pixels = File.ReadAllBytes(tile);
        File.WriteAllText(tile, "touched");
        SlidePairFile again = SlidePreparation.Prepare(pair, folder, Options);
        Assert.Equal(prepared.Tiles, again.Tiles);
        Assert.Equal("touched", File.ReadAllText(tile));
        var other = Options with { Tiling = Options.Tiling with { TileSize = 64 } };
        Assert.Contains("other options", Assert.Throws<TinctorException>(() => SlidePreparation.Prepare(pair, folder, other)).Message);

        // State after a kill: tiles, but no record that they are complete.
        File.Delete(done);
        File.WriteAllText(Path.Combine(folder, "source", "a", "half.png"), "");
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            SlidePreparation.Prepare(pair, folder, Options, new StopAfter(0.7, stop), stop.Token));
        Assert.False(File.Exists(done));
        Assert.Equal(prepared.Tiles, SlidePreparation.Prepare(pair, folder, Options).Tiles);
        Assert.Equal(pixels, File.ReadAllBytes(tile));
        Assert.False(File.Exists(Path.Combine(folder, "source", "a", "half.png")));
    }

    [Fact]
    public void Prepare_unknown_or_finer_resolution_is_refused()
    {
        SlidePair pair = Write();
        var half = Options with { Tiling = Options.Tiling with { Mpp = 0.5 } };
        Assert.Contains("micrometres per pixel are unknown",
            Assert.Throws<TinctorException>(() => SlidePreparation.Prepare(pair, folder, half)).Message);
        Assert.Contains("would be enlarged",
            Assert.Throws<TinctorException>(() => SlidePreparation.Prepare(pair, folder, half with { SourceMpp = 1, TargetMpp = 1 }))
                .Message);
        SlidePairFile prepared = SlidePreparation.Prepare(pair, folder, half with { SourceMpp = 0.25, TargetMpp = 0.25 });
        Assert.Equal(4, prepared.Tiles.Count);
        Assert.Equal(0.5, prepared.Mpp);
    }

    [Fact]
    public void Run_records_reasons_and_refuses_earlier_versions()
    {
        SlidePair pair = Write();
        PairManifest slides = SlideMatching.Match([pair.Source], [pair.Target]);
        PreparedDataset dataset = SlidePreparation.Run(slides, folder, Options);
        Assert.Equal(5, dataset.Kept);
        Assert.Equal(dataset.Kept, PairManifest.Read(folder).Pairs.Count);
        CsvTable rejected = CsvFile.Read(Path.Combine(folder, "rejected.csv"));
        Assert.Equal(["background", "low_correlation", "misaligned", "outside"],
            rejected.Rows.Select(row => row.Text("reason")).Distinct().Order());
        Assert.Equal("slides", DatasetFile.Read(folder)!.Kind);

        // The slides may move, but neither change nor be prepared with other options.
        string moved = Path.Combine(folder, "moved");
        Directory.CreateDirectory(moved);
        foreach (string slide in (string[])[pair.Source, pair.Target]) File.Move(slide, Path.Combine(moved, Path.GetFileName(slide)));
        slides = SlideMatching.Match([Path.Combine(moved, "a.png")], [Path.Combine(moved, "b.png")]);
        Assert.Equal(dataset.Pairs[0].Tiles, SlidePreparation.Run(slides, folder, Options).Pairs[0].Tiles);
        Assert.Equal(nameof(PreparationOptions.Overwrite), Assert.Throws<TinctorException>(() => SlidePreparation.Run(slides, folder,
            Options with { Tiling = Options.Tiling with { MinNcc = 0.4 } })).Option);
        string record = SlidePreparation.PathOf(folder, "a", ".json");
        File.WriteAllText(record, """{"name": "a", "source": "a.png", "settings": "SlidePair { Name = a }", "tiles": []}""");
        Assert.Contains("version 1", Assert.Throws<TinctorException>(() => SlidePreparation.Run(slides, folder, Options)).Message);
        File.WriteAllText(record, "{\"format\": ");
        Assert.Contains("damaged", Assert.Throws<TinctorException>(() => SlidePreparation.Run(slides, folder, Options)).Message);
    }

    [Fact]
    public void Run_uses_reviewed_transforms_and_refuses_rejected_ones()
    {
        SlidePair pair = Write();
        PairManifest slides = SlideMatching.Match([pair.Source], [pair.Target]);
        string transforms = Path.Combine(folder, "transforms");
        var shifted = new RegistrationTransform(new(pair.Source, Side, Side), new(pair.Target, Side - 30, Side),
            AffineTransform.Translation(8, 0), null, new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 });
        // The correction of the shift is used, although its quality check failed; the earlier file is not.
        TransformFile.Write(Path.Combine(transforms, "automatic", "b.json"), shifted);
        TransformFile.Write(Path.Combine(transforms, "b.json"), shifted with
        {
            Affine = AffineTransform.Identity,
            Quality = shifted.Quality with { Reasons = ["torn"] },
            Review = new(ReviewState.Corrected, DateTime.UtcNow),
        });
        PreparationOptions options = Options with { Registration = new(), TransformFolder = transforms };
        PreparedDataset dataset = SlidePreparation.Run(slides, folder, options);
        Assert.Equal(5, dataset.Kept);
        TransformFile.Write(Path.Combine(transforms, "b.json"), shifted with { Review = new(ReviewState.Rejected, DateTime.UtcNow) });
        Assert.Contains("other options", Assert.Throws<TinctorException>(() => SlidePreparation.Run(slides, folder, options)).Message);
        Assert.Contains("rejected in a review",
            SlidePreparation.Run(slides, folder, options with { Overwrite = true }).Pairs[0].Failure);
    }

    [Fact]
    public void Run_refused_field_names_option_for_aligned_fields()
    {
        Directory.CreateDirectory(folder);
        string source = Path.Combine(folder, "field.png"), target = Path.Combine(folder, "other.png");
        new Tissue(4).Render(256, 256, AffineTransform.Identity).Write(source);
        new Tissue(11).Render(256, 256, AffineTransform.Identity, ihc: true).Write(target);
        var slides = new PairManifest(folder, "slides", [new(source, target, "train", null, "a", PairLayout.TwoFiles)]);
        PreparationOptions options = Options with
        {
            Registration = new() { Transform = TransformModel.Rigid },
            SourceMpp = 0.5,
            TargetMpp = 0.5,
        };
        PreparedPair refused = SlidePreparation.Run(slides, Path.Combine(folder, "out"), options).Pairs[0];
        Assert.Contains("above chance", refused.Failure);
        Assert.EndsWith("if they are aligned already, say so", refused.Failure);
        Assert.Equal(nameof(PreparationOptions.Registration), refused.FailureOption);
    }

    [Fact]
    public void Run_aligned_consecutive_fields_pass_with_default_limits()
    {
        PairManifest bci = PairManifest.Read(SharedFiles.Path("data/bci"));
        PreparedDataset dataset = SlidePreparation.Run(bci, Path.Combine(folder, "bci"),
            new PreparationOptions { Registration = null, SourceMpp = 0.46, TargetMpp = 0.46 });
        Assert.All(dataset.Pairs, pair => Assert.Null(pair.Failure));
        Assert.All(dataset.Pairs, pair => Assert.Contains(pair.Tiles, tile => tile.Status == TileStatus.Kept));
    }

    private static PreparationOptions Options => new()
    {
        Registration = null,
        Tissue = new() { UnknownSide = 500, LeastPiece = 0, Folds = false },
        Tiling = new() { TileSize = Tile, MinTissue = 0.5, MinNcc = 0.3, MaxResidual = 3 },
    };

    private SlidePair Write()
    {
        (Tissue tissue, Tissue other) = (new Tissue(4, 700, 640), new Tissue(9, 700, 640));
        Image source = tissue.Render(Side, Side, AffineTransform.Identity),
            target = tissue.Render(Side, Side, AffineTransform.Identity, ihc: true);
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

    private sealed class StopAfter(double share, CancellationTokenSource stop) : IProgress<PreparationProgress>
    {
        public void Report(PreparationProgress value)
        {
            if (value.Share > share) stop.Cancel();
        }
    }
}
