using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Staining.Tests.WholeSlides;

/// <summary>A slide that is stained with several stains of one model.</summary>
public sealed class SharedReadsTests : IDisposable
{
    private static readonly ModelDescription Model =
        new() { Method = "test", InputChannels = 3, OutputChannels = 3, Stains = ["HER2", "Ki67"] };

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-shared-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false), InlineData(true)]
    public void StainTogether_gives_results_of_each_stain_alone(bool normalizes)
    {
        using Slide slide = Slide.Open(WriteSlide());
        using var stainer = new Stainer(new Shifting(normalizes, 0), Model, "model");
        SlideStainOptions options = new() { WholeSlide = true, TileSize = 64, Halo = 0, JpegQuality = null };
        SlideStainer Run(string stain, string name) => new(stainer.ForStain(stain), slide, Path.Combine(folder, name), options);
        var progress = new List<SlideProgress>();
        IReadOnlyList<StainedSlide> done =
            SlideStainer.StainTogether([Run("HER2", "a.ome.tif"), Run("Ki67", "b.ome.tif")], progress.Add);
        Assert.Equal(done.Sum(each => each.Tiles), progress.Count);
        Assert.Equal(Enumerable.Range(1, progress.Count), progress.Select(each => each.Done));
        Run("HER2", "c.ome.tif").Stain();
        Run("Ki67", "d.ome.tif").Stain();
        byte[][] pixels = [.. "abcd".Select(name => Image.Read(Path.Combine(folder, $"{name}.ome.tif")).Data)];
        Assert.Equal(pixels[2], pixels[0]);
        Assert.Equal(pixels[3], pixels[1]);
        Assert.NotEqual(pixels[0], pixels[1]);
        Assert.Empty(Directory.GetDirectories(folder));
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void FinishTogether_reads_each_tile_as_often_as_for_one_stain(bool normalizes)
    {
        using Slide slide = Slide.Open(WriteSlide());
        using var stainer = new Stainer(new Shifting(normalizes, 0), Model, "model");
        SlideStainOptions options = new() { WholeSlide = true, TileSize = 64, Halo = 0, JpegQuality = null };
        int one = Reads("HER2"), both = Reads("HER2", "Ki67");
        Assert.InRange(one, 20, 200);
        Assert.Equal(one, both);

        int Reads(params string[] stains)
        {
            // Room for all regions: with less, one is read again if a staining falls behind the other.
            var shared = new SharedReads(slide, capacity: 1000);
            SlideTiles[] tiles = [.. stains.Select(stain =>
            {
                string path = Path.Combine(folder, $"{stains.Length}{stain}.ome.tif");
                var run = new SlideStainer(stainer.ForStain(stain), slide, path, options);
                return new SlideTiles(stainer.ForStain(stain), slide, path, options, null, run.Scale, run.Spec, shared);
            })];
            SlideTiles.FinishTogether(tiles, null, default);
            foreach (SlideTiles each in tiles) each.Dispose();
            return shared.Count;
        }
    }

    [Fact]
    public void StainTogether_resumes_each_stain_after_interruption()
    {
        using Slide slide = Slide.Open(WriteSlide());
        using var network = new Shifting(false, 0);
        using var stainer = new Stainer(network, Model, "model");
        SlideStainOptions options = new() { WholeSlide = true, TileSize = 64, Halo = 0, JpegQuality = null };
        SlideStainer[] Runs() => [.. Model.Stains.Select(stain =>
            new SlideStainer(stainer.ForStain(stain), slide, Path.Combine(folder, $"{stain}.ome.tif"), options))];
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => SlideStainer.StainTogether(Runs(), progress =>
        {
            if (progress.Done == 7) stop.Cancel();
        }, stop.Token));
        int tiles = Runs()[0].Open() is var open ? open.Tiles.Count(open.IsStained) : 0;
        open.Dispose();
        Assert.InRange(tiles, 2, open.Tiles.Count - 1);
        Assert.All(SlideStainer.StainTogether(Runs()), done => Assert.Equal(open.Tiles.Count, done.Tiles));
    }

    [Fact]
    public void StainTogether_in_bands_gives_results_of_one_process()
    {
        using Slide slide = Slide.Open(WriteSlide());
        using var stainer = new Stainer(new Shifting(true, 0), Model, "model");
        SlideStainOptions options = new() { WholeSlide = true, TileSize = 64, Halo = 0, JpegQuality = null };
        SlideStainer[] Runs(string name) => [.. Model.Stains.Select(stain =>
            new SlideStainer(stainer.ForStain(stain), slide, Path.Combine(folder, $"{name}-{stain}.ome.tif"), options))];
        SlideStainer.StainTogether(Runs("whole"));
        Assert.Null(SlideStainer.StainTogether(Runs("bands"), new(2, 2), null, null, default));
        Assert.Equal(2, SlideStainer.StainTogether(Runs("bands"), new(1, 2), null, null, default)!.Count);
        Assert.All(Model.Stains, stain => Assert.Equal(Image.Read(Path.Combine(folder, $"whole-{stain}.ome.tif")).Data,
            Image.Read(Path.Combine(folder, $"bands-{stain}.ome.tif")).Data));
        Assert.Empty(Directory.GetDirectories(folder));
    }

    [Fact]
    public void ReadAt_reads_region_once_until_capacity_is_reached()
    {
        using Slide slide = Slide.Open(WriteSlide());
        var reads = new SharedReads(slide, capacity: 4);
        Parallel.For(0, 40, i => reads.ReadAt(1, i % 4 * 10, 0, 10, 10));
        Assert.Equal(4, reads.Count);
        Assert.Equal(slide.ReadAt(1, 10, 0, 10, 10).Data, reads.ReadAt(1, 10, 0, 10, 10).Data);
        for (int i = 4; i < 8; i++) reads.ReadAt(1, i * 10, 0, 10, 10);
        reads.ReadAt(1, 0, 0, 10, 10);
        Assert.Equal(9, reads.Count);
    }

    private string WriteSlide()
    {
        var image = new Image(300, 260, 3);
        new Random(3).NextBytes(image.Data);
        string path = Path.Combine(folder, "source.ome.tif");
        SlideWriter.Write(path, new SlideSpec(300, 260, 3) { Mpp = 0.5, JpegQuality = null }, image);
        return path;
    }

    // Brightens by the index of the stain, and, where asked for, by the mean of the image.
    private sealed class Shifting(bool normalizes, int stain) : INetworkExecutor
    {
        public bool NormalizesByImage => normalizes;

        public int? ReceptiveField => 0;

        public string Precision => "test";

        public INetworkExecutor ForStain(int index) => new Shifting(normalizes, index + 1);

        public NetworkOutput Run(NetworkInput input)
        {
            ImageBatch source = input.Source;
            float[] own = [.. Enumerable.Range(0, source.Count).Select(i => source.Samples(i).ToArray().Average())];
            float[] means = input.Normalization?.Moments is { } given ? [.. given.Select(image => image.Layers[0].Mean[0])] : own;
            var result = new ImageBatch(source.Count, 3, source.Height, source.Width);
            for (int i = 0; i < source.Count; i++)
                for (int k = 0; k < source.ImageLength; k++)
                    result.Samples(i)[k] = (0.5f * source.Samples(i)[k]) + (0.1f * stain) + (normalizes ? means[i] * stain : 0);
            return new(result, null, !normalizes ? [.. own.Select(_ => new ImageMoments([]))]
                : [.. own.Select(mean => new ImageMoments([([mean], [1])]))]);
        }

        public ImageBatch Predict(ImageBatch state, double time, ImageBatch end) => throw new NotSupportedException();

        public void Dispose() { }
    }
}
