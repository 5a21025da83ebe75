using Tinctor.Slides;

namespace Tinctor.Registration.Tests;

public sealed class PairTilingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-pairs-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Tiles_AreAligned_InTheMiddle_AndScored()
    {
        Image source = new Tissue(1).Render(150, 150, AffineTransform.Identity),
            target = new Tissue(1).Render(150, 150, AffineTransform.Translation(6, -4));
        (IReadOnlyList<RegisteredTile> tiles, _, IReadOnlyList<SlideQuality> slides) = PairTiling.Write(
            [new("f", "s", () => (source, target))], folder, new() { Tile = 64, MinTissue = 0 });
        Assert.Equal(4, tiles.Count);
        // x: 0..143 is common, so 144 - 128 = 16 pixels are left over, 8 on each side.
        Assert.Equal(new PixelArea(8, 13, 64, 64), tiles[0].Area);
        Assert.All(tiles, tile =>
        {
            Assert.True(tile.Kept && tile.Ncc > 0.95 && tile.Residual < 0.2, $"{tile}");
            Assert.Equal(source.Crop(tile.Area.X, tile.Area.Y, 64, 64).Data, Image.Read(tile.Source).Data);
            Assert.InRange(Image.Read(tile.Target).Data.Zip(Image.Read(tile.Source).Data, (p, q) => Math.Abs(p - q)).Average(), 0, 2);
        });
        Assert.Equal(Path.Combine(folder, "source", "f_0008_0013.png"), tiles[0].Source);
        Assert.Equal((6, -4), (Math.Round(slides[0].ShiftX, 1), Math.Round(slides[0].ShiftY, 1)));
        Assert.True(slides[0].Passed && slides[0].NccAfter > slides[0].NccBefore);
    }

    [Fact]
    public void BySlide_AFieldThatWentWrong_FollowsTheOthers()
    {
        var truth = AffineTransform.Translation(5, 3);
        StainedField Field(int i, bool unrelated) => new($"f{i}", "s", () =>
            (new Tissue(i).Render(128, 128, AffineTransform.Identity), new Tissue(unrelated ? 99 : i).Render(128, 128, truth)));
        (IReadOnlyList<RegisteredTile> tiles, _, IReadOnlyList<SlideQuality> slides) = PairTiling.Write(
            [Field(1, false), Field(2, false), Field(3, true)], folder, new() { Tile = null, BySlide = true });
        Assert.Equal([true, true, false], tiles.Select(tile => tile.Kept));
        Assert.Equal(tiles[0].Area, tiles[2].Area);
        Assert.Equal(("s", 3, 2, 1), (slides[0].SlideId, slides[0].Fields, slides[0].Kept, slides[0].Rejected));
        Assert.Equal(Path.Combine(folder, "source", "f3.png"), tiles[2].Source);
    }

    [Fact]
    public void Background_IsNotWritten()
    {
        var glass = new Image(128, 64, 3);
        glass.Data.AsSpan().Fill(250);
        Image tissue = new Tissue(4).Render(64, 64, AffineTransform.Identity);
        for (int y = 0; y < 64; y++) tissue.Data.AsSpan(y * 192, 192).CopyTo(glass.Data.AsSpan(y * 384));
        (IReadOnlyList<RegisteredTile> tiles, _, IReadOnlyList<SlideQuality> slides) =
            PairTiling.Write([new("f", "", () => (glass, glass))], folder, new() { Tile = 64 });
        Assert.Equal((0, 1, "f"), (tiles.Single().Area.X, slides[0].Background, slides[0].SlideId));
    }

    [Fact]
    public void SixteenBitFourChannels_AreKeptAsTiff()
    {
        var source = new Image(64, 64, 4, SampleType.UInt16);
        Image target = new Tissue(4).Render(64, 64, AffineTransform.Identity);
        for (int i = 0; i < 64 * 64 * 4; i++) source.Samples16[i] = (ushort)(60000 - (200 * target.Data[i / 4 * 3]));
        (IReadOnlyList<RegisteredTile> tiles, _, _) = PairTiling.Write([new("f", "s", () => (source, target))], folder,
            new() { Tile = 56, Registration = new() { Channel = StructureChannel.Edges } });
        (Image tile, PixelArea area) = (Image.Read(tiles.Single().Source), tiles.Single().Area);
        Assert.Equal((4, SampleType.UInt16), (tile.Channels, tile.SampleType));
        Assert.Equal(source.Crop(area.X, area.Y, 56, 56).Data, tile.Data);
    }

    [Fact]
    public void TilesThatDoNotFit_AreRefusedByName()
    {
        Image image = new Tissue(4).Render(64, 64, AffineTransform.Identity);
        string message = Assert.Throws<TinctorException>(() =>
            PairTiling.Write([new("f", "s", () => (image, image))], folder, new() { Tile = 65 })).Message;
        Assert.Equal("f: only 64x64 pixels are common to source and target; use --tile 64 or less", message);
    }
}
