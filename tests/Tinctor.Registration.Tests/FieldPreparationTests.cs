using Tinctor.Data;
using Tinctor.Registration.Pairs;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

public sealed class FieldPreparationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-pairs-").FullName;

    private string Out => Path.Combine(folder, "out");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Write_cuts_and_scores_aligned_tiles_from_centre()
    {
        Image source = new Tissue(1).Render(150, 150, AffineTransform.Identity),
            target = new Tissue(1).Render(150, 150, AffineTransform.Translation(6, -4));
        FieldTiles[] fields = FieldPreparation.Write([new("f", "s", () => (source, target))], Out, Options(64), []);
        PreparedTile[] tiles = [.. fields[0].Tiles];
        Assert.Equal(4, tiles.Length);
        // x: 0..143 is common, so 144 - 128 = 16 pixels are left over, 8 on each side.
        Assert.Equal((8, 13), (tiles[0].X, tiles[0].Y));
        foreach ((PreparedTile tile, (string Source, string Target) files) in fields[0].Files)
        {
            Assert.True(tile.Status == TileStatus.Kept && tile.Ncc > 0.95 && tile.Residual < 0.2, $"{tile}");
            Assert.Equal(source.Crop(tile.X, tile.Y, 64, 64).Data, Image.Read(files.Source).Data);
            Assert.InRange(Image.Read(files.Target).Data.Zip(Image.Read(files.Source).Data, (p, q) => Math.Abs(p - q)).Average(), 0, 2);
        }
        Assert.Equal(Path.Combine(Out, "source", "f_0008_0013.png"), fields[0].Files[0].Value.Source);
        SlideSummary slide = FieldPreparation.Summaries(fields).Single();
        Assert.Equal((6, -4), (Math.Round(slide.ShiftX, 1), Math.Round(slide.ShiftY, 1)));
        Assert.True(slide.Passed && slide.NccAfter > slide.NccBefore);
    }

    [Fact]
    public void Write_with_transform_per_slide_uses_median()
    {
        var truth = AffineTransform.Translation(5, 3);
        StainedField Field(int i, bool unrelated) => new($"f{i}", "s", () =>
            (new Tissue(i).Render(128, 128, AffineTransform.Identity), new Tissue(unrelated ? 99 : i).Render(128, 128, truth)));
        PreparationOptions options = Options(null) with { TransformPerSlide = true };
        FieldTiles[] fields = FieldPreparation.Write([Field(1, false), Field(2, false), Field(3, true)], Out,
            options with { Tiling = options.Tiling with { MinTissue = 0.1, MinNcc = 0.2 } }, []);
        PreparedTile[] tiles = [.. fields.SelectMany(field => field.Tiles)];
        Assert.Equal([TileStatus.Kept, TileStatus.Kept, TileStatus.LowCorrelation], tiles.Select(tile => tile.Status));
        Assert.Equal((tiles[0].X, tiles[0].Y), (tiles[2].X, tiles[2].Y));
        SlideSummary slide = FieldPreparation.Summaries(fields).Single();
        Assert.Equal(("s", 3, 2, 1), (slide.SlideId, slide.Fields, slide.Kept, slide.Rejected));
        Assert.Equal(["f1.png", "f2.png"], Directory.GetFiles(Path.Combine(Out, "source")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Write_background_is_rejected()
    {
        Image half = TissueAt(0);
        FieldTiles[] fields = FieldPreparation.Write([new("f", "", () => (half, half))], Out, WithTissue, []);
        Assert.Equal([(0, TileStatus.Kept), (64, TileStatus.Background), (128, TileStatus.Background)],
            fields[0].Tiles.Select(tile => (tile.X, tile.Status)));
        SlideSummary slide = FieldPreparation.Summaries(fields).Single();
        Assert.Equal((2, "f"), (slide.Background, slide.SlideId));
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Write_tile_without_tissue_on_one_side_is_background(bool exchanged)
    {
        Image one = TissueAt(0), both = TissueAt(0, 64);
        PreparationOptions aligned = WithTissue with { Registration = null };
        FieldTiles[] fields = FieldPreparation.Write([new("f", "", () => exchanged ? (both, one) : (one, both))], Out, aligned, []);
        Assert.Equal([TileStatus.Kept, TileStatus.Background, TileStatus.Background], fields[0].Tiles.Select(tile => tile.Status));
        PreparedTile rejected = fields[0].Tiles[1];
        (double empty, double filled) = exchanged ? (rejected.TargetTissue!.Value, rejected.SourceTissue!.Value)
            : (rejected.SourceTissue!.Value, rejected.TargetTissue!.Value);
        Assert.True(empty < 0.1 && filled > 0.1, $"{rejected}");
    }

    [Fact]
    public void Run_failed_fields_are_recorded_and_others_prepared()
    {
        WriteFields("a", "b");
        string At(string side, string name) => Path.Combine(folder, side, name);
        foreach (string side in (string[])["he", "ihc"])
        {
            new Tissue(3).Render(40, 40, AffineTransform.Identity).Write(At(side, "small.png"));
            new Tissue(3).Render(150, 150, AffineTransform.Identity).Write(At(side, "cut.png"));
        }
        File.WriteAllBytes(At("ihc", "cut.png"), File.ReadAllBytes(At("ihc", "cut.png"))[..200]);
        new Tissue(3).Render(150, 150, AffineTransform.Identity).Write(At("he", "grey.png"));
        new Image(150, 150, 1).Write(At("ihc", "grey.png"));
        File.WriteAllText(At("he", "text.png"), "not an image");
        new Image(150, 150, 3).Write(At("ihc", "text.png"));

        PreparedDataset dataset = FieldPreparation.Run(Fields(), Out, Options(64));
        Assert.Equal(8, dataset.Kept);
        Assert.Equal(["a", "b"], PairManifest.Read(Out).Pairs.Select(pair => pair.Name[..1]).Distinct());
        Assert.Equal(["a", "b"], CsvFile.Read(Path.Combine(Out, "fields.csv")).Rows.Select(row => row.Text("field")));
        Dictionary<string, PreparedPair> pairs = dataset.Pairs.ToDictionary(pair => pair.Name);
        Assert.Equal(["a", "b", "cut", "grey", "small", "text"], dataset.Pairs.Select(pair => pair.Name));
        Assert.Contains(At("ihc", "cut.png"), pairs["cut"].Failure);
        Assert.Contains("but most pairs have 3 channels of 8 bit to 3", pairs["grey"].Failure);
        Assert.Contains("overlap by only 40x40", pairs["small"].Failure);
        Assert.Equal(nameof(TilingOptions.TileSize), pairs["small"].FailureOption);
        Assert.Contains(At("he", "text.png"), pairs["text"].Failure);
        Assert.Null(pairs["a"].Failure);
        Dictionary<string, string> rejected = CsvFile.Read(Path.Combine(Out, "rejected.csv")).Rows.ToDictionary(row => row.Text("pair"),
            row => row.Text("reason"));
        Assert.Equal(dataset.Pairs.Where(pair => pair.Failure is not null).Select(pair => (pair.Name, pair.Failure)),
            rejected.Select(row => (row.Key, (string?)row.Value)));
    }

    [Fact]
    public void Run_only_failed_fields_names_reason()
    {
        foreach (string side in (string[])["he", "ihc"])
        {
            Directory.CreateDirectory(Path.Combine(folder, side));
            new Tissue(3).Render(40, 40, AffineTransform.Identity).Write(Path.Combine(folder, side, "small.png"));
        }
        var error = Assert.Throws<TinctorException>(() => FieldPreparation.Run(Fields(), Out, Options(64)).RequireTiles(Options(64)));
        Assert.Contains("1 of 1 pairs failed, such as small: source and target overlap by only 40x40", error.Message);
        Assert.Equal(nameof(TilingOptions.TileSize), error.Option);
        Assert.True(File.Exists(Path.Combine(Out, "manifest.csv")));
    }

    [Fact]
    public void Write_field_without_overlap_under_slide_transform_fails()
    {
        StainedField Field(string name, int side) => new(name, "s", () => (new Tissue(1).Render(side, side, AffineTransform.Identity),
            new Tissue(1).Render(side, side, AffineTransform.Translation(70, 0))));
        PreparationOptions options = Options(48) with { TransformPerSlide = true, Registration = new() { MaxShift = 0.4 } };
        var failures = new Dictionary<StainedField, TinctorException>();
        FieldTiles[] fields = FieldPreparation.Write([Field("a", 220), Field("small", 60), Field("b", 220)], Out, options, failures);
        Assert.Equal(["a", "b"], fields.Select(field => field.Field.Name));
        Assert.All(fields, field => Assert.Equal(70, field.Estimate.Used.X0, 0.5));
        Assert.Equal(("small", "source and target do not overlap. Check whether they show the same field"),
            (failures.Single().Key.Name, failures.Single().Value.Message));
    }

    [Fact]
    public void Write_16_bit_with_four_channels_is_tiff()
    {
        var source = new Image(64, 64, 4, SampleType.UInt16);
        Image target = new Tissue(4).Render(64, 64, AffineTransform.Identity);
        for (int i = 0; i < 64 * 64 * 4; i++) source.Samples16[i] = (ushort)(60000 - (200 * target.Data[i / 4 * 3]));
        FieldTiles[] fields = FieldPreparation.Write([new("f", "s", () => (source, target))], Out, Options(56), []);
        (PreparedTile tile, (string Source, string) files) = fields[0].Files.Single();
        Image written = Image.Read(files.Source);
        Assert.Equal((4, SampleType.UInt16), (written.Channels, written.SampleType));
        Assert.Equal(source.Crop(tile.X, tile.Y, 56, 56).Data, written.Data);
    }

    [Fact]
    public void Write_tile_larger_than_overlap_fails_with_size()
    {
        Image image = new Tissue(4).Render(64, 64, AffineTransform.Identity);
        var failures = new Dictionary<StainedField, TinctorException>();
        Assert.Empty(FieldPreparation.Write([new("f", "s", () => (image, image))], Out, Options(65), failures));
        (StainedField field, TinctorException error) = failures.Single();
        Assert.Equal("f", field.Name);
        Assert.Equal("source and target overlap by only 64x64 pixels, but tiles have 65x65. Use tiles of 64 pixels or less", error.Message);
        Assert.Equal(nameof(TilingOptions.TileSize), error.Option);
    }

    [Fact]
    public void Run_writes_data_set_with_rejected_tiles()
    {
        WriteFields("a,1", "b");
        PreparedDataset dataset = FieldPreparation.Run(Fields(), Out, Options(64));
        Assert.Equal((8, 8), (dataset.Kept, dataset.Tiles));
        PairManifest manifest = PairManifest.Read(Out);
        Assert.Equal(8, manifest.Pairs.Count);
        Assert.Equal(new("fields", 64, 64, null, 0, 0, 8), DatasetFile.Read(Out));
        Assert.Equal(["a,1", "b"], CsvFile.Read(Path.Combine(Out, "fields.csv")).Rows.Select(row => row.Text("field")));
        Assert.Empty(CsvFile.Read(Path.Combine(Out, "rejected.csv")).Rows);

        Assert.Equal(nameof(PreparationOptions.Overwrite),
            Assert.Throws<TinctorException>(() => FieldPreparation.Run(Fields(), Out, Options(64))).Option);
        PreparationOptions strict = Options(64) with { Overwrite = true };
        strict = strict with { Tiling = strict.Tiling with { MinNcc = 1 } };
        PreparedDataset none = FieldPreparation.Run(Fields(), Out, strict);
        CsvTable rejected = CsvFile.Read(Path.Combine(Out, "rejected.csv"));
        Assert.Equal(["pair", "x", "y", "reason", "source_tissue", "target_tissue", "ncc", "residual_px"], rejected.Header);
        Assert.All(rejected.Rows, row => Assert.Equal("low_correlation", row.Text("reason")));
        Assert.Equal(8, rejected.Rows.Count);
        Assert.False(Directory.Exists(Path.Combine(Out, "source")));

        // The advice names an option that was not given.
        var error = Assert.Throws<TinctorException>(() => none.RequireTiles(strict));
        Assert.Equal(nameof(RegistrationOptions.Transform), error.Option);
        error = Assert.Throws<TinctorException>(() =>
            none.RequireTiles(strict with { Registration = new() { Transform = TransformModel.Affine } }));
        Assert.Equal(nameof(TilingOptions.MinNcc), error.Option);
    }

    [Fact]
    public void Run_into_other_folder_or_with_unpaired_images_is_refused()
    {
        WriteFields("a");
        Directory.CreateDirectory(Path.Combine(Out, "source"));
        string own = Path.Combine(Out, "source", "own.png");
        new Image(8, 8, 3).Write(own);
        Assert.Contains("not a data set",
            Assert.Throws<TinctorException>(() => FieldPreparation.Run(Fields(), Out, Options(64) with { Overwrite = true })).Message);
        Assert.True(File.Exists(own));
        PairManifest alone = PairManifest.Read(Path.Combine(folder, "he"));
        Assert.Contains("Give the second folder",
            Assert.Throws<TinctorException>(() => FieldPreparation.Run(alone, Out, Options(64))).Message);
    }

    [Fact]
    public void Read_incomplete_and_newer_data_sets_are_refused()
    {
        WriteFields("a");
        FieldPreparation.Run(Fields(), Out, Options(64));
        string description = Path.Combine(Out, DatasetFile.FileName), text = File.ReadAllText(description);
        File.WriteAllText(description, text.Replace("\"version\": 1", "\"version\": 2"));
        Assert.Contains("version 2", Assert.Throws<TinctorException>(() => PairManifest.Read(Out)).Message);
        File.WriteAllText(description, text);
        File.Delete(Path.Combine(Out, "manifest.csv"));
        Assert.Contains("incomplete", Assert.Throws<TinctorException>(() => PairManifest.Read(Out)).Message);
    }

    [Fact]
    public void Read_data_set_without_description_omits_rejected_tiles()
    {
        WriteFields("a");
        FieldPreparation.Run(Fields(), Out, Options(64));
        File.Delete(Path.Combine(Out, DatasetFile.FileName));
        string[] rows = File.ReadAllLines(Path.Combine(Out, "manifest.csv"));
        File.WriteAllLines(Path.Combine(Out, "manifest.csv"), rows.Select((row, i) => $"{row},{(i == 0 ? "kept" : i == 1 ? "0" : "1")}"));
        Assert.Equal(3, PairManifest.Read(Out).Pairs.Count);
    }

    [Fact]
    public void Run_consecutive_sections_pass_with_default_options()
    {
        PairManifest bci = PairManifest.Read(SharedFiles.Path("data/bci"));
        PreparedDataset dataset = FieldPreparation.Run(bci, Out, new());
        dataset.RequireTiles(new());
        Assert.All(dataset.Slides, slide => Assert.True(slide.Passed, $"{slide}"));
    }

    private static PreparationOptions Options(int? tile) => new() { Tiling = new() { TileSize = tile, MinTissue = 0 } };

    private static PreparationOptions WithTissue => Options(64) with { Tiling = Options(64).Tiling with { MinTissue = 0.1 } };

    // Glass of 192 x 64 pixels with tissue of 64 x 64 pixels at these columns.
    private static Image TissueAt(params ReadOnlySpan<int> columns)
    {
        var image = new Image(192, 64, 3);
        image.Data.AsSpan().Fill(250);
        foreach (int column in columns) image.Paste(new Tissue(4).Render(64, 64, AffineTransform.Identity), column, 0);
        return image;
    }

    private PairManifest Fields() => PairManifest.ReadTwoFolders(Path.Combine(folder, "he"), Path.Combine(folder, "ihc"));

    private void WriteFields(params string[] names)
    {
        foreach ((int i, string name) in names.Index())
        {
            Save("he", name, new Tissue(i + 1).Render(150, 150, AffineTransform.Identity));
            Save("ihc", name, new Tissue(i + 1).Render(150, 150, AffineTransform.Translation(6, -4), noise: 20));
        }

        void Save(string side, string name, Image image)
        {
            Directory.CreateDirectory(Path.Combine(folder, side));
            image.Write(Path.Combine(folder, side, $"{name}.png"));
        }
    }
}
