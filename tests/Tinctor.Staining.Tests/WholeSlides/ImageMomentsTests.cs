using Tinctor.Staining.Execution;
using Tinctor.Staining.WholeSlides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Networks;

namespace Tinctor.Staining.Tests.WholeSlides;

[Collection(Alone.Name)]
public sealed class ImageMomentsTests
{
    [Fact]
    public void Run_with_own_moments_of_image_gives_same_output()
    {
        torch.manual_seed(2);
        using var executor = new TorchExecutor(Normalizing(), byBatch: true, Device.CPU, owned: true);
        Assert.True(executor.NormalizesByImage);
        ImageBatch image = Random(1, 3, 20, 24, 0);
        NetworkOutput plain = executor.Run(new(image)),
            recorded = executor.Run(new(image) { Normalization = NormalizationContext.Recorded });
        Assert.Equal(4, recorded.Moments![0].Layers.Count);
        NormalizationContext moments = NormalizationContext.Use(recorded.Moments);
        Close(plain.Image, recorded.Image);
        Close(plain.Image, executor.Run(new(image) { Normalization = moments }).Image);
        // Another image under the same moments is an affine map of it: it keeps its own mean.
        ImageBatch other = new(1, 3, 20, 24, Array.ConvertAll(image.Values, value => value + 3));
        Assert.True(Difference(executor.Run(new(other) { Normalization = moments }).Image, plain.Image) > 0.1);
        Close(plain.Image, executor.Run(new(image)).Image);
    }

    [Fact]
    public void Run_halves_with_pooled_moments_equals_whole_image()
    {
        using var executor = new TorchExecutor(new InstanceNorm2d(2), byBatch: false, Device.CPU, owned: true);
        ImageBatch left = Random(1, 2, 16, 16, 3), right = Random(1, 2, 16, 16, 4);
        for (int i = 0; i < right.Values.Length; i++) right.Values[i] = 2 + (3 * right.Values[i]);
        var whole = new ImageBatch(1, 2, 16, 32);
        for (int row = 0; row < 32; row++)
        {
            left.Values.AsSpan(row * 16, 16).CopyTo(whole.Values.AsSpan(row * 32));
            right.Values.AsSpan(row * 16, 16).CopyTo(whole.Values.AsSpan((row * 32) + 16));
        }
        ImageBatch expected = executor.Run(new(whole)).Image;
        ImageMoments pooled = ImageMoments.Pool([.. new[] { left, right }.Select(half =>
            executor.Run(new(half) { Normalization = NormalizationContext.Recorded }).Moments![0])]);
        foreach ((int side, ImageBatch half) in new[] { left, right }.Index())
        {
            ImageBatch result = executor.Run(new(half) { Normalization = NormalizationContext.Use([pooled]) }).Image;
            for (int i = 0; i < result.Values.Length; i++)
                Assert.Equal(expected.Values[(i / 16 * 32) + (16 * side) + (i % 16)], result.Values[i], 1e-5);
        }
    }

