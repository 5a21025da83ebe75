using System.Xml.Linq;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>Slides that are written tile by tile and read again.</summary>
public sealed class SlideWriterTests : InTemporaryFolder
{
    [Theory]
    [InlineData("a.ome.tif", 301, 203, 3, SampleType.UInt8), InlineData("a.ome.tif", 1, 1, 3, SampleType.UInt8)]
    [InlineData("a.tif", 129, 1, 1, SampleType.UInt8), InlineData("a.tif", 300, 200, 3, SampleType.UInt16)]
    [InlineData("a.ome.tiff", 257, 130, 1, SampleType.UInt16), InlineData("a.ome.tif", 200, 131, 4, SampleType.UInt16)]
    [InlineData("a.ome.tif", 64, 65, 2, SampleType.UInt8), InlineData("a.png", 301, 203, 3, SampleType.UInt8)]
    public void Write_lossless_keeps_every_pixel(string name, int width, int height, int channels, SampleType type)
    {
        Image image = TestImages.Make(width, height, channels, type);
        var spec = new SlideSpec(width, height, channels, type) { JpegQuality = null, Tile = 64, Mpp = 0.25, Name = "slide" };
        SlideWriter.Write(At(name), spec, image);
        Assert.Equal([At(name)], Directory.GetFileSystemEntries(Folder));
        using var slide = Slide.Open(At(name));
        Assert.Equal((width, height, channels, type), (slide.Width, slide.Height, slide.Channels, slide.SampleType));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, width, height).Data);
        if (name != "a.png") Assert.Equal(0.25, slide.Mpp!.Value, 1e-6);
        // The levels show the same: noise has the mean of its pixels.
        foreach (int level in Enumerable.Range(1, slide.Levels.Count - 1))
        {
            Image smaller = slide.Read(level, 0, 0, slide.Levels[level].Width, slide.Levels[level].Height);
            Assert.Equal(width >> level, smaller.Width);
        }
        if (width > 256) Assert.True(name == "a.png" || slide.Levels.Count >= 3);
    }

    [Theory]
    [InlineData("a.ome.tif"), InlineData("a.tif"), InlineData("a.png"), InlineData("a.jpg")]
    public void Write_keeps_icc_profile_of_aperio_slide(string name)
    {
        byte[] profile = SrgbProfile();
        AddToFirstPage(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), At("icc.svs"), 34675, profile);
        using var source = Slide.Open(At("icc.svs"));
        Assert.Equal(("aperio slide", profile.Length), (source.Format, source.ReadIccProfile()!.Length));
        Image image = source.Read(0, 0, 0, 300, 200);
        SlideWriter.Write(At(name), new SlideSpec(300, 200) { IccProfile = source.ReadIccProfile(), Tile = 64 }, image);
        using var copy = Slide.Open(At(name));
        Assert.Equal(profile, copy.ReadIccProfile());
        using var without = Slide.Open(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        Assert.Null(without.ReadIccProfile());
    }

    // libvips has a profile built in.
    private byte[] SrgbProfile()
    {
        TestImages.Make(8, 8, 3, SampleType.UInt8).Write(At("plain.png"));
        using var image = VipsImage.Pngload(At("plain.png"));
        image.Pngsave(At("srgb.png"), profile: "srgb");
        using var slide = Slide.Open(At("srgb.png"));
        return slide.ReadIccProfile()!;
    }

    // Writes the first directory of a little-endian TIFF again, behind its end, with one more tag.
    private static void AddToFirstPage(string source, string target, ushort tag, byte[] value)
    {
        byte[] file = File.ReadAllBytes(source);
        int directory = BitConverter.ToInt32(file, 4), count = BitConverter.ToUInt16(file, directory);
        byte[] entries = file[(directory + 2)..(directory + 2 + (12 * count))],
            next = file[(directory + 2 + (12 * count))..(directory + 6 + (12 * count))];
        // Tags are in order, and the new one is above those of baseline TIFF.
        int at = Enumerable.Range(0, count).Count(i => BitConverter.ToUInt16(entries, 12 * i) < tag) * 12;
        byte[] added = [.. BitConverter.GetBytes(tag), 7, 0, .. BitConverter.GetBytes(value.Length), .. BitConverter.GetBytes(file.Length)];
        BitConverter.GetBytes(file.Length + value.Length + (value.Length % 2)).CopyTo(file, 4);
        File.WriteAllBytes(target, [.. file, .. value, .. new byte[value.Length % 2], .. BitConverter.GetBytes((ushort)(count + 1)),
            .. entries[..at], .. added, .. entries[at..], .. next]);
    }

    // libvips 8.18 refuses tiles that are much larger than the image.
    [Theory]
    [InlineData("a.ome.tif", 90, 70), InlineData("a.tif", 1, 1), InlineData("a.ome.tif", 1100, 20)]
    [InlineData("a.ome.tif", 17, 1500)]
    public void Write_small_or_thin_slide_has_small_tiles(string name, int width, int height)
    {
        Image image = TestImages.Make(width, height, 3, SampleType.UInt8);
        SlideWriter.Write(At(name), new SlideSpec(width, height) { JpegQuality = null }, image);
        using (var slide = Slide.Open(At(name))) Assert.Equal(image.Data, slide.Read(0, 0, 0, width, height).Data);
        for (int level = 0; Math.Max(width, height) >> level > 256; level++)
        {
            using var page = VipsImage.Tiffload(At(name), subifd: level - 1);
            Assert.Equal((width >> level, height >> level), (page.Width, page.Height));
        }
        SlideWriter.Write(At($"jpeg.{name}"), new SlideSpec(width, height), TestImages.Smooth(width, height, 3));
        using var lossy = Slide.Open(At($"jpeg.{name}"));
        byte[] read = lossy.Read(0, 0, 0, width, height).Data;
        Assert.InRange(TestImages.Smooth(width, height, 3).Data.Zip(read, (a, b) => Math.Abs(a - b)).Average(), 0, 3);
    }

    [Fact]
    public void Write_channels_keeps_names_colours_and_ranges()
    {
        Image image = TestImages.Make(90, 70, 4, SampleType.UInt16);
        SlideChannel[] names = [new("DAPI"), new("FITC"), new("TxRed") { Colour = 0x123456 },
            new("Cy5") { Display = (12.5, 4000), Exposure = 40.25 }];
        SlideWriter.Write(At("af.ome.tif"), new SlideSpec(90, 70, 4, SampleType.UInt16) { ChannelInfo = names }, image);
        using var slide = Slide.Open(At("af.ome.tif"));
        Assert.Equal(names, slide.ChannelInfo);
    }

    [Fact]
    public void Write_jpeg_is_close_and_much_smaller()
    {
        Image image = TestImages.Smooth(700, 500, 3);
        SlideWriter.Write(At("jpeg.ome.tif"), new SlideSpec(700, 500), image);
        Assert.InRange(new FileInfo(At("jpeg.ome.tif")).Length, 1, 700 * 500 * 3 / 4);
        using var slide = Slide.Open(At("jpeg.ome.tif"));
        byte[] read = slide.Read(0, 0, 0, 700, 500).Data;
        Assert.InRange(image.Data.Zip(read, (a, b) => Math.Abs(a - b)).Average(), 0, 2);
    }

    [Fact]
    public void Write_with_failing_tiles_rethrows_and_leaves_no_file()
    {
        Image image = TestImages.Make(200, 100, 3, SampleType.UInt8);
        var small = new SlideSpec(200, 300) { Tile = 32 };
        IEnumerable<Image> Broken()
        {
            yield return image;
            throw new TinctorException("slide.svs: damaged");
        }
        Assert.Equal("slide.svs: damaged", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.ome.tif"), small, small.TilesOf(Broken()))).Message);
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
        // In the middle of a pyramid.
        foreach (string name in new[] { "a.ome.tif", "a.tif", "a.dzi" })
        {
            Assert.Equal("slide.svs: damaged", Assert.Throws<TinctorException>(
                () => SlideWriter.Write(At(name), small, small.TilesOf(Broken()))).Message);
            Assert.Empty(Directory.GetFileSystemEntries(Folder));
        }
        // Too few rows.
        Assert.Contains("a.ome.tif", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.ome.tif"), new SlideSpec(200, 300), image)).Message);
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }

    [Fact]
    public void Write_removes_leftovers_of_killed_writers()
    {
        Image image = TestImages.Smooth(200, 100, 3);
        var spec = new SlideSpec(200, 100);
        string temporary = "";
        SlideWriter.Write(At("first/slide.ome.tif"), spec, spec.TilesOf([image]).Select(tile =>
        {
            temporary = Path.GetFileName(Assert.Single(Directory.GetFiles(At("first"))));
            return tile;
        }));
        using var dead = System.Diagnostics.Process.Start("true");
        dead.WaitForExit();
        string leftover = temporary.Replace($"-{Environment.ProcessId}-", $"-{dead.Id}-");
        Assert.NotEqual(temporary, leftover);
        Directory.CreateDirectory(At("second"));
        File.WriteAllText(At($"second/{leftover}"), "half a slide");
        SlideWriter.Write(At("second/slide.ome.tif"), spec, image);
        Assert.Equal([At("second/slide.ome.tif")], Directory.GetFiles(At("second")));
    }

    [Fact]
    public void Write_unsupported_slide_is_refused_at_once()
    {
        Assert.Contains("slides cannot be written with this extension", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.svs"), new SlideSpec(10, 10), [])).Message);
        Assert.Contains("holds grey or RGB", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.png"), new SlideSpec(10, 10, 4), [])).Message);
        Assert.Contains("8 bits a sample", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.jpg"), new SlideSpec(10, 10, 3, SampleType.UInt16), [])).Message);
        Assert.Contains("pixels a side", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.jpg"), new SlideSpec(70_000, 10), [])).Message);
        Assert.Contains("are free in", Assert.Throws<TinctorException>(
            () => SlideWriter.Write(At("a.ome.tif"), new SlideSpec(2_000_000_000, 2_000_000_000), [])).Message);
    }

    [Theory]
    [InlineData(16), InlineData(64), InlineData(512)]
    public void Write_lossless_copy_is_exact_at_every_level(int tile)
    {
        Image image = TestImages.Make(333, 257, 3, SampleType.UInt8);
        image.Write(At("source.png"));
        using (var source = Slide.Open(At("source.png")))
        {
            var spec = new SlideSpec(333, 257) { JpegQuality = null, Tile = tile };
            SlideWriter.Write(At("copy.ome.tif"), spec, source.ReadTiles(1, 0, 0, spec));
        }
        using var copy = Slide.Open(At("copy.ome.tif"));
        Assert.Equal(tile == 512 ? 1 : (int)Math.Ceiling(Math.Log2(333.0 / tile)) + 1, copy.Levels.Count);
        Image finer = image;
        for (int level = 0; level < copy.Levels.Count; level++)
        {
            if (level > 0) finer = Halved(finer);
            Assert.Equal((finer.Width, finer.Height), (copy.Levels[level].Width, copy.Levels[level].Height));
            Assert.Equal(finer.Data, copy.Read(level, 0, 0, finer.Width, finer.Height).Data);
        }
    }

    [Theory]
    [InlineData(1.0, 0, 0), InlineData(2.5, -30, 7)]
    public void ReadTiles_joined_equal_region(double downsample, int x, int y)
    {
        TestImages.Smooth(5000, 300, 3).Write(At("wide.tif"));
        using var slide = Slide.Open(At("wide.tif"));
        (int width, int height) = slide.SizeAt(downsample);
        Image whole = slide.ReadAt(downsample, x, y, width, height), joined = new(width, height, 3);
        var spec = new SlideSpec(width, height) { Tile = 112 };
        foreach ((PixelArea area, Image tile) in spec.Tiles.Zip(slide.ReadTiles(downsample, x, y, spec)))
            joined.Paste(tile, area.X, area.Y);
        Assert.True(whole.Data.AsSpan().SequenceEqual(joined.Data));
        // Whoever stops early may close the slide at once.
        foreach (Image tile in slide.ReadTiles(downsample, x, y, spec)) break;
    }

    [Theory]
    [InlineData(1), InlineData(7), InlineData(64), InlineData(131)]
    public void TilesOf_bands_of_any_height_gives_same_tiles(int rows)
    {
        Image image = TestImages.Make(150, 131, 3, SampleType.UInt8);
        var spec = new SlideSpec(150, 131) { Tile = 64 };
        Image[] tiles = [.. spec.TilesOf(TestImages.Bands(image, rows))];
        Assert.Equal(9, tiles.Length);
        foreach ((PixelArea area, Image tile) in spec.Tiles.Zip(tiles))
            Assert.Equal(image.Crop(area.X, area.Y, area.Width, area.Height).Data, tile.Data);
    }

    [Fact]
    public void Write_deep_zoom_gives_description_and_tiles()
    {
        Image image = TestImages.Make(601, 403, 3, SampleType.UInt8);
        for (int again = 0; again < 2; again++)
        {
            SlideWriter.Write(At("slide.dzi"), new SlideSpec(601, 403) { JpegQuality = null }, image);
            Assert.Equal([At("slide.dzi"), At("slide_files")], Directory.GetFileSystemEntries(Folder).Order());
        }
        XElement dzi = XElement.Load(At("slide.dzi")), size = dzi.Elements().Single();
        Assert.Equal(("png", "254", "1"),
            ((string)dzi.Attribute("Format")!, (string)dzi.Attribute("TileSize")!, (string)dzi.Attribute("Overlap")!));
        Assert.Equal(("601", "403"), ((string)size.Attribute("Width")!, (string)size.Attribute("Height")!));
        // Levels from one pixel to all: 2^10 is the first power of two that holds 601.
        Assert.Equal(Enumerable.Range(0, 11).Select(level => $"{level}").Order(),
            Directory.GetDirectories(At("slide_files")).Select(Path.GetFileName).Order());
        Assert.Equal(6, Directory.GetFiles(At("slide_files/10")).Length);
        Assert.Equal(image.Crop(253, 253, 256, 150).Data, Image.Read(At("slide_files/10/1_1.png")).Data);
        SlideWriter.Write(At("jpeg.dzi"), new SlideSpec(601, 403), image);
        Assert.Equal(ImageFormat.Jpeg, Image.ReadInfo(At("jpeg_files/10/2_1.jpg")).Format);
    }

    [Fact]
    public void Write_deep_zoom_failure_keeps_old_files()
    {
        Image image = TestImages.Make(300, 200, 3, SampleType.UInt8);
        SlideWriter.Write(At("slide.dzi"), new SlideSpec(300, 200) { JpegQuality = null }, image);
        Assert.Throws<TinctorException>(() => SlideWriter.Write(At("slide.dzi"), new SlideSpec(300, 900), image));
        Assert.Equal([At("slide.dzi"), At("slide_files")], Directory.GetFileSystemEntries(Folder).Order());
        Assert.Equal(image.Crop(0, 0, 255, 200).Data, Image.Read(At("slide_files/9/0_0.png")).Data);
    }

    [Fact]
    public void ToString_gives_size_and_expected_bytes()
    {
        Assert.Equal("40000x30000, about 600 MB (JPEG of quality 90)", $"{new SlideSpec(40_000, 30_000)}");
        Assert.Equal("4000x3000, about 4 MB (JPEG of quality 80)", $"{new SlideSpec(4000, 3000) { JpegQuality = 80 }}");
        Assert.Equal("4000x3000x4, about 85 MB (without loss)", $"{new SlideSpec(4000, 3000, 4, SampleType.UInt16)}");
    }

    // Means of 2x2 pixels, halves up; a last column or row without a partner is left out.
    private static Image Halved(Image image)
    {
        int width = Math.Max(1, image.Width / 2), height = Math.Max(1, image.Height / 2), row = image.Width * 3;
        var half = new Image(width, height, 3);
        for (int i = 0; i < half.Data.Length; i++)
        {
            (int pixel, int c) = (i / 3, i % 3);
            int at = (pixel / width * 2 * row) + (pixel % width * 6) + c;
            half.Data[i] = (byte)((image.Data[at] + image.Data[at + 3] + image.Data[at + row] + image.Data[at + row + 3] + 2) / 4);
        }
        return half;
    }
}
