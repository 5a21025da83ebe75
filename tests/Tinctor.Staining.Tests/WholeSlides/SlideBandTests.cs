using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;

namespace Tinctor.Staining.Tests.WholeSlides;

/// <summary>Bands of a slide that several processes stain.</summary>
[Collection(Alone.Name)]
public sealed class SlideBandTests : IDisposable
{
    private static readonly ModelDescription Model = new() { Method = "test", InputChannels = 3, OutputChannels = 3 };
    private static readonly Lazy<Image> Section =
        new(() => PhantomSlide.Render(new() { Width = 360, Height = 340, Stains = [PhantomStain.He] }).Images[0].Image);

    private readonly string folder = Directory.CreateTempSubdirectory("bands-").FullName;
    private readonly string source;
    private readonly Stainer stainer;

    public SlideBandTests()
    {
        source = Path.Combine(folder, "source.ome.tif");
        SlideWriter.Write(source, new SlideSpec(360, 340) { Mpp = 0.5, JpegQuality = null }, Section.Value);
        torch.manual_seed(1);
        // Instance norm: a pixel depends on the statistics that tiles share.
        var network = new Sequential(new Conv2d(3, 8, 3, padding: 1), new InstanceNorm2d(8), new ReLU(), new Conv2d(8, 3, 3, padding: 1),
            new InstanceNorm2d(3), new Tanh());
        stainer = new Stainer(new TorchExecutor(network, false, Device.CPU), Model, "model");
    }

    public void Dispose()
    {
        stainer.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(TileNormalization.Kernel)]
    [InlineData(TileNormalization.Slide)]
    [InlineData(TileNormalization.Thumbnail)]
    [InlineData(TileNormalization.Tile)]
    public void Stain_bands_gives_same_bytes_as_one_process(TileNormalization statistics)
    {
        SlideStainOptions options = Options with { Normalization = statistics, Uncertainty = true };
        StainedSlide whole = Assert.Single(Stain("whole", options)!);
        Assert.Null(Stain("bands", options, new(3, 3)));
        Assert.Null(Stain("bands", options, new(1, 3)));
        Assert.False(File.Exists(PathOf("bands")));
        StainedSlide joined = Assert.Single(Stain("bands", options, new(2, 3))!);
        Assert.Equal(Image.Read(PathOf("whole")).Data, Image.Read(PathOf("bands")).Data);
        Assert.Equal(Image.Read(SlideStainer.UncertaintyPath(PathOf("whole"))).Data,
            Image.Read(SlideStainer.UncertaintyPath(PathOf("bands"))).Data);
        Assert.Equal(whole.SeamScore, joined.SeamScore);
        // Neither tiles nor locks are left.
        Assert.Equal(["bands.ome.tif", "bands.uncertainty.ome.tif", "source.ome.tif", "whole.ome.tif", "whole.uncertainty.ome.tif"],
            Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Stain_bands_at_the_same_time_writes_slide_once()
    {
        Stain("whole", Options);
        int written = 0;
        Parallel.For(1, 5, number =>
        {
            // A thread has an engine of its own, as a process has.
            if (Stain("bands", Options, new(number, 4)) is not null) Interlocked.Increment(ref written);
        });
        Assert.Equal(1, written);
        Assert.Equal(Image.Read(PathOf("whole")).Data, Image.Read(PathOf("bands")).Data);
        Assert.False(Directory.Exists(SlideTiles.StorePath(PathOf("bands"))));
    }

    [Fact]
    public void Stain_whole_slide_finishes_bands_and_excludes_them()
    {
        Stain("whole", Options);
        Assert.Null(Stain("bands", Options, new(1, 2)));
        using (TileLock.TryAcquire(SlideTiles.StorePath(PathOf("bands")), PathOf("bands"), new(2, 2), null))
        {
            TinctorException error = Assert.Throws<TinctorException>(() => Stain("bands", Options));
            Assert.Contains($"band 2/2 is in use by process {Environment.ProcessId}", error.Message);
            Assert.True(error.IsInUse);
            error = Assert.Throws<TinctorException>(() => Stain("bands", Options, new(2, 2)));
            Assert.Contains("band 2/2: is in use", error.Message);
        }
        Assert.Single(Stain("bands", Options)!);
        Assert.Equal(Image.Read(PathOf("whole")).Data, Image.Read(PathOf("bands")).Data);
    }

    [Fact]
    public void Stain_band_cancelled_resumes()
    {
        Stain("whole", Options);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Stain("bands", Options, new(1, 2), progress =>
        {
            if (progress.Done == 3) stop.Cancel();
        }, stop.Token));
        Assert.Null(Stain("bands", Options, new(2, 2)));
        Assert.NotNull(Stain("bands", Options, new(1, 2)));
        Assert.Equal(Image.Read(PathOf("whole")).Data, Image.Read(PathOf("bands")).Data);
    }

    [Fact]
    public void Stain_more_bands_than_rows_gives_same_slide()
    {
        Stain("whole", Options);
        int written = Enumerable.Range(1, 20).Count(number => Stain("bands", Options, new(number, 20), isFinished: IsFinished) is not null);
        Assert.Equal(1, written);
        Assert.Equal(Image.Read(PathOf("whole")).Data, Image.Read(PathOf("bands")).Data);

        bool IsFinished() => File.Exists(PathOf("bands"));
    }

    [Fact]
    public void Stain_band_with_other_options_is_refused()
    {
        Assert.Null(Stain("bands", Options, new(1, 2)));
        TinctorException error = Assert.Throws<TinctorException>(() => Stain("bands", Options with { Overlap = 0 }, new(2, 2)));
        Assert.Contains("were stained with another model or other options", error.Message);
        Assert.NotNull(Stain("bands", Options, new(2, 2)));
    }

    [Fact]
    public void Stain_finished_slide_is_left_alone()
    {
        Stain("whole", Options);
        DateTime written = File.GetLastWriteTimeUtc(PathOf("whole"));
        Assert.Null(Stain("whole", Options, isFinished: () => true));
        Assert.Null(Stain("whole", Options, new(1, 2), isFinished: () => true));
        Assert.Equal(written, File.GetLastWriteTimeUtc(PathOf("whole")));
        Assert.Empty(Directory.GetFileSystemEntries(folder, ".*"));
    }

    private static SlideStainOptions Options =>
        new() { WholeSlide = true, JpegQuality = null, TileSize = 96, Halo = 0, Overlap = 32 };

    private string PathOf(string name) => Path.Combine(folder, $"{name}.ome.tif");

    private IReadOnlyList<StainedSlide>? Stain(string name, SlideStainOptions options, Shard? band = null,
        Action<SlideProgress>? progress = null, CancellationToken cancel = default, Func<bool>? isFinished = null)
    {
        using Slide slide = Slide.Open(source);
        return SlideStainer.StainTogether([new(stainer, slide, PathOf(name), options)], band, isFinished, progress, cancel);
    }
}
