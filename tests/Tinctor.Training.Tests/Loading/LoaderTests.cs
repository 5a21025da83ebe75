using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;

namespace Tinctor.Training.Tests.Loading;

public class LoaderTests : DataFolder
{
    private static readonly PairTransform Everything = new()
    {
        Crop = 12,
        RandomCrop = true,
        HorizontalFlip = true,
        VerticalFlip = true,
        Rotate90 = true,
        Jitter = new(),
    };

    [Fact]
    public void Get_scales_pixels_to_minus_one_to_one_channels_first()
    {
        Write("train/a.png", 10, 4);
        Image image = Image.Read(At("train/a.png"));
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor source, Tensor target) = Data(new()).Get(0);
        Assert.Equal([3, 4, 5], source.shape);
        for (int i = 0; i < 60; i++)
        {
            (int c, int y, int x) = (i / 20, i / 5 % 4, i % 5);
            Assert.Equal(((image.Data[(((y * 10) + x) * 3) + c] / 255f) - 0.5f) / 0.5f, source.data<float>()[i]);
            Assert.Equal(((image.Data[(((y * 10) + 5 + x) * 3) + c] / 255f) - 0.5f) / 0.5f, target.data<float>()[i]);
        }
    }

    [Fact]
    public void Get_reads_16_bit_four_channels()
    {
        var image = new Image(8, 4, 4, SampleType.UInt16);
        image.Samples16.Fill(65535);
        Directory.CreateDirectory(At("train"));
        image.Write(At("train/a.tif"));
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor source, _) = Data(new()).Get(0);
        Assert.Equal([4, 4, 4], source.shape);
        Assert.All(source.ToArray<float>(), value => Assert.Equal(1, value));
    }

    [Fact]
    public void Get_turns_both_images_alike_in_all_eight_orientations()
    {
        WriteTwins(3);
        PairedDataset data = Data(new() { HorizontalFlip = true, VerticalFlip = true, Rotate90 = true });
        var seen = new HashSet<string>();
        using DisposeScope scope = torch.NewDisposeScope();
        for (int epoch = 0; epoch < 100; epoch++)
        {
            (Tensor source, Tensor target) = data.Get(0, epoch);
            Assert.Equal(source.ToArray<float>(), target.ToArray<float>());
            seen.Add(string.Join(' ', source.ToArray<float>()));
        }
        Assert.Equal(8, seen.Count);
    }

    [Fact]
    public void Get_distorts_both_images_alike_and_the_same_in_every_run()
    {
        WriteTwins(16);
        PairedDataset distorted = Data(new() { Distortion = 1, ResizedCrop = 0.5 }), plain = Data(new());
        using DisposeScope scope = torch.NewDisposeScope();
        for (int epoch = 0; epoch < 10; epoch++)
        {
            (Tensor source, Tensor target) = distorted.Get(0, epoch);
            Assert.Equal(source.ToArray<float>(), target.ToArray<float>());
            Assert.Equal(source.ToArray<float>(), Data(distorted.Transform).Get(0, epoch).Source.ToArray<float>());
            Assert.NotEqual(source.ToArray<float>(), plain.Get(0, epoch).Source.ToArray<float>());
        }
    }

    // A target that repeats the source shows every difference in geometry.
    private void WriteTwins(int side)
    {
        Image half = Noise(side, side, 5), both = new(2 * side, side, 3);
        for (int row = 0; row < side; row++)
        {
            Span<byte> samples = half.Data.AsSpan(row * side * 3, side * 3);
            samples.CopyTo(both.Data.AsSpan(row * side * 6));
            samples.CopyTo(both.Data.AsSpan((row * side * 6) + (side * 3)));
        }
        Directory.CreateDirectory(At("train"));
        both.Write(At("train/a.png"));
    }

    [Fact]
    public void Get_crops_centre_or_random_up_to_borders()
    {
        Write("train/a.png", 20, 10);
        Image image = Image.Read(At("train/a.png"));
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor centre, _) = Data(new() { Crop = 4 }).Get(0);
        Assert.Equal(((image.Data[((3 * 20) + 3) * 3] / 255f) - 0.5f) / 0.5f, centre.data<float>()[0]);
        PairedDataset random = Data(new() { Crop = 4, RandomCrop = true });
        Assert.Equal(49, Enumerable.Range(0, 1000).Select(epoch =>
            string.Join(" ", random.Get(0, epoch).Source.ToArray<float>())).Distinct().Count());
    }

    [Fact]
    public void Get_resizes_before_crop()
    {
        Write("train/a.png", 100, 50);
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.Equal([3, 256, 256], Data(PairTransform.Pix2Pix).Get(0).Source.shape);
        float first = Data(new() { Resize = 60 }).Get(0).Source.data<float>()[0];
        Assert.Equal(Image.Read(At("train/a.png")).Crop(0, 0, 50, 50).Resize(60, 60).Data[0], (byte)Math.Round((first + 1) * 127.5));
        Assert.Throws<ArgumentException>(() => Data(new() { Resize = 10, Crop = 20 }));
    }

    /// <summary>Sizes of get_transform in data/base_dataset.py of the official pix2pix, for images of 50x38 pixels.</summary>
    [Theory]
    [InlineData("resize_and_crop", 40, 32, 32, 32), InlineData("crop", 0, 32, 32, 32), InlineData("scale_width", 60, 16, 60, 44)]
    [InlineData("scale_width", 40, 64, 40, 64), InlineData("scale_width_and_crop", 60, 44, 44, 44), InlineData("none", 0, 256, 48, 40)]
    public void Preprocess_gives_official_sizes(string preprocess, int load, int crop, int width, int height)
    {
        Write("train/a.png", 100, 38);
        var config = new DataConfig { Preprocess = preprocess, LoadSize = load, CropSize = crop };
        PairedDataset data = Data(config.ResizeAndCrop(new CropRule(new Pix2PixConfig { Generator = "resnet_6blocks" }).NearestTo));
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor source, Tensor target) = data.Get(0);
        Assert.Equal([3, height, width], source.shape);
        Assert.Equal([3, height, width], target.shape);
    }

    [Fact]
    public void Order_is_another_permutation_in_each_epoch()
    {
        WriteMany();
        PairLoader loader = new(Data(new()), shuffle: true, seed: 3);
        Assert.Equal(Enumerable.Range(0, 20), loader.Order(0).Order());
        Assert.NotEqual(loader.Order(0), loader.Order(1));
        Assert.NotEqual(loader.Order(0), new PairLoader(loader.Dataset, shuffle: true, seed: 4).Order(0));
        Assert.Equal(loader.Order(7), new PairLoader(loader.Dataset, shuffle: true, seed: 3, workers: 3).Order(7));
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(4, 9, 0)]
    [InlineData(3, 2, 1 << 20)]
    [InlineData(2, 2, 2000)]
    public void Batches_are_independent_of_workers_prefetch_and_cache(int workers, int prefetch, long cacheBytes)
    {
        WriteMany();
        float[][] expected = Read(new PairLoader(Data(Everything), 3, shuffle: true, seed: 5, workers: 2), 2, 0);
        Assert.Equal(7, expected.Length);
        Assert.Equal(2 * 12 * 12 * 3 * 2, expected[6].Length); // the last two pairs
        var loader = new PairLoader(Data(Everything, cacheBytes), 3, shuffle: true, seed: 5, workers, prefetch);
        Assert.NotEqual(expected, Read(loader, 1, 0));
        Assert.Equal(expected, Read(loader, 2, 0));
        Assert.Equal(expected[4..], Read(loader, 2, 4));
        Assert.Empty(Read(loader, 2, 7));
    }

    [Fact]
    public void Ranks_have_equal_parts_of_each_batch_of_one_process()
    {
        WriteMany();
        string[][] one = [.. Names(1, 0)];
        Assert.Equal([6, 6, 6, 2], one.Select(batch => batch.Length));
        string[][][] ranks = [.. Enumerable.Range(0, 3).Select(rank => Names(3, rank).ToArray())];
        for (int i = 0; i < 3; i++) Assert.Equal(one[i], ranks.SelectMany(rank => rank[i]));
        // The last batch of two pairs begins again.
        Assert.Equal([one[3][0], one[3][1], one[3][0]], ranks.SelectMany(rank => rank[3]));

        IEnumerable<string[]> Names(int count, int rank)
        {
            var loader = new PairLoader(Data(Everything), 6, shuffle: true, seed: 5) { Rank = rank, Ranks = count };
            foreach (Batch batch in loader.Batches(epoch: 1))
                using (batch) yield return [.. batch.Pairs.Select(pair => pair.Name)];
        }
    }

    [Fact]
    public void Batch_tensors_outlive_open_scope()
    {
        WriteMany();
        Batch batch;
        using (torch.NewDisposeScope())
        {
            batch = new PairLoader(Data(Everything), 3).Batches(0).First();
        }
        Assert.Equal([3, 3, 12, 12], batch.Source.shape);
        Assert.Equal(["00", "01", "02"], batch.Pairs.Select(pair => pair.Name));
        batch.Dispose();
        Assert.True(batch.Source.IsDisposed && batch.Target.IsDisposed);
    }

    [Fact]
    public void Batches_damaged_file_throws_in_order_and_by_name()
    {
        WriteMany();
        PairedDataset data = Data(Everything);
        File.WriteAllText(At("train/04.png"), "no image");
        var loaded = new List<string>();
        string message = Assert.Throws<TinctorException>(() =>
        {
            foreach (Batch batch in new PairLoader(data, workers: 3).Batches(0))
            {
                loaded.Add(batch.Pairs[0].Name);
                batch.Dispose();
            }
        }).Message;
        Assert.Contains("04.png", message);
        Assert.Equal(["00", "01", "02", "03"], loaded);
    }

    [Fact]
    public void Batches_of_different_sizes_are_refused_by_name()
    {
        Write("train/a.png", 8, 8);
        Write("train/b.png", 16, 8);
        string message = Assert.Throws<TinctorException>(() => new PairLoader(Data(new()), 2).Batches(0).First()).Message;
        Assert.Contains("b.png: 8x8x3, but", message);
        Assert.Contains("smaller than the crop of 9", Assert.Throws<TinctorException>(() => Data(new() { Crop = 9 }).Get(0)).Message);
        Assert.Contains("need square images", Assert.Throws<TinctorException>(() => Data(new() { Rotate90 = true }).Get(0)).Message);
    }

    [Fact]
    public void Batches_cancelled_end_enumeration()
    {
        WriteMany();
        using var cancel = new CancellationTokenSource();
        int count = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (Batch batch in new PairLoader(Data(Everything), prefetch: 2, workers: 1).Batches(0, cancel: cancel.Token))
            {
                batch.Dispose();
                count++;
                cancel.Cancel();
            }
        });
        Assert.InRange(count, 1, 4);
    }

    [Fact]
    public void Get_with_jitter_changes_source_only()
    {
        Write("train/a.png", 32, 16);
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor plain, Tensor target) = Data(new()).Get(0);
        (Tensor source, Tensor sameTarget) = Data(new() { Jitter = new(0.1, 0.02) }).Get(0);
        Assert.Equal(target.ToArray<float>(), sameTarget.ToArray<float>());
        double difference = (source - plain).abs().mean().item();
        Assert.InRange(difference, 0.001, 0.3);
        Assert.InRange(source.abs().max().item(), 0, 1);
        (Tensor unchanged, _) = Data(new() { Jitter = new(0, 0) }).Get(0);
        Assert.InRange((unchanged - plain).abs().max().item(), 0, 1e-2);
    }

    private void WriteMany()
    {
        for (int i = 0; i < 20; i++) Write($"train/{i:00}.png", 32, 16, i);
    }

    private PairedDataset Data(PairTransform transform, long cacheBytes = 0) =>
        new(PairManifest.Read(Root).Pairs, transform, seed: 11, cacheBytes);

    private static float[][] Read(PairLoader loader, int epoch, int start)
    {
        var batches = new List<float[]>();
        foreach (Batch batch in loader.Batches(epoch, start))
        {
            using (batch)
            {
                Assert.Equal(start + batches.Count, batch.Index);
                batches.Add([.. batch.Source.ToArray<float>(), .. batch.Target.ToArray<float>()]);
            }
        }
        return [.. batches];
    }
}
