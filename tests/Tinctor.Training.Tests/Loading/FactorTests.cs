using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Tests.Loading;

/// <summary>Pairs whose targets are several times as large as their sources.</summary>
public class FactorTests : DataFolder
{
    [Theory, InlineData(4, 4), InlineData(5, 3)]
    public void Get_augmented_pair_shows_same_place(int factor, int channels)
    {
        PairedDataset data = Data(Enlarged(10, 9, factor, channels), new()
        {
            Factor = factor,
            Crop = 6 * factor,
            RandomCrop = true,
            HorizontalFlip = true,
            VerticalFlip = true,
            Rotate90 = true,
        });
        var seen = new HashSet<string>();
        using DisposeScope scope = torch.NewDisposeScope();
        for (int epoch = 0; epoch < 60; epoch++)
        {
            (Tensor source, Tensor target) = data.Get(0, epoch);
            Assert.Equal([channels, 6, 6], source.shape);
            Assert.True(torch.equal(source.repeat_interleave(factor, 1).repeat_interleave(factor, 2), target));
            seen.Add(string.Join(' ', source.ToArray<float>()));
        }
        Assert.InRange(seen.Count, 40, 60);
    }

    [Fact]
    public void Get_resize_and_crop_are_sizes_of_target()
    {
        PairedDataset data = Data(Enlarged(12, 12, 2, 3), new() { Factor = 2, Resize = 16, Crop = 8 });
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor source, Tensor target) = data.Get(0);
        Assert.Equal([3, 4, 4], source.shape);
        Assert.Equal([3, 8, 8], target.shape);
        Assert.Contains("multiples of the factor, 3",
            Assert.Throws<ArgumentException>(() => Data(data.Pairs[0], new() { Factor = 3, Crop = 8 })).Message);
    }

    [Theory]
    [InlineData(5, 4, "5 times as large. Use model.factor=5 with a method that has this setting.")]
    [InlineData(1, 4, "not 4 times as large (model.factor)")]
    public void Get_pair_of_other_factor_is_refused_with_both_sizes(int actual, int factor, string advice)
    {
        Pair pair = Enlarged(8, 6, actual, 3);
        string message = Assert.Throws<TinctorException>(() => Data(pair, new() { Factor = factor }).Get(0)).Message;
        Assert.Contains($"8x6 pixels, but its target {pair.Target} has {8 * actual}x{6 * actual}", message);
        Assert.Contains(advice, message);
        Assert.Contains(advice, Assert.Throws<TinctorException>(() => PairVerification.Check([pair], factor: factor)).Message);
    }

    private static PairedDataset Data(Pair pair, PairTransform transform) => new([pair], transform);

    // A target that repeats every pixel of the source.
    private Pair Enlarged(int width, int height, int factor, int channels)
    {
        Image source = Noise(width, height, 7, channels), target = new(width * factor, height * factor, channels);
        for (int i = 0; i < target.Data.Length; i++)
        {
            (int c, int x, int y) = (i % channels, i / channels % target.Width / factor, i / channels / target.Width / factor);
            target.Data[i] = source.Data[(((y * width) + x) * channels) + c];
        }
        source.Write(At("source.tif"));
        target.Write(At("target.tif"));
        return new(At("source.tif"), At("target.tif"), "train", null, "s", PairLayout.TwoFiles);
    }
}
