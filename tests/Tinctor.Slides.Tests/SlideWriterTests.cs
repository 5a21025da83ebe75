namespace Tinctor.Slides.Tests;

/// <summary>Slides that are written row by row and read again.</summary>
public sealed class SlideWriterTests : InTemporaryFolder
{
    [Theory]
    [InlineData("a.ome.tif", 301, 203, 3, SampleType.UInt8), InlineData("a.ome.tif", 1, 1, 3, SampleType.UInt8)]
    [InlineData("a.tif", 129, 1, 1, SampleType.UInt8), InlineData("a.tif", 300, 200, 3, SampleType.UInt16)]
    [InlineData("a.ome.tiff", 257, 130, 1, SampleType.UInt16), InlineData("a.ome.tif", 200, 131, 4, SampleType.UInt16)]
    [InlineData("a.ome.tif", 64, 65, 2, SampleType.UInt8), InlineData("a.png", 301, 203, 3, SampleType.UInt8)]
    public void Without_loss_every_pixel_comes_back(string name, int width, int height, int channels, SampleType type)
    {
        Image image = TestImages.Make(width, height, channels, type);
        var spec = new SlideSpec(width, height, channels, type) { JpegQuality = null, Tile = 64, Mpp = 0.25, Name = "slide" };
        SlideWriter.Write(At(name), spec, () => Bands(image, 37));
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

    [Fact]
    public void Channels_keep_their_names()
    {
        Image image = TestImages.Make(90, 70, 4, SampleType.UInt16);
        SlideWriter.Write(At("af.ome.tif"), new SlideSpec(90, 70, 4, SampleType.UInt16) { ChannelNames = ["DAPI", "FITC", "TxRed", "Cy5"] },
            () => Bands(image, 16));
        using var slide = Slide.Open(At("af.ome.tif"));
        Assert.Equal(["DAPI", "FITC", "TxRed", "Cy5"], slide.ChannelNames);
    }

    [Fact]
    public void Jpeg_is_near_and_much_smaller()
    {
        Image image = TestImages.Smooth(700, 500, 3);
        SlideWriter.Write(At("jpeg.ome.tif"), new SlideSpec(700, 500), () => Bands(image, 100));
        Assert.InRange(new FileInfo(At("jpeg.ome.tif")).Length, 1, 700 * 500 * 3 / 4);
        using var slide = Slide.Open(At("jpeg.ome.tif"));
        byte[] read = slide.Read(0, 0, 0, 700, 500).Data;
        Assert.InRange(image.Data.Zip(read, (a, b) => Math.Abs(a - b)).Average(), 0, 2);
    }

    [Fact]
    public void What_stops_the_rows_is_told_and_leaves_no_file()
    {
        Image image = TestImages.Make(200, 100, 3, SampleType.UInt8);
        IEnumerable<Image> Broken()
        {
            yield return image;
            throw new InvalidDataException("slide.svs: damaged");
        }
        Assert.Equal("slide.svs: damaged", Assert.Throws<InvalidDataException>(
            () => SlideWriter.Write(At("a.ome.tif"), new SlideSpec(200, 300), Broken)).Message);
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
        // Too few rows.
        Assert.Contains("a.ome.tif", Assert.Throws<IOException>(
            () => SlideWriter.Write(At("a.ome.tif"), new SlideSpec(200, 300), () => [image])).Message);
        Assert.Empty(Directory.GetFileSystemEntries(Folder));
    }

    [Fact]
    public void What_cannot_be_written_is_refused_at_once()
    {
        Assert.Contains("slides are written as", Assert.Throws<InvalidDataException>(
            () => SlideWriter.Write(At("a.svs"), new SlideSpec(10, 10), () => [])).Message);
        Assert.Contains("holds 1 or 3 channels", Assert.Throws<InvalidDataException>(
            () => SlideWriter.Write(At("a.png"), new SlideSpec(10, 10, 4), () => [])).Message);
        Assert.Contains("GB are free", Assert.Throws<IOException>(
            () => SlideWriter.Write(At("a.ome.tif"), new SlideSpec(2_000_000_000, 2_000_000_000), () => [])).Message);
    }

    // Copies that broke off, and bits that flipped: one line that names the file, or pixels; no crash, no hang.
    [Theory]
    [InlineData("jpeg.ome.tif", 90), InlineData("deflate.ome.tif", null), InlineData("pages.tif", null)]
    public void Damaged_slides_never_crash(string name, int? quality)
    {
        Image image = TestImages.Smooth(200, 140, 3);
        SlideWriter.Write(At(name), new SlideSpec(200, 140) { JpegQuality = quality, Tile = 64, Mpp = 0.5 }, () => Bands(image, 64));
        byte[] whole = File.ReadAllBytes(At(name));
        var random = new Random(5);
        int read = 0;
        for (int i = 0; i < 330; i++)
        {
            byte[] broken = i % 3 == 0 ? whole[..random.Next(whole.Length)] : (byte[])whole.Clone();
            for (int flips = i % 3 * random.Next(1, 4); flips > 0; flips--) broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(At("broken.tif"), broken);
            try
            {
                using var slide = Slide.Open(At("broken.tif"));
                for (int level = 0; level < slide.Levels.Count; level++) slide.Read(level, 0, 0, 200, 140);
                read++;
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith(At("broken.tif"), error.Message);
                Assert.DoesNotContain('\n', error.Message);
            }
        }
        // Not all flips matter, and not all files are refused.
        Assert.InRange(read, 1, 300);
    }

    private static IEnumerable<Image> Bands(Image image, int rows)
    {
        for (int y = 0; y < image.Height; y += rows) yield return image.Crop(0, y, image.Width, Math.Min(rows, image.Height - y));
    }
}
