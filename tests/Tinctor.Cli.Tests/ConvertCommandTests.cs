using System.Diagnostics;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

public sealed class ConvertCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-convert-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Convert_scanner_slide_keeps_every_pixel()
    {
        string source = RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), output = At("slide.ome.tif");
        Outcome outcome = CommandLine.Run("convert", source, "-o", output, "--lossless");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains($"{output}: 2220x2967, about 18 MB (without loss)", outcome.Out);
        Assert.Equal([output], Directory.GetFileSystemEntries(folder));
        using Slide slide = Slide.Open(source), copy = Slide.Open(output);
        Assert.Equal((slide.Width, slide.Height, 4), (copy.Width, copy.Height, copy.Levels.Count));
        Assert.Equal(slide.Mpp!.Value, copy.Mpp!.Value, 1e-9);
        Assert.True(slide.Read(0, 0, 0, slide.Width, slide.Height).Data.AsSpan()
            .SequenceEqual(copy.Read(0, 0, 0, slide.Width, slide.Height).Data));
    }

    [Fact]
    public void Convert_region_and_resolution_writes_them()
    {
        string source = RepositoryFiles.Sample("slides/cmu-1-small-region.svs");
        using var slide = Slide.Open(source);
        Assert.Equal(0, CommandLine.Run("convert", source, "-o", At("part.png"), "--region", "1000,1500,301,203").Code);
        Assert.Equal(slide.Read(0, 1000, 1500, 301, 203).Data, Image.Read(At("part.png")).Data);
        Assert.Equal(0, CommandLine.Run("convert", source, "-o", At("small.ome.tif"), "--output-mpp", "4", "--slide-mpp", "0.5",
            "--lossless").Code);
        using var small = Slide.Open(At("small.ome.tif"));
        Assert.Equal((278, 371, 4.0), (small.Width, small.Height, small.Mpp!.Value));
        Assert.Equal(slide.ReadAt(8, 0, 0, 278, 371).Data, small.Read(0, 0, 0, 278, 371).Data);
    }

    [Fact]
    public void Convert_to_finer_resolution_notes_the_factor()
    {
        string source = At("plain.png");
        TestImage().Write(source);
        Assert.Contains("enlarged 2.5 times beyond the resolution of the scan (0.5 um per pixel)",
            CommandLine.Run("convert", source, "-o", At("a.tif"), "--output-mpp", "0.2", "--slide-mpp", "0.5").All);
        Assert.DoesNotContain("enlarged",
            CommandLine.Run("convert", source, "-o", At("b.tif"), "--output-mpp", "0.5", "--slide-mpp", "0.5").All);
        Assert.DoesNotContain("enlarged", CommandLine.Run("convert", source, "-o", At("c.tif"), "--downsample", "2").All);
        Assert.Contains("enlarged 4 times beyond the resolution of the scan;",
            CommandLine.Run("convert", source, "-o", At("d.tif"), "--downsample", "0.25").All);
    }

    [Theory]
    [InlineData("a.ome.tif", true), InlineData("a.png", true), InlineData("a.dzi", false)]
    public void Convert_keeps_icc_profile_or_notes_its_loss(string name, bool kept)
    {
        string source = At("source.tif");
        byte[] profile = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        SlideWriter.Write(source, new SlideSpec(64, 48) { IccProfile = profile }, TestImage());
        Assert.Contains(kept ? "the ICC profile (300 bytes) is copied"
            : "the ICC profile is not kept", CommandLine.Run("convert", source, "-o", At(name)).All);
        if (name != "a.ome.tif") return;
        using var slide = Slide.Open(At(name));
        Assert.Equal(profile, slide.ReadIccProfile());
    }

    [Fact]
    public void Convert_icc_convert_writes_srgb()
    {
        var wide = new SlideSpec(64, 48) { IccProfile = VipsImage.ProfileLoad("p3"), JpegQuality = null };
        SlideWriter.Write(At("p3.tif"), wide, TestImage());
        Outcome outcome = CommandLine.Run("convert", At("p3.tif"), "-o", At("srgb.ome.tif"), "--icc", "convert", "--lossless");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("colours were converted to sRGB by the ICC profile", outcome.All);
        Assert.DoesNotContain("is copied", outcome.All);
        using (Slide expected = Slide.Open(At("p3.tif")).AsSrgb(), slide = Slide.Open(At("srgb.ome.tif")))
        {
            Assert.Equal(expected.Read(0, 0, 0, 64, 48).Data, slide.Read(0, 0, 0, 64, 48).Data);
            Assert.Equal(expected.ReadIccProfile(), slide.ReadIccProfile());
            Assert.NotEqual(TestImage().Data, slide.Read(0, 0, 0, 64, 48).Data);
        }
        TestImage().Write(At("plain.png"));
        Assert.Contains("there is no ICC profile of RGB; colours are not converted",
            CommandLine.Run("convert", At("plain.png"), "-o", At("plain.tif"), "--icc", "convert").All);
        SlideWriter.Write(At("damaged.tif"), new SlideSpec(64, 48) { IccProfile = new byte[300] }, TestImage());
        Assert.Contains("its ICC profile cannot be applied",
            CommandLine.Run("convert", At("damaged.tif"), "-o", At("x.tif"), "--icc", "convert").OneError());
    }

    [Fact]
    public void Convert_channels_keeps_names_and_colours()
    {
        string source = RepositoryFiles.TestData("three-channels.qptiff");
        Assert.DoesNotContain("names and colours", CommandLine.Run("convert", source, "-o", At("a.ome.tif"), "--lossless").All);
        using Slide slide = Slide.Open(source), copy = Slide.Open(At("a.ome.tif"));
        Assert.Equal([("DAPI", 0x0000FF), ("FITC", 0x00FF00), ("CY3", 0xFFFF00)],
            copy.ChannelInfo.Select(channel => (channel.Name, channel.Colour!.Value)));
        Assert.Equal(slide.Read(0, 0, 0, slide.Width, slide.Height).Data, copy.Read(0, 0, 0, slide.Width, slide.Height).Data);
        Assert.Contains("names and colours of channels are kept in .ome.tif only",
            CommandLine.Run("convert", source, "-o", At("b.tif")).All);
    }

    [Fact]
    public void Convert_fluorescence_writes_display_ranges()
    {
        var image = new Image(300, 200, 4, SampleType.UInt16);
        var random = new Random(3);
        for (int i = 0; i < image.Samples16.Length; i++)
            image.Samples16[i] = (ushort)(i % 4 == 2 ? random.Next(3) : random.Next(200, 20_000));
        SlideWriter.Write(At("af.tif"), new SlideSpec(300, 200, 4, SampleType.UInt16), image);
        Assert.Equal(0, CommandLine.Run("convert", At("af.tif"), "-o", At("af.ome.tif")).Code);
        using var slide = Slide.Open(At("af.ome.tif"));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 300, 200).Data);
        (double Low, double High)[] ranges = [.. slide.ChannelInfo.Select(channel => channel.Display!.Value)];
        Assert.InRange(ranges[0].Low, 200, 250);
        Assert.InRange(ranges[0].High, 19_900, 20_000);
        Assert.Equal((0, 655), ((int)ranges[2].Low, (int)ranges[2].High));
    }

    [Fact]
    public void Convert_mistakes_are_one_line_and_leave_no_file()
    {
        string source = At("plain.png");
        new Image(64, 48, 3).Write(source);
        Assert.Contains("--slide-mpp", CommandLine.Run("convert", source, "-o", At("a.tif"), "--output-mpp", "1").OneError());
        Assert.Contains("slides cannot be written with this extension", CommandLine.Run("convert", source, "-o", At("a.svs")).OneError());
        Assert.Contains("the output is the input", CommandLine.Run("convert", source, "-o", source).OneError());
        foreach (string region in new[] { "64,0,5,5", "60,0,5,5", "0,44,5,5", "0,0,65,48", "2147483647,0,5,5" })
            Assert.Contains("not inside of the slide, which has 64x48",
                CommandLine.Run("convert", source, "-o", At("a.tif"), "--region", region).OneError());
        Assert.Contains("X,Y,W,H", CommandLine.Run("convert", source, "-o", At("a.tif"), "--region", "1,2,3").OneError());
        Assert.Contains("multiple of 16", CommandLine.Run("convert", source, "-o", At("a.tif"), "--tile-size", "100").OneError());
        File.WriteAllBytes(At("cut.png"), File.ReadAllBytes(source)[..60]);
        Assert.Contains(At("cut.png"), CommandLine.Run("convert", At("cut.png"), "-o", At("a.dzi")).OneError());
        Assert.Equal([At("cut.png"), source], Directory.GetFileSystemEntries(folder).Order());
    }

    // A disk that fills up while the slide is written: files may not grow beyond a limit, which stands for it.
    [Theory]
    [InlineData("full.ome.tif"), InlineData("full.png"), InlineData("full.jpg")]
    public void Convert_to_full_disk_is_one_line_and_leaves_no_file(string name)
    {
        var image = new Image(2000, 1500, 3);
        new Random(1).NextBytes(image.Data);
        image.Write(At("source.tif"), compression: TiffCompression.None);
        string program = Path.Combine(AppContext.BaseDirectory, "tinctor.dll"), output = At(name);
        // The limit is in blocks of 1 kB.
        const string limited = "trap '' XFSZ; ulimit -f 1000; exec dotnet \"$@\"";
        var start = new ProcessStartInfo("bash", ["-c", limited, "bash", program, "convert", At("source.tif"), "-o", output])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The runtime's own large maps count as files.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        string line = CommandLine.Finish(Process.Start(start)!).OneError();
        Assert.StartsWith($"error: {output}: cannot be written", line);
        Assert.Equal([At("source.tif")], Directory.GetFileSystemEntries(folder));
    }

    private static Image TestImage()
    {
        var image = new Image(64, 48, 3);
        image.Fill([210, 180, 200]);
        return image;
    }

    private string At(string name) => Path.Combine(folder, name);
}
