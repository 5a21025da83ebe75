using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training;
using Tinctor.Training.Execution;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;

namespace Tinctor.Staining.Tests.WholeSlides;

[Collection(Alone.Name)]
public sealed class SlideStainerTests : IDisposable
{
    private static readonly Lazy<Image> Section =
        new(() => PhantomSlide.Render(new() { Width = 600, Height = 450, Stains = [PhantomStain.He] }).Images[0].Image);
    private readonly string folder = Directory.CreateTempSubdirectory("slides-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(333, 271, 64, 0, 0, 1)]
    [InlineData(1033, 571, 128, 32, 32, 1)]
    [InlineData(333, 1271, 256, 0, 96, 3)]
    [InlineData(65, 1, 64, 0, 32, 2)]
    [InlineData(17, 300, 512, 0, 0, 1)]
    public void Stain_identity_returns_slide_at_every_level(int width, int height, int tile, int halo, int ramp, int batch)
    {
        string source = WriteSlide(Textured(width, height)), stained = Path.Combine(folder, "out.ome.tif");
        using var network = new Identity();
        Stain(network, source, stained, Plain with { TileSize = tile, Halo = halo, Overlap = ramp, BatchSize = batch });
        using Slide before = Slide.Open(source), after = Slide.Open(stained);
        Assert.Equal(before.Levels, after.Levels);
        Assert.Equal(before.Mpp!.Value, after.Mpp!.Value, 1e-6);
        for (int level = 0; level < before.Levels.Count; level++)
        {
            SlideLevel size = before.Levels[level];
            Assert.Equal(before.Read(level, 0, 0, size.Width, size.Height).Data, after.Read(level, 0, 0, size.Width, size.Height).Data);
        }
    }

    [Fact]
    public void Stain_with_upscaling_network_writes_finer_resolution()
    {
        Image image = Textured(150, 101);
        string source = WriteSlide(image), stained = Path.Combine(folder, "out.ome.tif");
        using var network = new Upsample(scale_factor: 3);
        Stain(network, source, stained, Plain with { TileSize = 64 }, new TestConfig { Factor = 3 });
        using Slide after = Slide.Open(stained);
        Assert.Equal((450, 303), (after.Width, after.Height));
        Assert.Equal(0.5 / 3, after.Mpp!.Value, 1e-6);
        Assert.Equal(image.Resize(450, 303, ResizeKernel.Nearest).Data, after.Read(0, 0, 0, 450, 303).Data);
    }

    [Fact]
    public void Stain_slide_of_other_resolution_is_resampled()
    {
        string source = WriteSlide(Section.Value), stained = Path.Combine(folder, "out.ome.tif");
        using var network = new Identity();
        StainedSlide done = Stain(network, source, stained, Plain with { TileSize = 128 },
            new TestConfig { Inference = new() { Mpp = 1.25 } });
        using Slide before = Slide.Open(source), after = Slide.Open(stained);
        Assert.Equal(2.5, done.Scale.Downsample, 1e-9);
        Assert.Equal((240, 180), (after.Width, after.Height));
        Assert.Equal(1.25, after.Mpp!.Value, 1e-6);
        Assert.Equal(before.ReadAt(2.5, 0, 0, 240, 180).Data, after.Read(0, 0, 0, 240, 180).Data);
        // Scanners that differ by a little are taken to be the same.
        using Slide near = Slide.Open(source, mpp: 0.4925);
        Assert.Equal(1, SlideScale.Choose(near, new TestConfig { Inference = new() { Mpp = 0.5 } }.Describe("test")).Downsample);
    }

    [Theory]
    [InlineData(TileNormalization.Kernel)]
    [InlineData(TileNormalization.Slide)]
    [InlineData(TileNormalization.Thumbnail)]
    public void Stain_with_shared_moments_has_no_seams(TileNormalization statistics)
    {
        string source = WriteSlide(Section.Value);
        using var network = Normalising();
        double naive = Stain(network, source, Path.Combine(folder, "naive.ome.tif"),
            Plain with { TileSize = 96, Halo = 0, Overlap = 0, Normalization = TileNormalization.Tile }).SeamScore;
        double blended = Stain(network, source, Path.Combine(folder, "blended.ome.tif"),
            Plain with { TileSize = 96, Halo = 0, Overlap = 32, Normalization = statistics }).SeamScore;
        Assert.True(naive > 1.05, $"naive {naive}");
        Assert.True(blended <= 1.02, $"blended {blended}");
    }

    [Fact]
    public void Stain_with_slide_moments_nearly_equals_untiled_result()
    {
        string source = WriteSlide(Section.Value);
        using var network = Normalising();
        Image whole = Stained(Plain with { TileSize = 608, Normalization = TileNormalization.Tile }, "whole");
        double tile = Difference(Stained(Plain with { TileSize = 96, Normalization = TileNormalization.Tile }, "tile"));
        double kernel = Difference(Stained(Plain with { TileSize = 96, Normalization = TileNormalization.Kernel }, "kernel"));
        double slide = Difference(Stained(Plain with { TileSize = 96, Normalization = TileNormalization.Slide }, "slide"));
        Assert.True(slide < 0.7 * kernel && kernel < tile, $"{slide} {kernel} {tile}");

        Image Stained(SlideStainOptions options, string name)
        {
            string path = Path.Combine(folder, $"{name}.ome.tif");
            Stain(network, source, path, options);
            return Image.Read(path);
        }

        double Difference(Image image) => image.Data.Zip(whole.Data, (a, b) => Math.Abs(a - b)).Average();
    }

    [Fact]
    public void Stain_of_repeated_tile_is_independent_of_kernel_step()
    {
        // All tiles are equal, so that each has the moments of every other one.
        var image = new Image(352, 288, 3);
        for (int y = 0; y < image.Height; y++)
            for (int x = 0; x < image.Width * 3; x++)
                image.Data[(y * image.Width * 3) + x] = Section.Value.Data[(y % 64 * Section.Value.Width * 3) + (x % (64 * 3))];
        string source = WriteSlide(image);
        using var network = Normalising();
        SlideStainOptions options = Plain with { TileSize = 96, Halo = 0, Overlap = 32, Normalization = TileNormalization.Kernel };
        byte[] every = Stained(1), second = Stained(2);
        Assert.True(every.Distinct().Count() > 20);
        Assert.True(every.Zip(second, (a, b) => Math.Abs(a - b)).Max() <= 1);

        byte[] Stained(int step)
        {
            string path = Path.Combine(folder, $"step{step}.ome.tif");
            Stain(network, source, path, options with { KernelStep = step });
            return Image.Read(path).Data;
        }
    }

    [Fact]
    public void Stain_in_batches_gives_same_pixels()
    {
        string source = WriteSlide(Section.Value);
        using var network = new Sequential(new BatchNorm2d(3), new Tanh());
        var config = new TestConfig { Inference = new() { Statistics = "batch" } };
        SlideStainOptions options = Plain with { TileSize = 128, Halo = 0, Normalization = TileNormalization.Tile };
        Stain(network, source, Path.Combine(folder, "one.ome.tif"), options, config);
        Stain(network, source, Path.Combine(folder, "four.ome.tif"), options with { BatchSize = 4 }, config);
        Image one = Image.Read(Path.Combine(folder, "one.ome.tif")), four = Image.Read(Path.Combine(folder, "four.ome.tif"));
        Assert.True(one.Data.Zip(four.Data, (a, b) => Math.Abs(a - b)).Max() <= 1);
    }

    [Fact]
    public void Stain_bridge_noise_is_independent_of_tile_size()
    {
        string source = WriteSlide(Textured(200, 150));
        Sample("a.ome.tif", Plain with { TileSize = 64, Halo = 0, Seed = 5 });
        Sample("b.ome.tif", Plain with { TileSize = 224, Halo = 0, Seed = 5 });
        Sample("c.ome.tif", Plain with { TileSize = 224, Halo = 0, Seed = 6 });
        byte[] a = Image.Read(Path.Combine(folder, "a.ome.tif")).Data, b = Image.Read(Path.Combine(folder, "b.ome.tif")).Data;
        Assert.Equal(a, b);
        Assert.NotEqual(a, Image.Read(Path.Combine(folder, "c.ome.tif")).Data);

        void Sample(string name, SlideStainOptions options)
        {
            var model = new ModelDescription
            {
                Method = "test",
                InputChannels = 3,
                OutputChannels = 3,
                Bridge = new() { Kind = BridgeKind.Staining, Steps = 5, Objective = BridgeObjective.Grad, Sampling = new() },
            };
            using Slide slide = Slide.Open(source);
            using var stainer = new Stainer(new PixelwiseBridge(), model, "model");
            new SlideStainer(stainer, slide, Path.Combine(folder, name), options).Stain();
        }
    }

    [Theory]
    [InlineData(TileNormalization.Tile)]
    [InlineData(TileNormalization.Kernel)]
    public void Open_tiles_stained_in_any_order_give_same_slide(TileNormalization statistics)
    {
        string source = WriteSlide(Section.Value), whole = Path.Combine(folder, "whole.ome.tif"),
            path = Path.Combine(folder, "tiles.ome.tif");
        SlideStainOptions options = Plain with { TileSize = 96, Halo = 0, Overlap = 32, Normalization = statistics };
        using var network = new Counting(Normalising());
        Stain(network, source, whole, options);
        Image expected = Image.Read(whole);
        using Slide slide = Slide.Open(source);
        using (var stainer = new Stainer(new TorchExecutor(network, false, Device.CPU), new TestConfig().Describe("test"), "model"))
        using (SlideTiles tiles = new SlideStainer(stainer, slide, path, options).Open())
        {
            IReadOnlyList<Tile> visible = tiles.Find(200, 150, 130, 100);
            Assert.InRange(visible.Count, 4, tiles.Tiles.Count - 1);
            foreach (Tile tile in visible.Reverse()) tiles.Stain(tile);
            Assert.All(tiles.Tiles, tile => Assert.Equal(visible.Contains(tile), tiles.IsStained(tile)));
            Assert.Equal(expected.Crop(200, 150, 130, 100).Data, tiles.Read(200, 150, 130, 100).Data);
            Assert.Throws<TinctorException>(() => Stain(network, source, path, options));
        }
        // Another program finishes the slide.
        int before = network.Calls;
        Stain(network, source, path, options);
        Assert.True(network.Calls > before);
        Assert.Equal(expected.Data, Image.Read(path).Data);
    }

    [Theory]
    [InlineData(TileNormalization.Tile)]
    [InlineData(TileNormalization.Kernel)]
    public void Stain_interrupted_slide_resumes_to_same_pixels(TileNormalization statistics)
    {
        string source = WriteSlide(Section.Value), whole = Path.Combine(folder, "whole.ome.tif"),
            resumed = Path.Combine(folder, "resumed.ome.tif");
        SlideStainOptions options = Plain with { TileSize = 96, Halo = 0, Overlap = 32, Normalization = statistics };
        using var network = new Counting(Normalising());
        Stain(network, source, whole, options);
        int all = network.Calls;
        using var stop = new CancellationTokenSource();
        network.Calls = 0;
        Assert.Throws<OperationCanceledException>(() => Stain(network, source, resumed, options, progress: done =>
        {
            if (done.Done == 20) stop.Cancel();
        }, cancel: stop.Token));
        int before = network.Calls;
        Assert.False(File.Exists(resumed));
        network.Calls = 0;
        Stain(network, source, resumed, options);
        Assert.Equal(Image.Read(whole).Data, Image.Read(resumed).Data);
        Assert.True(network.Calls < all - 10, $"{all} calls at once, {before} before and {network.Calls} after the stop");
        Assert.Equal(["resumed.ome.tif", Path.GetFileName(source), "whole.ome.tif"], Files());
    }

    [Fact]
    public void Stain_ignores_tiles_of_another_model()
    {
        string source = WriteSlide(Textured(300, 200)), stained = Path.Combine(folder, "out.ome.tif");
        using var stop = new CancellationTokenSource();
        using var identity = new Identity();
        Assert.Throws<OperationCanceledException>(() =>
            Stain(identity, source, stained, Plain with { TileSize = 64 }, progress: done => stop.Cancel(), cancel: stop.Token));
        using var inverse = new Inverse();
        Stain(inverse, source, stained, Plain with { TileSize = 64 }, model: "another");
        Assert.Equal(Image.Read(source).Data.Select(value => (byte)(255 - value)), Image.Read(stained).Data);
    }

    [Theory]
    [InlineData(TileNormalization.Kernel)]
    [InlineData(TileNormalization.Slide)]
    public void Stain_bridge_on_autofluorescence_writes_finer_resolution(TileNormalization statistics)
    {
        torch.manual_seed(4);
        var config = new BbdmConfig
        {
            Network = new() { ModelChannels = 32, ChannelMult = [1, 1, 2], NumResBlocks = 1, AttentionResolutions = [4] },
            Steps = 20,
            MatcherWidth = 8,
            Factor = 2,
            InputChannels = 4,
        };
        using BridgeGenerator network = config.CreateNetwork();
        using Stainer stainer = TrainedModel.CreateStainer(network, config, Device.CPU);
        var image = new Image(80, 72, 4, SampleType.UInt16);
        new Random(8).NextBytes(image.Data);
        string source = Path.Combine(folder, "af.ome.tif");
        SlideWriter.Write(source, new SlideSpec(80, 72, 4, SampleType.UInt16) { Mpp = 2 }, image);
        Image one = Stained(1, "one"), two = Stained(2, "two");
        Assert.Equal((160, 144, 3), (one.Width, one.Height, one.Channels));
        Assert.True(one.Data.Zip(two.Data, (a, b) => Math.Abs(a - b)).Max() <= 1);

        Image Stained(int batch, string name)
        {
            using Slide slide = Slide.Open(source);
            string path = Path.Combine(folder, $"{name}.ome.tif");
            var options = Plain with
            {
                TileSize = 64,
                Halo = 0,
                Overlap = 32,
                BatchSize = batch,
                Normalization = statistics,
                Sampling = new() { Evaluations = 2 }
            };
            StainedSlide done = new SlideStainer(stainer, slide, path, options).Stain();
            Assert.Equal(1, done.Scale.Mpp!.Value, 1e-9);
            return Image.Read(path);
        }
    }

    [Fact]
    public void Stain_fills_background_and_stains_tissue_with_margin()
    {
        var image = new Image(800, 600, 3);
        image.Fill([240, 238, 242]);
        image.Paste(Section.Value.Crop(0, 0, 200, 200), 300, 200);
        // Most of the slide is tissue that nobody asked for.
        var other = new Image(800, 190, 3);
        other.Fill([210, 160, 200]);
        image.Paste(other, 0, 410);
        image.Paste(other.Crop(0, 0, 800, 120), 0, 0);
        string source = WriteSlide(image), stained = Path.Combine(folder, "out.ome.tif");
        using var network = new Inverse();
        using (Slide slide = Slide.Open(source))
        {
            var tissue = new Image(80, 60, 1);
            for (int y = 20; y < 40; y++) tissue.Data.AsSpan((y * 80) + 30, 20).Fill(255);
            Stain(network, source, stained,
                Plain with { TileSize = 64, WholeSlide = false, Tissue = TissueMask.FromImage(tissue, 10), TissueMargin = 20 });
        }
        Image result = Image.Read(stained);
        Assert.Equal([240, 238, 242], Pixel(result, 10, 10));
        Assert.Equal([240, 238, 242], Pixel(result, 300, 130));
        Assert.Equal(Pixel(image, 400, 300).Select(value => (byte)(255 - value)), Pixel(result, 400, 300));
        // Forty pixels are twenty micrometres.
        Assert.Equal([15, 17, 13], Pixel(result, 400, 170));
    }

    [Fact]
    public void Stain_empty_slide_or_other_channels_is_refused()
    {
        var glass = new Image(300, 300, 3);
        glass.Fill([240, 240, 240]);
        string source = WriteSlide(glass);
        using var network = new Identity();
        var nothing = Assert.Throws<TinctorException>(() =>
            Stain(network, source, Path.Combine(folder, "out.ome.tif"), Plain with { WholeSlide = false }));
        Assert.Contains("no tissue", nothing.Message);
        var channels = Assert.Throws<TinctorException>(() =>
            Stain(network, source, Path.Combine(folder, "out.ome.tif"), Plain, new TestConfig { InputChannels = 4 }));
        Assert.Contains(source, channels.Message);
    }

    [Fact]
    public void Stain_damaged_slide_leaves_no_file()
    {
        string source = WriteSlide(Textured(2000, 3000), jpeg: true), stained = Path.Combine(folder, "out.ome.tif");
        using (var file = new FileStream(source, FileMode.Open, FileAccess.Write))
        {
            // Tiles in the middle of the file.
            file.Position = file.Length / 3;
            file.Write(new byte[file.Length / 3]);
        }
        using var network = new Identity();
        var error = Assert.Throws<TinctorException>(() => Stain(network, source, stained, Plain with { TileSize = 512 }));
        Assert.StartsWith(source, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.False(File.Exists(stained));
    }

    [Fact]
    public void Uncertainty_is_zero_for_equivariant_network_only()
    {
        string source = WriteSlide(Section.Value.Crop(0, 0, 200, 160));
        using var identity = new Identity();
        using var leaning = new Sequential(new Leaning());
        Assert.All(Uncertainty(identity, "identity"), value => Assert.Equal(0, value));
        Assert.True(Uncertainty(leaning, "leaning").Average(value => (double)value) > 1);
        // The stained slide is the same with and without.
        Stain(leaning, source, Path.Combine(folder, "plain.ome.tif"), Plain with { TileSize = 96 });
        Assert.Equal(Image.Read(Path.Combine(folder, "plain.ome.tif")).Data, Image.Read(Path.Combine(folder, "leaning.ome.tif")).Data);

        // The mean over orientations differs from it, unless the network is equivariant.
        Image Oriented(Module<Tensor, Tensor> network)
        {
            string mean = Path.Combine(folder, "mean.ome.tif");
            Stain(network, source, mean, Plain with { TileSize = 96, AverageOrientations = true });
            return Image.Read(mean);
        }
        Assert.NotEqual(Image.Read(Path.Combine(folder, "leaning.ome.tif")).Data, Oriented(leaning).Data);
        File.Delete(Path.Combine(folder, "mean.ome.tif"));
        Assert.Equal(Image.Read(Path.Combine(folder, "identity.ome.tif")).Data, Oriented(identity).Data);

        byte[] Uncertainty(Module<Tensor, Tensor> network, string name)
        {
            string stained = Path.Combine(folder, $"{name}.ome.tif");
            Stain(network, source, stained, Plain with { TileSize = 96, Uncertainty = true });
            using Slide map = Slide.Open(SlideStainer.UncertaintyPath(stained));
            Assert.Equal((200, 160, 1), (map.Width, map.Height, map.Channels));
            return map.Read(0, 0, 0, 200, 160).Data;
        }
    }

    [Fact]
    public void ReliabilityMap_paints_and_counts_uncertainty_bands()
    {
        var grey = new Image(200, 100, 3);
        grey.Fill([150, 150, 150]);
        var doubt = new Image(200, 100, 2);
        for (int y = 0; y < 100; y++)
            for (int x = 0; x < 200; x++) doubt.Data[2 * ((y * 200) + x)] = (byte)(x < 100 ? 0 : x < 150 ? 20 : 200);
        string map = Path.Combine(folder, "map.ome.tif");
        SlideWriter.Write(map, new SlideSpec(200, 100, 2) { JpegQuality = null }, doubt);
        using Slide stained = Slide.Open(WriteSlide(grey)), uncertainty = Slide.Open(map);
        var painted = ReliabilityMap.Create(stained, uncertainty, 0, ReliabilityMap.Variation, tissue: null);
        Assert.Equal([0.5, 0.25, 0, 0.25], painted.Shares.Select(row => row.Share));
        Assert.Equal([150, 150, 150], Pixel(painted.Picture, 50, 50));
        byte[] red = Pixel(painted.Picture, 190, 50);
        Assert.True(red[0] > red[1] + 40 && red[0] > red[2] + 40);
        Assert.Equal(1, ReliabilityMap.Create(stained, uncertainty, 1, ReliabilityMap.Novelty, tissue: null).Shares[0].Share);
    }

    [Fact]
    public void Stain_measures_comparison_with_source()
    {
        string source = WriteSlide(Section.Value);
        using var identity = new Identity();
        SlideComparison? same = Stain(identity, source, Path.Combine(folder, "same.ome.tif"), Plain).Comparison;
        Assert.Equal(1, same!.Haematoxylin!.Value, 1e-6);
        Assert.Equal(0, same.BackgroundDrift!.Value, 1e-6);
        using var inverse = new Inverse();
        SlideComparison? other = Stain(inverse, source, Path.Combine(folder, "other.ome.tif"), Plain).Comparison;
        Assert.True(other!.Haematoxylin < 0.5 && other.BackgroundDrift > 50, $"{other}");
    }

    private static SlideStainOptions Plain => new() { WholeSlide = true, JpegQuality = null };

    private static StainedSlide Stain(Module<Tensor, Tensor> network, string source, string path, SlideStainOptions options,
        TestConfig? config = null,
        Action<SlideProgress>? progress = null, CancellationToken cancel = default, string model = "model")
    {
        using Slide slide = Slide.Open(source);
        config ??= new TestConfig();
        using var stainer = new Stainer(new TorchExecutor(network, config.Inference.Statistics == "batch", Device.CPU),
            config.Describe("test"), model);
        return new SlideStainer(stainer, slide, path, options).Stain(progress, cancel);
    }

    private string WriteSlide(Image image, bool jpeg = false)
    {
        string path = Path.Combine(folder, "source.ome.tif");
        SlideWriter.Write(path, new SlideSpec(image.Width, image.Height) { Mpp = 0.5, JpegQuality = jpeg ? 90 : null }, image);
        return path;
    }

    // Of the section's texture, and no two rows alike.
    private static Image Textured(int width, int height)
    {
        var image = new Image(width, height, 3);
        var random = new Random(width);
        random.NextBytes(image.Data);
        return image;
    }

    private static Sequential Normalising()
    {
        torch.manual_seed(1);
        return new(new Conv2d(3, 8, 3, padding: 1), new InstanceNorm2d(8), new ReLU(), new Conv2d(8, 3, 3, padding: 1),
            new InstanceNorm2d(3), new Tanh());
    }

    private static byte[] Pixel(Image image, int x, int y) => image.Data[(((y * image.Width) + x) * 3)..(((y * image.Width) + x + 1) * 3)];

    private string[] Files() => [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path))
        .Order(StringComparer.Ordinal)];

