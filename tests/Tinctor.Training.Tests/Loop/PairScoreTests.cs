using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;
using Tinctor.Training.Validation;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class PairScoreTests : DataFolder
{
    private static readonly Pair Labelled = new("a.png", "b.png", "val", "3+", "s", PairLayout.TwoFiles);

    [Fact]
    public void Psnr_and_ssim_of_known_images()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor target = torch.linspace(-1, 1, 3 * 16 * 16).view(1, 3, 16, 16);
        // An error of 0.2 in a range of 2: 10 log10(4 / 0.04) dB.
        Assert.Equal(20, Create(BestScore.Psnr).Compute(target + 0.2, target, Labelled), 1e-4);
        Assert.Equal(1, Create(BestScore.Ssim).Compute(target, target, Labelled), 1e-6);
        Assert.InRange(Create(BestScore.Ssim).Compute(target.neg(), target, Labelled), -1, 0.9);
    }

    [Fact]
    public void Dab_is_difference_of_mean_optical_density_at_any_place()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor amounts = torch.zeros([1, 3, 16, 16]);
        amounts[.., 2.., ..8].fill_(0.05);
        Tensor Image(Tensor stains) => new StainSeparation(StainMatrix.HaematoxylinEosinDab).Combine(stains) * 2 - 1;
        PairScore dab = Create(BestScore.Dab);
        Assert.True(dab.LowerIsBetter);
        Assert.Equal(0, dab.Compute(Image(amounts.flip([2])), Image(amounts), Labelled), 1e-4);
        // Half of the image has 0.05 units of 6 optical densities.
        Assert.Equal(0.15, dab.Compute(Image(torch.zeros([1, 3, 16, 16])), Image(amounts), Labelled), 1e-3);
    }

    [Fact]
    public void Lpips_is_sum_of_layers_of_named_files()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        using var network = new LpipsNetwork(LpipsNet.Squeeze);
        SafeTensors.Save(At("trunk.safetensors"), network.state_dict().Where(pair => pair.Key.StartsWith("trunk."))
            .ToDictionary(pair => "features." + pair.Key["trunk.".Length..], pair => pair.Value));
        SafeTensors.Save(At("lin.safetensors"), network.state_dict().Where(pair => pair.Key.StartsWith("lin"))
            .ToDictionary(pair => pair.Key.Replace(".weight", ".model.1.weight"), pair => pair.Value.abs()));
        var files = new TrainingConfig
        {
            LpipsNetwork = LpipsNet.Squeeze,
            LpipsTrunk = At("trunk.safetensors"),
            LpipsLin = At("lin.safetensors"),
        };
        using PairScore lpips = Create(BestScore.Lpips, files);
        Tensor target = torch.rand([1, 3, 32, 32]) * 2 - 1;
        Assert.Equal(0, lpips.Compute(target, target, Labelled), 1e-9);
        double near = lpips.Compute(target * 0.95, target, Labelled), far = lpips.Compute(target.neg(), target, Labelled);
        Assert.InRange(near, 1e-9, far);
        Assert.True(lpips.LowerIsBetter);
        Assert.Contains("not the weights of LPIPS with alex", Assert.Throws<TinctorException>(() =>
            Create(BestScore.Lpips, files with { LpipsNetwork = LpipsNet.Alex })).Message);
    }

    [Fact]
    public void Level_and_features_use_named_classifier()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor target = torch.rand([1, 3, 64, 64]) * 2 - 1;
        string folder = Classifier(["0", "3+"], predicted: 1);
        using PairScore level = Create(BestScore.Level, new() { LevelClassifier = folder });
        Assert.Equal(1, level.Compute(target, target, Labelled));
        Assert.Equal(0, level.Compute(target, target, Labelled with { Label = "0" }));
        Assert.False(level.Takes(Labelled with { Label = null }));

        using PairScore features = Create(BestScore.Features, new() { FeatureNetwork = folder });
        Assert.Equal(1, features.Compute(target, target, Labelled), 1e-5);
        Assert.InRange(features.Compute(target.neg(), target, Labelled), -1, 0.9999);

        Assert.Contains("has no class 2+", Assert.Throws<TinctorException>(() =>
            PairScore.Create(Config(BestScore.Level, new() { LevelClassifier = folder }), [Labelled with { Label = "2+" }], Device.CPU))
            .Message);
        Assert.Contains("no validation pair has one", Assert.Throws<OptionException>(() =>
            PairScore.Create(Config(BestScore.Level, new() { LevelClassifier = folder }), [Labelled with { Label = null }], Device.CPU))
            .Message);
    }

    [Theory]
    [InlineData(BestScore.Lpips, "needs the weights of LPIPS"), InlineData(BestScore.Level, "needs a classifier")]
    [InlineData(BestScore.Features, "needs a network")]
    public void Create_without_files_names_settings(BestScore best, string problem)
    {
        var error = Assert.Throws<OptionException>(() => Create(best));
        Assert.Contains(problem, error.Message);
        Assert.Contains("training.", error.Remedy);
        Assert.Equal("Best", error.Option);
    }

    [Fact]
    public void Create_for_other_channels_or_small_crops_is_refused()
    {
        RunConfig config = ConfigFile.Load(null, "cgan", ["model.output_channels=1", "training.best=dab"]);
        Assert.Contains("needs RGB targets", Assert.Throws<OptionException>(() => PairScore.Create(config, [], Device.CPU)).Message);
        config = ConfigFile.Load(null, "pix2pix", ["training.best=ssim"]);
        config = config with { Data = config.Data with { CropSize = 8 } };
        Assert.Contains("a window of 11 pixels", Assert.Throws<OptionException>(() => PairScore.Create(config, [], Device.CPU)).Message);
    }

    [Theory]
    [InlineData(0, 7), InlineData(3, 3), InlineData(9, 7)]
    public void Select_takes_evenly_spaced_pairs(int count, int expected)
    {
        Pair[] pairs = [.. Enumerable.Range(0, 7).Select(i => Labelled with { Source = $"{i}.png" })];
        IReadOnlyList<Pair> selected = Preview.Select(pairs, new PsnrScore(), count);
        Assert.Equal(expected, selected.Count);
        if (count == 3) Assert.Equal(["0.png", "2.png", "4.png"], selected.Select(pair => pair.Source));
    }

    private static PairScore Create(BestScore best, TrainingConfig? training = null) =>
        PairScore.Create(Config(best, training ?? new()), [Labelled], Device.CPU);

    private static RunConfig Config(BestScore best, TrainingConfig training) => new() { Training = training with { Best = best } };

    private string Classifier(string[] classes, int predicted)
    {
        torch.manual_seed(2);
        using ResNet network = ResNet.Create("resnet18", classes.Length);
        var last = network.modules().OfType<Linear>().Last();
        using (torch.no_grad()) last.bias![predicted..(predicted + 1)].fill_(1000);
        var record = new TrainingRecord("id", 0, 0, 1, 1, 1, "accuracy", null, "", 1, 0, [], [], [], "test");
        SupervisedModel.Write(At("classifier"), new ClassifierCard(record, "resnet18", classes, "target", "evaluator", 0, 0,
            Tinctor.Training.Classification.Classifier.Mean, Tinctor.Training.Classification.Classifier.Std, null, null), network);
        return At("classifier");
    }
}