    [Fact]
    public void Run_on_several_threads_keeps_moments_of_each_call()
    {
        torch.manual_seed(2);
        using var executor = new TorchExecutor(Normalizing(), byBatch: true, Device.CPU, owned: true);
        ImageBatch image = Random(1, 3, 24, 24, 1);
        NormalizationContext[] contexts = [.. Enumerable.Range(5, 4).Select(seed => NormalizationContext.Use(
            executor.Run(new(Random(1, 3, 24, 24, seed)) { Normalization = NormalizationContext.Recorded }).Moments!))];
        float[][] expected = [.. contexts.Select(context => executor.Run(new(image) { Normalization = context }).Image.Values)];
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            float[] result = executor.Run(new(image) { Normalization = contexts[i % 4] }).Image.Values;
            for (int k = 0; k < result.Length; k++) Assert.Equal(expected[i % 4][k], result[k], 1e-5);
        });
    }

    [Fact]
    public void Smooth_averages_neighbours_and_repeats_edges()
    {
        // Kernelized instance normalisation, eq. 3 and 4, over a table padded by replication, with a constant kernel.
        var kernel = new KernelMoments(1, step: 1, gaussian: false, rows: 3, columns: 4);
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 4; column++)
                kernel.Add(new(row, column), new([([Mean(row, column)], [Deviation(row, column) * Deviation(row, column)])]));
        foreach ((int row, int column) in new[] { (1, 1), (0, 0), (2, 3), (1, 0) })
        {
            (float mean, float deviation) = (0, 0);
            for (int y = row - 1; y <= row + 1; y++)
            {
                for (int x = column - 1; x <= column + 1; x++)
                {
                    (int near, int beside) = (Math.Clamp(y, 0, 2), Math.Clamp(x, 0, 3));
                    (mean, deviation) = (mean + (Mean(near, beside) / 9), deviation + (Deviation(near, beside) / 9));
                }
            }
            (float[] m, float[] v) = kernel.Smooth(new(row, column)).Layers[0];
            Assert.Equal(mean, m[0], 1e-5f);
            Assert.Equal(deviation * deviation, v[0], 1e-4f);
        }

        static float Mean(int row, int column) => row + (0.3f * column * column);
        static float Deviation(int row, int column) => 1 + (0.2f * row * column);
    }

    [Fact]
    public void Smooth_on_coarse_grid_interpolates_linear_changes()
    {
        var kernel = new KernelMoments(1, step: 2, gaussian: false, rows: 9, columns: 9);
        Tile[] tiles = [.. Enumerable.Range(0, 81).Select(i => new Tile(i / 9, i % 9))];
        Tile[] measured = [.. kernel.Measured(tiles)];
        Assert.Equal(25, measured.Length);
        foreach (Tile tile in measured) kernel.Add(tile, Moments(tile));
        foreach (Tile tile in tiles.Where(tile => tile.Row is > 0 and < 8 && tile.Column is > 0 and < 8))
            Assert.Equal(Moments(tile).Layers[0].Mean[0], kernel.Smooth(tile).Layers[0].Mean[0], 1e-4f);

        static ImageMoments Moments(Tile tile) => new([([tile.Row + (0.5f * tile.Column)], [4f])]);
    }

    [Fact]
    public void Measured_includes_tiles_far_from_the_grid()
    {
        var kernel = new KernelMoments(1, step: 2, gaussian: false, rows: 9, columns: 9);
        // (1, 1) has a tile of the grid beside it, (5, 5) has none.
        Assert.Equal([new(0, 0), new(5, 5)], kernel.Measured([new(0, 0), new(1, 1), new(5, 5)]));
        kernel.Add(new(0, 0), new([([1f], [1f])]));
        kernel.Add(new(5, 5), new([([7f], [1f])]));
        Assert.Equal(1, kernel.Smooth(new(1, 1)).Layers[0].Mean[0], 1e-6);
        Assert.Equal(7, kernel.Smooth(new(5, 5)).Layers[0].Mean[0], 1e-6);
    }

    [Fact]
    public void KernelMoments_ignore_background_and_drop_distant_rows()
    {
        var kernel = new KernelMoments(1, step: 1, gaussian: true, rows: 9, columns: 1);
        kernel.Add(new(0, 0), new([([1f], [1f])]));
        kernel.Add(new(5, 0), new([([4f], [9f])]));
        Assert.Equal(4, kernel.Smooth(new(4, 0)).Layers[0].Mean[0], 1e-6);
        Assert.Equal(9, kernel.Smooth(new(5, 0)).Layers[0].Variance[0], 1e-5);
        Assert.Equal(1, kernel.Smooth(new(1, 0)).Layers[0].Mean[0], 1e-6);
        kernel.RemoveAbove(2);
        Assert.ThrowsAny<Exception>(() => kernel.Smooth(new(1, 0)));
    }

    [Fact]
    public void MeasureRadius_of_convolution_is_its_radius()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        ImageBatch tile = Random(1, 1, 96, 96, 6);
        using var wide = new Conv2d(1, 1, 21, padding: 10);
        init.constant_(wide.weight, 1);
        Assert.InRange(ReceptiveField.MeasureRadius(tile, image => Forward(wide, image)), 8, 10);
        Assert.Equal(0, ReceptiveField.MeasureRadius(tile, image => new(1, 1, 96, 96, Array.ConvertAll(image.Values, value => value * 2))));
        // For a network that enlarges, in pixels of the source.
        using var twice = new Upsample(scale_factor: 2);
        Assert.InRange(ReceptiveField.MeasureRadius(tile, image => Forward(twice, Forward(wide, image))), 8, 10);

        static ImageBatch Forward(Module<Tensor, Tensor> network, ImageBatch image)
        {
            using var executor = new TorchExecutor(network, byBatch: false, Device.CPU);
            return executor.Run(new(image)).Image;
        }
    }

    [Fact]
    public void Restore_reverts_each_of_eight_different_orientations()
    {
        var image = new ImageBatch(1, 2, 3, 4, [.. Enumerable.Range(0, 24).Select(i => (float)i)]);
        ImageBatch[] oriented = [.. Enumerable.Range(0, 8).Select(orientation => Orientations.Apply(image, orientation))];
        foreach ((int orientation, ImageBatch one) in oriented.Index())
            Assert.Equal(image.Values, Orientations.Restore(one, orientation).Values);
        Assert.Equal(8, oriented.Select(one => string.Join(',', one.Values) + one.Height).Distinct().Count());
    }

    private static Sequential Normalizing() => new(
        new ZScore(), new Conv2d(3, 6, 3, padding: 1), new InstanceNorm2d(6, affine: true), new SimAM(), new BatchNorm2d(6));

    private static ImageBatch Random(int count, int channels, int height, int width, int seed)
    {
        var random = new Random(seed);
        return new(count, channels, height, width,
            [.. Enumerable.Range(0, count * channels * height * width).Select(_ => random.NextSingle() - 0.5f)]);
    }

    private static double Difference(ImageBatch a, ImageBatch b) => a.Values.Zip(b.Values, (x, y) => (double)Math.Abs(x - y)).Average();

    private static void Close(ImageBatch expected, ImageBatch actual) =>
        Assert.All(expected.Values.Zip(actual.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
}
