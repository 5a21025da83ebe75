using System.Diagnostics;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>
/// What slides may meet: damage, files that vanish while they are read, offsets beyond 4 GB; and the memory that all this takes.
/// </summary>
[Collection(Alone.Name)]
public sealed class SlideEnduranceTests : InTemporaryFolder
{
    // Copies that broke off, and bits that flipped: one line that names the file, or pixels; no crash, no hang, no leak.
    [Theory]
    [InlineData("jpeg.ome.tif", 3, 90), InlineData("deflate.ome.tif", 3, null), InlineData("pages.tif", 3, null),
        InlineData("four.ome.tif", 4, null)]
    public void Read_damaged_slides_never_crashes_or_leaks(string name, int channels, int? quality)
    {
        Image image = TestImages.Smooth(200, 140, channels);
        SlideWriter.Write(At(name), new SlideSpec(200, 140, channels) { JpegQuality = quality, Tile = 64, Mpp = 0.5 }, image);
        byte[] whole = File.ReadAllBytes(At(name));
        var random = new Random(5);
        int read = 0;
        for (int i = 0; i < 50; i++) Break(i);
        long before = Resident();
        for (int i = 50; i < 300; i++) Break(i);
        Assert.InRange(Resident() - before, long.MinValue, 40_000_000);
        // Not all flips matter, and not all files are refused.
        Assert.InRange(read, 1, 290);

        void Break(int i)
        {
            byte[] broken = i % 3 == 0 ? whole[..random.Next(whole.Length)] : (byte[])whole.Clone();
            for (int flips = i % 3 * random.Next(1, 4); flips > 0; flips--)
                broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(At("broken.tif"), broken);
            if (TryRead(At("broken.tif"), 200, 140)) read++;
        }
    }

    [Fact]
    public void Read_damaged_aperio_slide_never_crashes_or_leaks()
    {
        byte[] whole = File.ReadAllBytes(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        var random = new Random(6);
        for (int i = 0; i < 20; i++) Break(i);
        long before = Resident();
        for (int i = 20; i < 100; i++) Break(i);
        Assert.InRange(Resident() - before, long.MinValue, 60_000_000);

        void Break(int i)
        {
            byte[] broken = i % 3 == 0 ? whole[..random.Next(whole.Length)] : (byte[])whole.Clone();
            // Its tags are at the end.
            for (int flips = i % 3 * random.Next(1, 4); flips > 0; flips--)
                broken[i % 2 == 0 ? random.Next(broken.Length)
                    : broken.Length - 1 - random.Next(Math.Min(broken.Length, 20_000))] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(At("broken.svs"), broken);
            TryRead(At("broken.svs"), 300, 300);
        }
    }

    [Theory]
    [InlineData("a.ome.tif"), InlineData("a.svs")]
    public void Read_slide_truncated_or_removed_while_open_is_one_line(string name)
    {
        if (name == "a.svs") File.WriteAllBytes(At(name), File.ReadAllBytes(RepositoryFiles.Sample("slides/cmu-1-small-region.svs")));
        else
        {
            Image image = TestImages.Make(2000, 1500, 3, SampleType.UInt8);
            SlideWriter.Write(At(name), new SlideSpec(2000, 1500) { JpegQuality = null, Tile = 128 }, image);
        }
        using var slide = Slide.Open(At(name));
        slide.Read(0, 0, 0, 100, 100);
        using (FileStream file = File.OpenWrite(At(name))) file.SetLength(file.Length / 3);
        string line = Assert.Throws<TinctorException>(() => slide.Read(0, 0, 0, slide.Width, slide.Height)).Message;
        Assert.StartsWith(At(name), line);
        Assert.DoesNotContain('\n', line);
        File.Delete(At(name));
        try
        {
            slide.Read(0, 500, 900, 400, 400);
        }
        catch (TinctorException error)
        {
            Assert.StartsWith(At(name), error.Message);
        }
    }

    // A hole of 5 GB before the directory, and of 4.5 GB before the tiles: no disk is taken by it.
    [Fact]
    public void Read_offsets_beyond_4_gb_gives_samples()
    {
        Image image = TestImages.Make(100, 70, 3, SampleType.UInt8);
        RawFiles.SparseBigTiff(At("far.tif"), image, tile: 64, tilesAt: 4_500_000_000, directoryAt: 5_000_000_000);
        using var slide = Slide.Open(At("far.tif"));
        Assert.Equal(image.Data, slide.Read(0, 0, 0, 100, 70).Data);
        Assert.Equal(image.Crop(60, 60, 10, 10).Data, slide.Read(0, 60, 60, 10, 10).Data);
    }

    [Theory]
    [InlineData(3000), InlineData(9000)]
    public void Read_whole_slide_has_flat_memory(int height)
    {
        Image band = TestImages.Smooth(4000, 500, 3);
        var spec = new SlideSpec(4000, height);
        SlideWriter.Write(At("tall.ome.tif"), spec, spec.TilesOf(Enumerable.Repeat(band, height / 500)));
        using var slide = Slide.Open(At("tall.ome.tif"));
        slide.Read(0, 0, 0, 512, 512);
        long before = Resident();
        Parallel.For(0, height / 500 * 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            slide.Read(0, i % 8 * 500, i / 8 * 500, 500, 500));
        Assert.InRange(Resident() - before, long.MinValue, 80_000_000);
    }

    [Fact]
    public void Read_whole_dicom_slide_has_flat_memory()
    {
        Image tile = TestImages.Smooth(512, 512, 3);
        Dictionary<string, object> file = DicomFiles.Describe(At("large.dcm"), tile, DicomFiles.Jpeg, tile: 512);
        (file["width"], file["height"]) = (512 * 40, 512 * 20);
        file["frames"] = Enumerable.Repeat(((List<string>)file["frames"])[0], 800).ToList();
        DicomFiles.Write(file);
        using var slide = Slide.Open(At("large.dcm"));
        // Each thread needs a decoder and a heap of its own, so the first pass is not measured.
        ReadTiles(80);
        long before = Resident();
        ReadTiles(800);
        Assert.InRange(Resident() - before, long.MinValue, 150_000_000);

        void ReadTiles(int count) => Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            slide.Read(0, i % 40 * 512, i / 40 * 512, 512, 512));
    }

    private static bool TryRead(string path, int width, int height)
    {
        try
        {
            using var slide = Slide.Open(path);
            for (int level = 0; level < slide.Levels.Count; level++) slide.Read(level, 0, 0, width, height);
            return true;
        }
        catch (TinctorException error)
        {
            Assert.StartsWith(path, error.Message);
            Assert.DoesNotContain('\n', error.Message);
            return false;
        }
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
