using Tinctor.Data;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public class DeReStainerMethodTests
{
    private static readonly DeReStainerConfig Small = new() { Ngf = 4, Ndf = 4, NBlocks = 2 };

    /// <summary>Every loss of a step is the one that its formula gives, and the sum is weighted as in the paper.</summary>
    [Fact]
    public void TrainStep_losses_and_weights_equal_paper()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using var method = new DeReStainerMethod(Small, Device.CPU);
        var netG = (DeReStainerGenerator)method.Generator;
        (Tensor source, Tensor target) = (Images(), Images());
        var (stained, logits, feature) = netG.Run(source);
        var expected = new Dictionary<string, double>
        {
            ["H"] = CosineLoss.Compute(netG.f_H(feature), netG.f_H(netG.Encode(netG.Haematoxylin(target)))).item(),
            ["DAB"] = F.l1_loss(Dab(stained), Dab(target)).item(),
            ["mae"] = (stained - target).abs().mean().item(),
            ["ssim"] = SsimLoss.Compute(stained, target).item(),
            ["level"] = FocalLoss.Compute(logits, torch.tensor<long>([3, 0])).item(),
        };
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(source, target, ["3+", "0"]);
        foreach ((string name, double value) in expected) Assert.Equal(value, losses[name].item(), 1e-5);
        Assert.Equal(["DAB", "D_fake", "D_real", "GAN", "H", "level", "mae", "ssim"], losses.Keys.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(losses.Values, loss => loss.requires_grad);

        Tensor Dab(Tensor image) => Small.Separation.Project((image + 1) / 2, 2) * 2 - 1;
    }

    /// <summary>Each loss alone moves its own part, and leaves the parts behind other losses alone.</summary>
    [Theory]
    [InlineData("H", "f_H", "level"), InlineData("level", "level", "f_H"), InlineData("mae", "restainer", "f_H")]
    public void TrainStep_loss_trains_its_own_part_only(string loss, string moving, string resting)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(4);
        double Weight(string name, double weight) => name == loss ? weight : 0;
        using var method = new DeReStainerMethod(Small with
        {
            LambdaDab = 0,
            LambdaSsim = 0,
            LambdaGan = 0,
            LambdaH = Weight("H", 1),
            LambdaLevel = Weight("level", 5),
            LambdaMae = Weight("mae", 10),
            WeightDecay = 0,
        }, Device.CPU);
        Dictionary<string, Tensor> before = method.Generator.named_parameters()
            .ToDictionary(p => p.name, p => p.parameter.detach().clone());
        Assert.Contains(loss, method.TrainStep(Images(), Images(), ["1+", "3+"]).Keys);
        double Moved(string part) => method.Generator.named_parameters().Where(p => p.name.StartsWith(part + ".", StringComparison.Ordinal))
            .Max(p => (p.parameter - before[p.name]).abs().max().item());
        Assert.True(Moved(moving) > 0);
        Assert.Equal(0, Moved(resting));
    }

    [Fact]
    public void Weights_are_sums_by_default_and_products_on_request()
    {
        var sums = new DeReStainerConfig();
        Assert.Equal((1, 1), (sums.StainWeight, sums.ContentWeight));
        DeReStainerConfig products = sums with { Weighting = "published-product" };
        Assert.Equal((2, 13), (products.StainWeight, products.ContentWeight));
        Assert.Equal((0, 26), ((products with { LambdaStain = 0 }).StainWeight, (products with { LambdaContent = 2 }).ContentWeight));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void RemarkOnBatch_warns_of_batches_that_cannot_teach_the_level(int batch, bool warns)
    {
        Assert.Equal(warns, new DeReStainerConfig().RemarkOnBatch(batch)?.Contains("training.batch_size=4") ?? false);
        Assert.Null((new DeReStainerConfig() with { LambdaLevel = 0 }).RemarkOnBatch(batch));
        Assert.Equal(4, RunConfig.Methods["derestainer"].Training.BatchSize);
    }

    [Theory]
    [InlineData("literal"), InlineData("stop-gradient"), InlineData("centred"), InlineData("infonce")]
    public void TrainStep_alignment_is_that_of_configuration(string alignment)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using var method = new DeReStainerMethod(Small with { Alignment = alignment, AlignmentTemperature = 0.2 }, Device.CPU);
        var netG = (DeReStainerGenerator)method.Generator;
        (Tensor source, Tensor target) = (Images(), Images());
        Tensor own = netG.f_H(netG.Run(source).Feature), other = netG.f_H(netG.Encode(netG.Haematoxylin(target)));
        double expected = AlignmentLoss.Compute(alignment, own, other, 0.2).item();
        Assert.Equal(expected, method.TrainStep(source, target)["H"].item(), 1e-5);
    }

    /// <summary>Logged with the validation score, so that a collapse of L_H is seen; measuring changes nothing.</summary>
    [Fact]
    public void Measure_gives_retrieval_of_features_and_keeps_network()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(4);
        using var method = new DeReStainerMethod(Small, Device.CPU);
        var before = method.Generator.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone());
        (Tensor Source, Tensor Target)[] pairs = [.. Enumerable.Range(0, 10).Select(_ => torch.rand([3, 64, 64]) * 2 - 1)
            .Select(image => (image, image))];
        IReadOnlyDictionary<string, double> scores = method.Measure(pairs);
        Assert.Equal(["H_paired", "H_top1", "H_unpaired"], scores.Keys.Order(StringComparer.Ordinal));
        Assert.InRange(scores["H_top1"], 0.1, 1);
        Assert.InRange(scores["H_unpaired"], -1, scores["H_paired"]);
        foreach ((string name, Tensor value) in method.Generator.state_dict()) Assert.True(torch.equal(before[name], value), name);
        Assert.Empty(method.Measure(pairs[..1]));
        using var without = new DeReStainerMethod(Small with { LambdaStain = 0 }, Device.CPU);
        Assert.False(without.Measures);
    }

    [Fact]
    public void TrainStep_ignores_unlabelled_pairs_in_level_loss()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(5);
        using var method = new DeReStainerMethod(Small, Device.CPU);
        (Tensor source, Tensor target) = (Images(), Images());
        Tensor logits = ((DeReStainerGenerator)method.Generator).Run(source).Logits;
        double expected = FocalLoss.Compute(logits[1..], torch.tensor<long>([2])).item();
        Assert.Equal(expected, method.TrainStep(source, target, [null, "2+"])["level"].item(), 1e-5);
        Assert.DoesNotContain("level", method.TrainStep(source, target, [null, null]).Keys);
        Assert.DoesNotContain("level", method.TrainStep(source, target).Keys);
    }

    /// <summary>The IHC image must not shift the statistics by which H&amp;E images are normalised when staining.</summary>
    [Fact]
    public void TrainStep_updates_running_statistics_from_source_only()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor source, Tensor target) = (Images(), Images());
        double[] Statistics(DeReStainerConfig config, Tensor target)
        {
            torch.manual_seed(6);
            using var method = new DeReStainerMethod(config, Device.CPU);
            method.TrainStep(source, target);
            Assert.True(method.Generator.training);
            return [.. method.Generator.named_buffers().Where(b => b.name.StartsWith("destainer.") && b.name.EndsWith("running_mean"))
                .SelectMany(b => b.buffer.ToArray<float>()).Select(x => (double)x)];
        }
        Assert.Equal(Statistics(Small with { LambdaStain = 0 }, target), Statistics(Small, target * 0.2));
    }

    [Theory]
    [InlineData("block", "logits", "transpose", Norm.Instance, GanMode.Lsgan, true, 2)]
    [InlineData("branch", "probabilities", "resize", Norm.Batch, GanMode.Vanilla, false, 1)]
    public void TrainStep_of_every_option_is_finite(
        string simam, string style, string upsample, Norm norm, GanMode gan, bool conditional, int discriminators)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(8);
        using var method = new DeReStainerMethod(Small with
        {
            Simam = simam,
            Style = style,
            Upsample = upsample,
            NormD = norm,
            GanMode = gan,
            Conditional = conditional,
            NumD = discriminators,
        }, Device.CPU);
        for (int step = 0; step < 2; step++)
        {
            foreach (Tensor loss in method.TrainStep(Images(), Images(), ["0", "3+"]).Values) Assert.True(double.IsFinite(loss.item()));
        }
        Assert.All(method.Generator.parameters(), parameter => Assert.True(double.IsFinite(parameter.sum().item())));
    }

    [Fact]
    public void TrainStep_black_and_white_images_keep_weights_finite()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(9);
        using var method = new DeReStainerMethod(Small, Device.CPU);
        Tensor white = torch.ones([2, 3, 64, 64]);
        method.TrainStep(white, -white, ["0", "0"]);
        method.TrainStep(-white, white, ["0", "0"]);
        Assert.All(method.Generator.parameters(), parameter => Assert.True(double.IsFinite(parameter.sum().item())));
    }

    [Fact]
    public void RemarkOnBatch_contrastive_alignment_of_single_pairs_warns()
    {
        DeReStainerConfig contrastive = Small with { Alignment = "infonce" };
        Assert.Contains("L_H is 0 with one pair", contrastive.RemarkOnBatch(1));
        Assert.DoesNotContain("L_H is 0", contrastive.RemarkOnBatch(2));
        Assert.Null((contrastive with { LambdaH = 0, LambdaLevel = 0 }).RemarkOnBatch(1));
    }

    [Fact]
    public void Level_loss_with_style_by_feature_and_weights_equals_focal_loss_of_logits()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(5);
        DeReStainerConfig config = Small with { Style = "feature", Fusion = "bcistainer", LevelWeights = [0.5, 0.2, 0.2, 0.1] };
        using var method = new DeReStainerMethod(config, Device.CPU);
        (Tensor source, Tensor target) = (Images(), Images());
        Tensor logits = ((DeReStainerGenerator)method.Generator).Run(source).Logits.narrow(1, 0, 4);
        double expected = FocalLoss.Compute(logits, torch.tensor<long>([0, 3]), 2, config.LevelWeights).item();
        Assert.Equal(expected, method.TrainStep(source, target, ["0", "3+"])["level"].item(), 1e-5);
        Assert.Contains("model.level_weights is 1, expected", Assert.Throws<TinctorException>(() =>
            (Small with { LevelWeights = [1] }).Remarks([], [])).Message);
    }

    [Fact]
    public void Remarks_name_disabled_losses()
    {
        Pair[] Pairs(params string?[] labels) =>
            [.. labels.Select((label, i) => new Pair($"{i}", "t", "train", label, $"{i}", PairLayout.TwoFiles))];
        Assert.Contains(Small.Remarks(Pairs(null, null), []), remark => remark.Contains("L_level is disabled"));
        Assert.Contains(Small.Remarks(Pairs("0", null), []), remark => remark.Contains("1 of 2 pairs have no IHC level"));
        Assert.Equal(["no comparator"], Small.Remarks(Pairs("0", "3+"), []).Select(remark => remark[..13]));
        Assert.Contains("expected one of model.levels", Assert.Throws<TinctorException>(() => Small.Remarks(Pairs("4+"), [])).Message);
        Assert.Empty((Small with { LambdaCmp = 0 }).Remarks(Pairs("0", "1+"), []));
    }

    private static Tensor Images() => torch.rand([2, 3, 64, 64]) * 2 - 1;
}