    private sealed record TestConfig : MethodConfig
    {
        public int Factor { get; init; } = 1;

        public override int Upscaling => Factor;

        public override int SizeMultiple => 1;

        public override Method Create(Device device) => throw new NotSupportedException();

        public override Module<Tensor, Tensor> CreateGenerator() => throw new NotSupportedException();
    }

    private sealed class Inverse : Module<Tensor, Tensor>
    {
        public override Tensor forward(Tensor input) => -input;
    }

    // The mean of each pixel and its right neighbour.
    private sealed class Leaning : Module<Tensor, Tensor>
    {
        public override Tensor forward(Tensor input)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return ((input + F.pad(input, [0, 1, 0, 0], "replicate")[TensorIndex.Ellipsis, 1..]) / 2).MoveToOuterDisposeScope();
        }
    }

    private sealed class Counting : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> inner;

        public Counting(Module<Tensor, Tensor> inner) => this.inner = register_module("inner", inner);

        public int Calls { get; set; }

        public override Tensor forward(Tensor input)
        {
            Calls++;
            return inner.forward(input);
        }
    }

    // A bridge whose network looks at single pixels.
    private sealed class PixelwiseBridge : INetworkExecutor
    {
        public bool NormalizesByImage => false;

        public string Precision => "test";

        public NetworkOutput Run(NetworkInput input) => new(input.Source);

        public ImageBatch Predict(ImageBatch state, double time, ImageBatch end) =>
            new(state.Count, state.Channels, state.Height, state.Width, Array.ConvertAll(state.Values, value => value * 0.3f));

        public void Dispose() { }
    }
}
