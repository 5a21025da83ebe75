using Tinctor.Slides.Native;

namespace Tinctor.Slides.Tests;

public sealed class ImageTests : InTemporaryFolder
{
    [Fact]
    public void Crop_copies_rectangle()
    {
        foreach (var type in Enum.GetValues<SampleType>())
        {
            var image = TestImages.Make(20, 10, 3, type);
            var crop = image.Crop(5, 2, 7, 4);
            var pixel = image.Data.Length / 200;
            for (var y = 0; y < 4; y++)
            {
                var expected = image.Data.AsSpan(((2 + y) * 20 + 5) * pixel, 7 * pixel);
                Assert.Equal(expected, crop.Data.AsSpan(y * 7 * pixel, 7 * pixel));
            }
            Assert.Equal(image.Data, image.Crop(0, 0, 20, 10).Data);
            Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(14, 0, 7, 4));
            Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(int.MaxValue, 0, 7, 4));
        }
    }

    [Theory]
    [InlineData(ResizeKernel.Nearest)]
    [InlineData(ResizeKernel.Linear)]
    [InlineData(ResizeKernel.Cubic)]
    [InlineData(ResizeKernel.Lanczos3)]
    public void Resize_gives_size_and_keeps_flat_colour(ResizeKernel kernel)
    {
        foreach (var type in Enum.GetValues<SampleType>())
        {
            var image = new Image(61, 47, 4, type);
            Array.Fill(image.Data, (byte)123);
            foreach (var (width, height) in new[] { (61, 47), (1, 1), (7, 90), (122, 94), (33, 5), (600, 3) })
            {
                var resized = image.Resize(width, height, kernel);
                Assert.Equal((width, height, 4, type), (resized.Width, resized.Height, resized.Channels, resized.SampleType));
                Assert.All(resized.Data, value => Assert.Equal(123, value));
            }
        }
    }

    [Fact]
    public void Resize_down_widens_kernel_without_aliasing()
    {
        // The finest stripes: their mean is 127.5 wherever the kernel is whole.
        var stripes = new Image(64, 4, 1);
        for (var i = 0; i < stripes.Data.Length; i++)
        {
            stripes.Data[i] = (byte)(i % 2 * 255);
        }
        var half = stripes.Resize(32, 4, ResizeKernel.Linear);
        Assert.All(half.Data[4..28], value => Assert.InRange(value, 126, 129));

        // An impulse through a triangle of factor 2 has the weights 1 3 3 1 / 8: twice as wide, sampled between pixels.
        var impulse = new Image(16, 1, 1, SampleType.UInt16);
        impulse.Samples16[8] = 8000;
        Assert.Equal([0, 0, 0, 1000, 3000, 0, 0, 0], impulse.Resize(8, 1, ResizeKernel.Linear).Samples16.ToArray().Select(v => (int)v));
    }

    [Fact]
    public void Resize_up_interpolates_between_pixel_centres()
    {
        var two = new Image(2, 1, 1, data: [0, 100]);
        Assert.Equal([0, 0, 100, 100], two.Resize(4, 1, ResizeKernel.Nearest).Data.Select(v => (int)v));
        Assert.Equal([0, 25, 75, 100], two.Resize(4, 1, ResizeKernel.Linear).Data.Select(v => (int)v));
    }

    [Fact]
    public void To_sample_type_keeps_black_and_white()
    {
        var image = new Image(256, 1, 1, data: [.. Enumerable.Range(0, 256).Select(v => (byte)v)]);
        var wide = image.To(SampleType.UInt16);
        Assert.Equal((0, 257, 65535), (wide.Samples16[0], wide.Samples16[1], wide.Samples16[255]));
        Assert.Equal(image.Data, wide.To(SampleType.UInt8).Data);
        var rounding = new Image(4, 1, 1, SampleType.UInt16);
        new ushort[] { 128, 129, 65535, 65406 }.CopyTo(rounding.Samples16);
        Assert.Equal([0, 1, 255, 254], rounding.To(SampleType.UInt8).Data.Select(v => (int)v));
    }

    [Fact]
    public void Create_with_wrong_size_throws()
    {
        Assert.Throws<ArgumentException>(() => new Image(2, 2, 3, data: new byte[11]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Image(0, 2, 3));
        Assert.Throws<ArgumentException>(() => new Image(1 << 20, 1 << 20, 4));
        Assert.Throws<InvalidOperationException>(() => new Image(2, 2, 3).Samples16.Length);
    }

    [Fact]
    public void Read_write_and_resize_on_four_threads_equal_one_thread()
    {
        var images = Enumerable.Range(0, 4).Select(seed => TestImages.Make(150, 140, 3, SampleType.UInt8, seed)).ToArray();
        foreach (var (image, i) in images.Select((image, i) => (image, i)))
        {
            image.Write(At($"{i}.png"));
        }
        Parallel.For(0, 160, new ParallelOptions { MaxDegreeOfParallelism = 4 }, turn =>
        {
            var image = Image.Read(At($"{turn % 4}.png"));
            Assert.Equal(images[turn % 4].Data, image.Data);
            image.Resize(77, 60).Write(At($"{turn}.tif"));
            Assert.Equal(images[turn % 4].Resize(77, 60).Data, Image.Read(At($"{turn}.tif")).Data);
        });
    }

    [Fact]
    public void Read_changed_file_gives_new_content()
    {
        for (var seed = 0; seed < 3; seed++)
        {
            var image = TestImages.Make(30, 20, 3, SampleType.UInt8, seed);
            image.Write(At("a.png"));
            Assert.Equal(image.Data, Image.Read(At("a.png")).Data);
        }
    }

    [Fact]
    public void VipsLibrary_reports_version()
    {
        Assert.True(VipsLibrary.IsAvailable);
        Assert.True(VipsLibrary.Version >= new Version(8, 13), $"{VipsLibrary.Version}");
        Assert.InRange(VipsLibrary.Concurrency, 1, 1024);
    }
}
