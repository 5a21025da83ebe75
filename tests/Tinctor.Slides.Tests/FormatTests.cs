using NetVips;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

public sealed class FormatTests : InTemporaryFolder
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Write_jpeg_keeps_smooth_picture_and_size_follows_quality(int channels)
    {
        var image = TestImages.Smooth(200, 120, channels);
        image.Write(At("low.jpg"), jpegQuality: 30);
        image.Write(At("high.jpeg"), jpegQuality: 98);
        Assert.True(new FileInfo(At("low.jpg")).Length < new FileInfo(At("high.jpeg")).Length / 2);
        var worst = image.Data.Zip(Image.Read(At("high.jpeg")).Data, (a, b) => Math.Abs(a - b)).Max();
        Assert.InRange(worst, 0, 6);
    }

    [Theory]
    [InlineData(TiffCompression.None)]
    [InlineData(TiffCompression.Deflate)]
    [InlineData(TiffCompression.Lzw)]
    public void Write_tiff_compression_is_lossless(TiffCompression compression)
    {
        var image = TestImages.Make(65, 33, 4, SampleType.UInt16);
        image.Write(At("a.tif"), compression: compression);
        Assert.Equal(image.Data, Image.Read(At("a.tif")).Data);
    }

    [Fact]
    public void Read_png_composites_alpha_on_white_unless_kept()
    {
        byte[] pixels = [10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128];
        new Image(3, 1, 4, data: pixels).Write(At("a.png"));
        Assert.Equal([10, 20, 30, 255, 255, 255, 127, 177, 255], Image.Read(At("a.png")).Data.Select(v => (int)v));
        Assert.Equal(pixels, Image.Read(At("a.png"), keepAlpha: true).Data);
        Assert.Equal(3, Image.ReadInfo(At("a.png")).Channels);
        Assert.Equal(4, Image.ReadInfo(At("a.png"), keepAlpha: true).Channels);
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public void Read_tiff_with_alpha_composites_associated_and_keeps_unassociated(int kind)
    {
        // Associated colours are multiplied by alpha already.
        byte[] pixels = kind == 1 ? [10, 20, 30, 255, 0, 0, 0, 0, 50, 64, 128, 128] : [10, 20, 30, 255, 9, 9, 9, 0, 100, 127, 255, 128];
        RawTiff.Write(At("a.tif"), [new(3, 1, 4, pixels) { ExtraSamples = kind }]);
        Image image = Image.Read(At("a.tif"));
        using var slide = Slide.Open(At("a.tif"));
        Assert.Equal(kind == 1 ? 3 : 4, image.Channels);
        Assert.Equal((image.Channels, image.Channels), (slide.Channels, Image.ReadInfo(At("a.tif")).Channels));
        Assert.Equal(kind == 2, image.HasAlpha);
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 3, 1).Data);
        Assert.Equal(kind == 1 ? ["has an alpha channel, which is composited on white"] : [], slide.Notes);
        Image rgb = image.ToRgb8();
        Assert.Equal(["transparent pixels were composited on white"], rgb.Notes);
        int[] expected = [10, 20, 30, 255, 255, 255, 177, 190, 255];
        Assert.All(rgb.Data.Zip(expected), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
    }

    [Fact]
    public void Read_png_with_transparent_pixels_has_note()
    {
        new Image(2, 1, 4, data: [210, 220, 230, 255, 210, 220, 230, 254]).Write(At("a.png"));
        Assert.Equal(["transparent pixels were composited on white"], Image.Read(At("a.png")).Notes);
        using var slide = Slide.Open(At("a.png"));
        Assert.Equal(["has an alpha channel, which is composited on white"], slide.Notes);
        Assert.Empty(Image.Read(At("a.png"), keepAlpha: true).Notes);
        new Image(2, 1, 4, data: [10, 20, 30, 255, 10, 20, 30, 255]).Write(At("b.png"));
        Assert.Empty(Image.Read(At("b.png")).Notes);
    }

    [Fact]
    public void ToRgb8_repeats_grey_and_scales_16_bits()
    {
        var wide = new Image(3, 1, 1, SampleType.UInt16);
        new ushort[] { 0, 257 * 100, 65535 }.CopyTo(wide.Samples16);
        Image rgb = wide.ToRgb8();
        Assert.Equal([0, 0, 0, 100, 100, 100, 255, 255, 255], rgb.Data.Select(v => (int)v));
        Assert.Equal(["16 bits were converted to 8", "grey was converted to RGB"], rgb.Notes);
        var colour = new Image(1, 1, 3, data: [1, 2, 3]);
        Assert.Same(colour, colour.ToRgb8());
        File.WriteAllBytes(At("bits.png"), RawFiles.Png(4, 1, 1, 0, [0, 0b1010_0000]));
        Assert.Equal([255, 255, 255, 0, 0, 0], Image.Read(At("bits.png")).ToRgb8().Data.Take(6).Select(v => (int)v));
        Assert.Throws<ArgumentException>(() => new Image(1, 1, 4).ToRgb8());
        Assert.Throws<ArgumentException>(() => new Image(1, 1, 2).ToRgb8());
    }

    [Fact]
    public void Read_opaque_alpha_changes_no_sample()
    {
        foreach (var type in Enum.GetValues<SampleType>())
        {
            var opaque = TestImages.Make(64, 32, 4, type);
            for (var pixel = 0; pixel < 64 * 32; pixel++)
            {
                var bytes = opaque.Data.Length / (64 * 32);
                opaque.Data.AsSpan(pixel * bytes + bytes * 3 / 4, bytes / 4).Fill(255);
            }
            opaque.Write(At("a.png"));
            opaque.Write(At("a.tif"));
            var flat = Image.Read(At("a.png"));
            var all = Image.Read(At("a.tif"));
            Assert.Equal(opaque.Data, all.Data);
            Assert.Equal(3, flat.Channels);
            Assert.Equal(WithoutFourth(opaque), flat.Data);
        }
    }

    [Fact]
    public void Read_grey_png_with_alpha_gives_grey()
    {
        new Image(2, 1, 2, data: [7, 255, 7, 0]).Write(At("a.png"));
        Assert.Equal([7, 255], Image.Read(At("a.png")).Data.Select(v => (int)v));
    }

    [Fact]
    public void Read_palettes_and_single_bits_gives_8_bits()
    {
        File.WriteAllBytes(At("palette.png"), RawFiles.Png(2, 1, 8, 3, [0, 1, 0], ("PLTE", [1, 2, 3, 40, 50, 60])));
        Assert.Equal([40, 50, 60, 1, 2, 3], Image.Read(At("palette.png")).Data.Select(v => (int)v));

        File.WriteAllBytes(At("bits.png"), RawFiles.Png(4, 1, 1, 0, [0, 0b1010_0000]));
        Assert.Equal([255, 0, 255, 0], Image.Read(At("bits.png")).Data.Select(v => (int)v));

        File.WriteAllBytes(At("bits.tif"), RawFiles.Tiff(([0b0110_0000], RawFiles.Size(4, 1, (258, 1)))));
        Assert.Equal([0, 255, 255, 0], Image.Read(At("bits.tif")).Data.Select(v => (int)v));
    }

    [Fact]
    public void Read_pages_of_one_size_gives_channels()
    {
        File.WriteAllBytes(At("pages.tif"), RawFiles.Tiff(
            ([1, 2, 3, 4, 5, 6], RawFiles.Size(3, 2)),
            ([11, 12, 13, 14, 15, 16], RawFiles.Size(3, 2)),
            ([21, 22, 23, 24, 25, 26], RawFiles.Size(3, 2))));
        Assert.Equal(new ImageInfo(3, 2, 3, SampleType.UInt8, ImageFormat.Tiff), Image.ReadInfo(At("pages.tif")));
        int[] interleaved = [1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24, 5, 15, 25, 6, 16, 26];
        Assert.Equal(interleaved, Image.Read(At("pages.tif")).Data.Select(v => (int)v));

        var page = RawFiles.Size(1, 2, (258, 16));
        File.WriteAllBytes(At("wide.tif"), RawFiles.Tiff(([1, 2, 3, 4], page), ([5, 6, 7, 8], page)));
        Assert.Equal([0x0201, 0x0605, 0x0403, 0x0807], Image.Read(At("wide.tif")).Samples16.ToArray().Select(v => (int)v));
    }

    [Fact]
    public void Read_pages_of_other_sizes_gives_first_page()
    {
        File.WriteAllBytes(At("pyramid.tif"), RawFiles.Tiff(([1, 2, 3, 4], RawFiles.Size(2, 2)), ([9], RawFiles.Size(1, 1))));
        Assert.Equal([1, 2, 3, 4], Image.Read(At("pyramid.tif")).Data.Select(v => (int)v));
    }

    [Theory]
    [InlineData(1, 3, 2, new[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData(3, 3, 2, new[] { 6, 5, 4, 3, 2, 1 })]
    [InlineData(6, 2, 3, new[] { 4, 1, 5, 2, 6, 3 })]
    [InlineData(8, 2, 3, new[] { 3, 6, 2, 5, 1, 4 })]
    public void Read_applies_orientation(int orientation, int width, int height, int[] expected)
    {
        File.WriteAllBytes(At("a.tif"), RawFiles.Tiff(([1, 2, 3, 4, 5, 6], RawFiles.Size(3, 2, (274, (uint)orientation)))));
        var image = Image.Read(At("a.tif"));
        var info = Image.ReadInfo(At("a.tif"));
        Assert.Equal((width, height), (image.Width, image.Height));
        Assert.Equal((width, height), (info.Width, info.Height));
        Assert.Equal(expected, image.Data.Select(v => (int)v));
    }

    [Fact]
    public void Read_identifies_format_by_content()
    {
        var image = TestImages.Make(9, 8, 3, SampleType.UInt8);
        image.Write(At("a.tif"));
        File.Move(At("a.tif"), At("tile [1] ä.png"));
        Assert.Equal(ImageFormat.Tiff, Image.ReadInfo(At("tile [1] ä.png")).Format);
        Assert.Equal(image.Data, Image.Read(At("tile [1] ä.png")).Data);
    }

    [Fact]
    public void Write_unsupported_image_for_format_is_refused()
    {
        foreach (var (name, channels, type, reason) in new[]
        {
            ("a.jpg", 3, SampleType.UInt16, "JPEG holds 8 bits"), ("a.jpg", 4, SampleType.UInt8, "1 or 3 channels"),
            ("a.png", 5, SampleType.UInt8, "up to 4 channels"), ("a.gif", 3, SampleType.UInt8, "Use .png, .jpg or .tif"),
            ("a", 3, SampleType.UInt8, "Use .png, .jpg or .tif"),
        })
        {
            var error = Assert.Throws<TinctorException>(() => TestImages.Make(4, 4, channels, type).Write(At(name)));
            Assert.Contains(reason, error.Message);
            Assert.Contains(At(name), error.Message);
        }
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public void Read_cmyk_and_other_sample_types_is_refused()
    {
        File.WriteAllBytes(At("cmyk.jpg"), CmykJpeg());
        Assert.Contains("CMYK", Assert.Throws<TinctorException>(() => Image.Read(At("cmyk.jpg"))).Message);

        File.WriteAllBytes(At("float.tif"), RawFiles.Tiff((new byte[16], RawFiles.Size(2, 2, (258, 32), (339, 3)))));
        Assert.Contains("not unsigned 8 or 16 bit", Assert.Throws<TinctorException>(() => Image.ReadInfo(At("float.tif"))).Message);

        File.WriteAllBytes(At("signed.tif"), RawFiles.Tiff((new byte[8], RawFiles.Size(2, 2, (258, 16), (339, 2)))));
        Assert.Contains("not unsigned 8 or 16 bit", Assert.Throws<TinctorException>(() => Image.Read(At("signed.tif"))).Message);
    }

    [Fact]
    public void Read_files_of_other_programs_gives_their_samples()
    {
        var fluorescence = Image.Read(SharedFiles.Path("data/utom/AF_8.png"));
        Assert.Equal((1000, 1000, 1), (fluorescence.Width, fluorescence.Height, fluorescence.Channels));
        Assert.True(fluorescence.Samples16.ToArray().Max() > 255);
        foreach (var file in Directory.GetFiles(SharedFiles.Path("data/scanner_pairs"), "*.*g", SearchOption.AllDirectories).Take(20))
        {
            var image = Image.Read(file);
            Assert.Equal(Image.ReadInfo(file), new ImageInfo(image.Width, image.Height, 3, SampleType.UInt8, Image.ReadInfo(file).Format));
        }
    }

    [Fact]
    public void Read_tiff_with_mislabelled_ycbcr_gives_rgb()
    {
        var slide = Image.Read(RepositoryFiles.Sample("slides/OS-1-detail.ome.tif"));
        var truth = Image.Read(RepositoryFiles.Sample("slides/OS-1-detail_rgb.png"));
        Assert.Equal((truth.Width, truth.Height), (slide.Width, slide.Height));
        Assert.InRange(truth.Data.Zip(slide.Data, (a, b) => Math.Abs(a - b)).Max(), 0, 2);
    }

    private static byte[] CmykJpeg()
    {
        using VipsImage cmyk = new Image(16, 16, 4).ToVips(Enums.Interpretation.Cmyk);
        return cmyk.JpegsaveBuffer();
    }

    private static byte[] WithoutFourth(Image image)
    {
        var sample = image.SampleType == SampleType.UInt8 ? 1 : 2;
        return [.. image.Data.Chunk(4 * sample).SelectMany(pixel => pixel[..(3 * sample)])];
    }
}
