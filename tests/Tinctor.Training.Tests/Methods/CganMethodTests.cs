using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Cgan;

namespace Tinctor.Training.Tests.Methods;

/// <summary>The conditional GAN of the super-resolution paper.</summary>
[Collection(Alone.Name)]
public sealed class CganMethodTests
{
    private static readonly CganConfig Tiny = new() { InputChannels = 4, Factor = 4, Width = 8, Depth = 2, Ndf = 8 };

    [Theory, InlineData(1, 2), InlineData(4, 4), InlineData(5, 4)]
    public void TrainStep_is_finite_and_stains_sources_of_any_size(int factor, int channels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        CganConfig config = Tiny with { Factor = factor, InputChannels = channels };
        using Method method = config.Create(Device.CPU);
        (long side, long crop) = (Math.Max(24 / factor, 8), Math.Max(24 / factor, 8) * factor);
        (Tensor source, Tensor target) = (torch.randn([2, channels, side, side]), torch.randn([2, 3, crop, crop]));
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(source, target);
        Assert.Equal(["D_fake", "D_real", "G_GAN", "G_L1"], losses.Keys.Order(StringComparer.Ordinal));
        Assert.All(losses.Values, loss => Assert.True(double.IsFinite(loss.item())));
        using Stainer stainer = TrainedModel.CreateStainer(method.Generator, config, Device.CPU);
        ImageBatch stained = stainer.Stain(new ImageBatch(1, channels, 13, 7));
        Assert.Equal((1, 3, 13 * factor, 7 * factor), (stained.Count, stained.Channels, stained.Height, stained.Width));
    }

    [Fact]
    public void Train_learns_one_pair()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        using Method method = (Tiny with { Lr = 4e-3 }).Create(Device.CPU);
        // Soft blobs of autofluorescence, and what a stain that follows its channels would look like.
        Tensor fine = F.interpolate(torch.randn([2, 4, 5, 5]), size: (48, 48), mode: "bilinear");
        Tensor source = F.avg_pool2d(fine, 4), target = (fine[.., ..3] * 2).tanh();
        double[] l1 = [.. Enumerable.Range(0, 100).Select(_ => method.TrainStep(source, target)["G_L1"].item())];
        Assert.True(l1[^5..].Average() < 0.5 * l1[..5].Average(), $"from {l1[..5].Average():F1} to {l1[^5..].Average():F1}");
    }

    [Fact]
    public void TrainStep_is_independent_of_light_and_gain()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor source = torch.randn([2, 4, 8, 8]), target = torch.randn([2, 3, 32, 32]);
        double[] plain = Losses(source), dim = Losses((source * 0.01) - 0.9);
        for (int i = 0; i < plain.Length; i++) Assert.Equal(plain[i], dim[i], 1e-3 * plain[i]);

        double[] Losses(Tensor seen)
        {
            torch.manual_seed(3);
            using Method method = Tiny.Create(Device.CPU);
            return [.. method.TrainStep(seen, target).Values.Select(loss => loss.item())];
        }
    }

    [Fact]
    public void Load_crop_too_small_or_no_multiple_of_factor_is_refused()
    {
        Assert.Equal((128, 160), (new CganConfig { Factor = 4 }.SmallestCrop, new CganConfig { Factor = 5 }.SmallestCrop));
        Assert.Contains("multiple of 5", Refused("model.factor=5"));
        Assert.Contains("at least 160", Refused("model.factor=5", "data.crop_size=80"));
        Assert.IsType<CganConfig>(ConfigFile.Load(null, "cgan", ["model.factor=5", "data.crop_size=160"]).Model);

        static string Refused(params string[] settings) =>
            Assert.Throws<TinctorException>(() => ConfigFile.Load(null, "cgan", settings)).Message;
    }
}
