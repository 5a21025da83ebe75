using System.Text;
using NetVips;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>Slides of scanners and pyramids of libvips, read by region.</summary>
public sealed class SlideTests : InTemporaryFolder
{
    [Fact]
    public void Open_aperio_slide_reads_metadata()
    {
        using var slide = Slide.Open(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        Assert.Equal(("aperio slide", 2220, 2967, 3, SampleType.UInt8),
            (slide.Format, slide.Width, slide.Height, slide.Channels, slide.SampleType));
        Assert.Equal((0.499, "the file", 20.0), (slide.Mpp, slide.MppOrigin, slide.Objective));
        Assert.Equal(["label", "macro", "thumbnail"], slide.AssociatedNames.Order());
        Assert.Equal((387, 463), (slide.ReadAssociated("label").Width, slide.ReadAssociated("label").Height));
        Assert.Equal("20", slide.Properties["aperio.AppMag"]);
        using var hamamatsu = Slide.Open(RepositoryFiles.Sample("slides/test3-DAPI-2-(387).ndpi"), mpp: 0.5);
        Assert.Equal([1, 2, 4, 8, 16, 32, 64], hamamatsu.Levels.Select(level => level.Downsample));
        Assert.Equal((0.5, "as given"), (hamamatsu.Mpp, hamamatsu.MppOrigin));
    }

    // libvips reads the first page by itself: other code, the same pixels.
    [Fact]
    public void Read_aperio_region_equals_first_page()
    {
        string path = RepositoryFiles.Sample("slides/cmu-1-small-region.svs");
        using var slide = Slide.Open(path);
        Image page = Image.Read(path);
        Assert.Equal((slide.Width, slide.Height), (page.Width, page.Height));
        foreach ((int x, int y, int width, int height) in new[] { (0, 0, 300, 200), (239, 240, 2, 3), (2219, 2966, 1, 1),
            (1000, 1500, 511, 257) })
            Assert.Equal(page.Crop(x, y, width, height).Data, slide.Read(0, x, y, width, height).Data);
    }

    [Fact]
    public void Read_mislabelled_ycbcr_region_gives_rgb()
    {
        using var slide = Slide.Open(RepositoryFiles.Sample("slides/OS-1-detail.ome.tif"));
        Image truth = Image.Read(RepositoryFiles.Sample("slides/OS-1-detail_rgb.png"));
        Assert.Equal(("OME-TIFF", truth.Width, truth.Height, "the OME-XML"), (slide.Format, slide.Width, slide.Height, slide.MppOrigin));
        Image region = slide.Read(0, 500, 600, 301, 203);
        Assert.InRange(truth.Crop(500, 600, 301, 203).Data.Zip(region.Data, (a, b) => Math.Abs(a - b)).Max(), 0, 2);
    }

    [Theory]
    [InlineData(false, 3, SampleType.UInt8), InlineData(true, 3, SampleType.UInt8), InlineData(true, 1, SampleType.UInt16)]
    public void Open_pyramid_reads_every_level(bool subIfds, int channels, SampleType type)
    {
        Image image = TestImages.Make(301, 203, channels, type);
        WritePyramid(image, "pyramid.tif", subIfds);
        using var slide = Slide.Open(At("pyramid.tif"));
        Assert.Equal([(301, 203), (150, 101), (75, 50)], slide.Levels.Select(level => (level.Width, level.Height)).Take(3));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 301, 203).Data);
        Assert.Equal(image.Crop(33, 44, 101, 77).Data, slide.Read(0, 33, 44, 101, 77).Data);
        // Means of 2x2 pixels, rounded in one way or the other; an odd image's last column has no partner.
        Image half = slide.Read(1, 0, 0, 150, 101);
        float[] fine = new float[301 * channels], next = new float[301 * channels], coarse = new float[150 * channels];
        image.ReadRow(40, fine);
        image.ReadRow(41, next);
        half.ReadRow(20, coarse);
        for (int i = 0; i < coarse.Length; i++)
        {
            int left = (i / channels * 2 * channels) + (i % channels), right = left + channels;
            Assert.Equal((fine[left] + fine[right] + next[left] + next[right]) / 4, coarse[i], 1f);
        }
    }

    [Theory]
    [InlineData(3, 255), InlineData(1, 0)]
    public void Read_outside_gives_background(int channels, byte background)
    {
        Image image = TestImages.Make(20, 10, channels, SampleType.UInt8);
        image.Write(At("small.png"));
        using var slide = Slide.Open(At("small.png"));
        Image region = slide.Read(0, -3, -2, 30, 15);
        var expected = new Image(30, 15, channels);
        Array.Fill(expected.Data, background);
        expected.Paste(image, 3, 2);
        Assert.Equal(expected.Data, region.Data);
        Assert.All(slide.Read(0, 20, 0, 4, 4).Data, sample => Assert.Equal(background, sample));
        Assert.All(slide.Read(0, int.MinValue, 5, 4, 4).Data, sample => Assert.Equal(background, sample));
    }

    [Theory]
    [InlineData(0.7), InlineData(1.0), InlineData(1.9), InlineData(3.3), InlineData(8.0)]
    public void ReadAt_pixel_is_independent_of_region(double downsample)
    {
        WritePyramid(TestImages.Smooth(301, 203, 3), "pyramid.tif", subIfds: true);
        using var slide = Slide.Open(At("pyramid.tif"));
        (int width, int height) = slide.SizeAt(downsample);
        Image whole = slide.ReadAt(downsample, 0, 0, width, height), tiled = new(width, height, 3);
        for (int y = 0; y < height; y += 37)
            for (int x = 0; x < width; x += 29)
                tiled.Paste(slide.ReadAt(downsample, x, y, Math.Min(29, width - x), Math.Min(37, height - y)), x, y);
        Assert.Equal(whole.Data, tiled.Data);
    }

    [Fact]
    public void ReadAt_without_pyramid_equals_resized_image()
    {
        Image image = TestImages.Smooth(400, 300, 3);
        image.Write(At("plain.png"));
        using var slide = Slide.Open(At("plain.png"));
        Image expected = image.Resize(100, 75), actual = slide.ReadAt(4, 0, 0, 100, 75);
        Assert.Equal(expected.Crop(2, 2, 96, 71).Data, actual.Crop(2, 2, 96, 71).Data);
        Assert.Equal((100, 75), (slide.Thumbnail(100).Width, slide.Thumbnail(100).Height));
    }

    [Fact]
    public void Read_on_several_threads_gives_same_pixels()
    {
        string path = RepositoryFiles.Sample("slides/cmu-1-small-region.svs");
        WritePyramid(TestImages.Make(700, 500, 3, SampleType.UInt8), "pyramid.tif", subIfds: true);
        foreach (string file in new[] { path, At("pyramid.tif") })
        {
            using var slide = Slide.Open(file);
            byte[][] once = [.. Enumerable.Range(0, 12).Select(Tile)];
            Assert.Equal(once, Enumerable.Range(0, 48).AsParallel().AsOrdered().WithDegreeOfParallelism(4).Select(i => Tile(i % 12))
                .Take(12));
            byte[] Tile(int i) => slide.Read(0, i * 37, i * 23, 130, 90).Data;
        }
    }

    [Theory]
    [InlineData("", null), InlineData("PhysicalSizeX=\"0.25\"", 0.25), InlineData("PhysicalSizeX=\"250\" PhysicalSizeXUnit=\"nm\"", 0.25),
        InlineData("PhysicalSizeX=\"0.25\" PhysicalSizeXUnit=\"pixel\"", null), InlineData("PhysicalSizeX=\"1e9\"", null),
        InlineData("PhysicalSizeX=\"NaN\"", null), InlineData("PhysicalSizeX=\"-1\"", null)]
    public void Open_ome_tiff_reads_channels_and_rejects_implausible_mpp(string size, double? mpp)
    {
        Image image = TestImages.Make(64, 48, 2, SampleType.UInt16);
        // The name makes room for the attributes.
        string room = new('-', 60);
        SlideWriter.Write(At("pages.ome.tif"),
            new SlideSpec(64, 48, 2, SampleType.UInt16) { Name = room, ChannelInfo = [new("DAPI"), new("Cy5")] }, image);
        Patch("pages.ome.tif", $"\"{room}\"><Pixels", $"\"\"><Pixels {size}");
        using var slide = Slide.Open(At("pages.ome.tif"));
        Assert.Equal(mpp, slide.Mpp);
        Assert.Equal(["DAPI", "Cy5"], slide.ChannelInfo.Select(channel => channel.Name));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 64, 48).Data);
        Assert.Equal(image.Crop(5, 6, 20, 10).Data, slide.Read(0, 5, 6, 20, 10).Data);
    }

    [Theory]
    [InlineData("XYCZT", new[] { 0, 1 }), InlineData("XYZCT", new[] { 0, 2 })]
    public void Open_stack_reads_first_focal_plane_with_note(string order, int[] pages)
    {
        Image image = TestImages.Make(64, 48, 4, SampleType.UInt16);
        SlideWriter.Write(At("stack.ome.tif"), new SlideSpec(64, 48, 4, SampleType.UInt16), image);
        foreach ((string from, string to) in new[] { ("XYCZT", order), ("SizeC=\"4\"", "SizeC=\"2\""), ("SizeZ=\"1\"", "SizeZ=\"2\"") })
            Patch("stack.ome.tif", from, to);
        using var slide = Slide.Open(At("stack.ome.tif"));
        Assert.Equal(["only the first of 2 focal planes and 1 time points is read"], slide.Notes);
        Image read = slide.Read(0, 0, 0, 64, 48);
        Assert.Equal(2, read.Channels);
        for (int c = 0; c < 2; c++) Assert.Equal(image.Samples(pages[c]), read.Samples(c));
        // Planes that are in other files.
        Patch("stack.ome.tif", "SizeT=\"1\"", "SizeT=\"9\"");
        using var spread = Slide.Open(At("stack.ome.tif"));
        Assert.Contains("names 36 planes, the file holds 4", Assert.Single(spread.Notes));
    }

    [Theory]
    [InlineData("test3-DAPI-2-(387).ndpi", "blue"), InlineData("test3-TRITC 2 (560).ndpi", "red")]
    public void Open_fluorescence_stored_as_rgb_has_black_background_and_note(string name, string colour)
    {
        using var slide = Slide.Open(RepositoryFiles.Sample($"slides/{name}"));
        Assert.Equal(Modality.Fluorescence, slide.Modality);
        Assert.Equal([$"fluorescence of one channel, stored as RGB: {colour} holds it"], slide.Notes);
        Assert.All(slide.Read(0, -10, 0, 8, 8).Data, sample => Assert.Equal(0, sample));
        using var brightfield = Slide.Open(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        Assert.Equal(Modality.Brightfield, brightfield.Modality);
        Assert.Empty(brightfield.Notes);
        Assert.All(brightfield.Read(0, -10, 0, 8, 8).Data, sample => Assert.Equal(255, sample));
    }

    [Theory]
    [InlineData(1, 200, Modality.Grey), InlineData(1, 20, Modality.Fluorescence), InlineData(3, 200, Modality.Brightfield),
        InlineData(3, 20, Modality.Fluorescence), InlineData(2, 200, Modality.Fluorescence), InlineData(5, 20, Modality.Fluorescence)]
    public void Modality_without_metadata_follows_channels_and_brightness(int channels, ushort level, Modality modality)
    {
        var image = new Image(40, 30, channels);
        image.Fill([.. Enumerable.Repeat(level, channels)]);
        image.Write(At("plain.tif"));
        using var slide = Slide.Open(At("plain.tif"));
        Assert.Equal((modality, modality), (slide.Modality, image.EstimateModality()));
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public void Modality_of_named_channels_is_fluorescence(int channels)
    {
        var image = new Image(40, 30, channels);
        image.Fill([.. Enumerable.Repeat((ushort)200, channels)]);
        SlideChannel[] names = [.. Enumerable.Range(0, channels).Select(c => new SlideChannel($"marker {c}"))];
        SlideWriter.Write(At("named.ome.tif"), new SlideSpec(40, 30, channels) { ChannelInfo = names }, image);
        using var slide = Slide.Open(At("named.ome.tif"));
        Assert.Equal((Modality.Fluorescence, false, channels), (slide.Modality, slide.IsRgb, slide.ChannelInfo.Count));
    }

    [Fact]
    public void Open_damaged_or_missing_slide_names_file()
    {
        File.WriteAllText(At("text.svs"), "not a slide");
        Assert.StartsWith(At("text.svs"), Assert.Throws<TinctorException>(() => Slide.Open(At("text.svs"))).Message);
        Assert.StartsWith(At("none.svs"), Assert.Throws<TinctorException>(() => Slide.Open(At("none.svs"))).Message);
        byte[] whole = File.ReadAllBytes(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        File.WriteAllBytes(At("cut.svs"), whole[..(whole.Length / 2)]);
        string message = Assert.Throws<TinctorException>(() =>
        {
            using var slide = Slide.Open(At("cut.svs"));
            slide.Read(0, 0, 0, slide.Width, slide.Height);
        }).Message;
        Assert.StartsWith(At("cut.svs"), message);
        Assert.DoesNotContain('\n', message);
        // Pixels that another program wrote over.
        new Random(3).NextBytes(whole.AsSpan(whole.Length / 4, 20_000));
        File.WriteAllBytes(At("broken.svs"), whole);
        using var broken = Slide.Open(At("broken.svs"));
        Assert.StartsWith(At("broken.svs"),
            Assert.Throws<TinctorException>(() => broken.Read(0, 0, 0, broken.Width, broken.Height)).Message);
    }

    [Theory]
    [InlineData(1, SampleType.UInt8), InlineData(1, SampleType.UInt16), InlineData(3, SampleType.UInt16)]
    public void AsRgb8_reads_converted_pixels(int channels, SampleType type)
    {
        Image image = TestImages.Smooth(90, 70, channels).To(type);
        SlideWriter.Write(At("a.tif"), new SlideSpec(90, 70, channels, type) { JpegQuality = null, Mpp = 0.5, Tile = 32 }, image);
        using Slide slide = Slide.Open(At("a.tif")).AsRgb8();
        Assert.Equal((3, SampleType.UInt8, true, 0.5), (slide.Channels, slide.SampleType, slide.IsRgb, slide.Mpp));
        Assert.Equal(image.ToRgb8().Data, slide.Read(0, 0, 0, 90, 70).Data);
        Assert.Equal([255, 255, 255], slide.Read(0, 90, 0, 1, 1).Data);
        Assert.Equal(2, slide.Levels.Count(level => level.Width <= 45));
        Assert.Contains("the slide was converted to 8-bit RGB", slide.Notes);
    }

    [Fact]
    public void AsRgb8_of_rgb_is_same_and_of_four_channels_is_refused()
    {
        TestImages.Smooth(30, 20, 3).Write(At("rgb.png"));
        using var rgb = Slide.Open(At("rgb.png"));
        Assert.Same(rgb, rgb.AsRgb8());
        SlideWriter.Write(At("four.tif"), new SlideSpec(30, 20, 4), TestImages.Smooth(30, 20, 4));
        using var four = Slide.Open(At("four.tif"));
        Assert.StartsWith($"{At("four.tif")}: 4 channels are neither grey nor RGB", Assert.Throws<TinctorException>(four.AsRgb8).Message);
    }

    // Display P3 has a wider gamut than sRGB: the same samples are more saturated, which takes larger differences in sRGB.
    [Theory]
    [InlineData(SampleType.UInt8, 2), InlineData(SampleType.UInt16, 300)]
    public void AsSrgb_converts_by_profile_of_file(SampleType type, int tolerance)
    {
        var image = new Image(40, 30, 3);
        image.Fill([200, 100, 100]);
        Write("p3.tif", VipsImage.ProfileLoad("p3"));
        using (Slide converted = Slide.Open(At("p3.tif")).AsSrgb())
        {
            Assert.Equal(VipsImages.SrgbProfile, converted.ReadIccProfile());
            int[] pixel = [.. Enumerable.Range(0, 3).Select(c => (int)converted.Read(0, 5, 5, 1, 1).To(SampleType.UInt8).Samples(c)[0])];
            // By the matrices of Display P3 and sRGB and their common curve.
            foreach ((int value, int expected) in pixel.Zip([215, 93, 97])) Assert.InRange(value, expected - 1, expected + 1);
        }
        Write("srgb.tif", VipsImages.SrgbProfile);
        using (Slide same = Slide.Open(At("srgb.tif")).AsSrgb())
            Assert.InRange(Math.Abs(same.Read(0, 5, 5, 1, 1).Samples(0)[0] - image.To(type).Samples(0)[0]), 0, tolerance);
        Write("none.tif", null);
        using (var plain = Slide.Open(At("none.tif"))) Assert.Same(plain, plain.AsSrgb());
        Write("damaged.tif", [.. Enumerable.Range(0, 300).Select(i => (byte)i)]);
        using var damaged = Slide.Open(At("damaged.tif"));
        Assert.StartsWith($"{At("damaged.tif")}: its ICC profile cannot be applied",
            Assert.Throws<TinctorException>(damaged.AsSrgb).Message);

        void Write(string name, byte[]? profile) => SlideWriter.Write(At(name),
            new SlideSpec(40, 30, 3, type) { IccProfile = profile, JpegQuality = null, Tile = 16 }, image.To(type));
    }

    private void WritePyramid(Image image, string name, bool subIfds)
    {
        using VipsImage source = image.ToVips(Enums.Interpretation.Multiband);
        source.Tiffsave(At(name), tile: true, tileWidth: 64, tileHeight: 64, pyramid: true, subifd: subIfds);
    }

    // Replaces a part of a file, as long as it was.
    private void Patch(string name, string from, string to)
    {
        byte[] file = File.ReadAllBytes(At(name)), old = Encoding.UTF8.GetBytes(from);
        int place = file.AsSpan().IndexOf(old);
        Assert.True(place >= 0 && to.Length <= from.Length);
        Encoding.UTF8.GetBytes(to.PadRight(from.Length)).CopyTo(file, place);
        File.WriteAllBytes(At(name), file);
    }
}
