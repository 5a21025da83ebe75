using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;
using Tinctor.Training.Runs;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class BridgeMethodTests
{
    private static readonly DiffusionUnetOptions Small =
        new() { ModelChannels = 32, ChannelMult = [1, 2], NumResBlocks = 1, AttentionResolutions = [2] };

    private static readonly BbdmConfig Bbdm = new() { Network = Small, Steps = 20, MatcherWidth = 8 };
    private static readonly I2sbConfig I2sb = new() { Network = Small, Steps = 20 };

    public static TheoryData<BridgeConfig> Variants => new((BridgeConfig[])[
        Bbdm, Bbdm with { Loss = "l1", Objective = BridgeObjective.SourceMinusImage }, Bbdm with { Variant = BrownianVariant.Official },
        Bbdm with { Variant = BrownianVariant.Bbdm, Objective = BridgeObjective.Noise },
        Bbdm with { Variant = BrownianVariant.Bbdm, Growth = BridgeGrowth.Exponential, MaxVariance = 0.5 },
        I2sb, I2sb with { CondX1 = false }, I2sb with { OtOde = true }]);

    [Theory, MemberData(nameof(Variants))]
    public void TrainStep_of_every_variant_is_finite_and_stains(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        using Method method = config.Create(Device.CPU);
        Dictionary<string, Tensor> before = Weights(method);
        Assert.True(double.IsFinite(method.TrainStep(Source(), Target())["bridge"].item()));
        Assert.Contains(Weights(method), pair => !torch.equal(before[pair.Key], pair.Value));
        Tensor stained = ((BridgeGenerator)method.Generator).StainQuickly(Source());
        Assert.Equal([2, 3, 16, 16], stained.shape);
        Assert.InRange(stained.abs().max().item(), 0, 1);
    }

    /// <summary>Without learning, a step leaves the same network behind, and the same stained image, whatever the target is.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Stain_is_independent_of_target(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Dictionary<string, Tensor> Weights, Tensor Stained) After(Tensor target)
        {
            torch.manual_seed(2);
            using Method method = (config with { Lr = 0 }).Create(Device.CPU);
            method.TrainStep(Source(), target);
            return (Weights(method), ((BridgeGenerator)method.Generator).StainQuickly(Source()));
        }
        var (one, other) = (After(Target()), After(torch.ones([2, 3, 16, 16])));
        Assert.All(one.Weights, pair => Assert.True(torch.equal(pair.Value, other.Weights[pair.Key]), pair.Key));
        Assert.True(torch.equal(one.Stained, other.Stained));
    }

    [Theory, MemberData(nameof(Learners))]
    public void Stain_after_training_on_pair_reaches_target(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using Method method = (config with { Lr = 2e-3 }).Create(Device.CPU);
        Tensor source = torch.cat([Source(), Source()]), target = torch.cat([Target(), Target()]);
        for (int step = 0; step < 150; step++)
        {
            using DisposeScope temporaries = torch.NewDisposeScope();
            method.TrainStep(source, target);
        }
        var network = (BridgeGenerator)method.Generator;
        network.eval();
        double far = (Source() - Target()).abs().mean().item();
        foreach (BridgeSampling how in (BridgeSampling[])[new(), new() { Evaluations = 5, Solver = BridgeSolver.Extrapolated }])
        {
            double near = (network.Stain(Source(), how, Places()) - Target()).abs().mean().item();
            Assert.True(near < far / 3, $"{how.Solver}: {near} of {far}");
        }
    }

    public static TheoryData<BridgeConfig> Learners => new((BridgeConfig[])[Bbdm, I2sb, I2sb with { OtOde = true }]);

    [Theory, MemberData(nameof(Learners))]
    public void Stain_is_independent_of_batch_and_threads(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = Awake(config);
        Tensor both = network.Stain(Source(), new(), Places());
        Tensor turned = network.Stain(Source().flip([0]), new(), [.. Places().Reverse()]);
        torch.set_num_threads(1);
        Tensor alone = torch.cat([.. Enumerable.Range(0, 2).Select(i => network.Stain(Source()[i..(i + 1)], new(), [Places()[i]]))]);
        torch.set_num_threads(2);
        Assert.True(torch.allclose(both, alone, 1e-4, 1e-4));
        Assert.True(torch.allclose(both, turned.flip([0]), 1e-4, 1e-4));
    }

    /// <summary>A network that says nothing yet leaves noise and source alone, pixel by pixel.</summary>
    [Theory, MemberData(nameof(Learners))]
    public void Stain_crop_has_noise_of_its_place(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = config.CreateNetwork();
        Tensor source = FormulaWeights.Wave(0.02, 1, 3, 32, 32).to(ScalarType.Float32) * 0.1;
        Tensor whole = network.Stain(source, network.Config.DescribeBridge().Sampling, [new("a")]);
        Tensor crop = network.Stain(source[.., .., 16..32, 8..24], network.Config.DescribeBridge().Sampling, [new("a", Left: 8, Top: 16)]);
        Assert.True(torch.equal(whole[.., .., 16..32, 8..24], crop));
        Tensor elsewhere = network.Stain(source[.., .., 16..32, 8..24], network.Config.DescribeBridge().Sampling, [new("a")]);
        Assert.Equal(config.Noisy, !torch.equal(crop, elsewhere));
    }

    [Fact]
    public void Stain_same_seed_gives_same_pixels()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = Awake(Bbdm);
        Tensor Stain(NoiseOrigin place, int run = 0) => network.Stain(Source()[..1], new(), [place], run);
        Tensor first = Stain(new("a", Seed: 7));
        Assert.True(torch.equal(first, Stain(new("a", Seed: 7))));
        foreach (Tensor other in (Tensor[])
            [Stain(new("a", Seed: 8)), Stain(new("b", Seed: 7)), Stain(new("a", Seed: 7, Level: 1)), Stain(new("a", Seed: 7), run: 1)])
            Assert.True((first - other).abs().mean().item() > 1e-3);
    }

    [Fact]
    public void Stain_without_noise_in_training_has_none()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = Awake(I2sb with { OtOde = true });
        foreach (BridgeSolver solver in Enum.GetValues<BridgeSolver>())
        {
            BridgeSampling how = network.Config.DescribeBridge().Sampling with { Solver = solver };
            Assert.True(torch.equal(network.Stain(Source()[..1], how, [new("a")]),
                network.Stain(Source()[..1], how, [new("b", Seed: 9)], run: 3)));
        }
    }

    [Fact]
    public void StainQuickly_takes_ten_evaluations_and_Stain_those_of_model()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        BbdmConfig everyStep = Bbdm with { Sampling = new() };
        using BridgeGenerator network = Awake(everyStep);
        BridgeSampling quick = new() { Evaluations = 10, Solver = BridgeSolver.Extrapolated, Spacing = StepSpacing.Angular };
        Assert.Equal(quick, Bbdm.Sampling);
        Assert.True(torch.equal(network.StainQuickly(Source()[..1]), network.Stain(Source()[..1], quick, [new("0")])));
        using Stainer stainer = TrainedModel.CreateStainer(network, everyStep, Device.CPU);
        var image = new Image(16, 16, 3);
        Assert.Equal(stainer.Stain(image, new(new(), [new("")])).Image.Data, stainer.Stain(image).Image.Data);
    }

    [Fact]
    public void Stain_average_equals_mean_of_separate_runs()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = Awake(Bbdm);
        BridgeSampling clipped = new() { Clip = true, Strategy = SamplingStrategy.Skip, ExitStep = 1 };
        Tensor Run(int average, int run) => network.Stain(Source()[..1], clipped with { Average = average }, [new("a")], run);
        Assert.True(torch.allclose((Run(1, 2) + Run(1, 3)) / 2, Run(2, 1), 1e-5, 1e-5));
    }

    [Theory, MemberData(nameof(Learners))]
    public void Load_training_resumes_to_same_weights(BridgeConfig config)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string folder = Directory.CreateTempSubdirectory("tinctor-bridge-").FullName;
        Dictionary<string, Tensor> Train(ulong seed, bool takeUp)
        {
            torch.manual_seed(seed);
            using Method method = config.Create(Device.CPU);
            using var state = new TrainingState(method, new TrainingConfig { Ema = 0.9 }, Device.CPU, "psnr");
            if (takeUp) state.Load(Path.Combine(folder, "state"));
            while (state.Step < 4)
            {
                method.TrainStep(Source() * (state.Step + 1) / 4, Target());
                state.Advance();
                if (!takeUp && state.Step == 2) state.Save(Path.Combine(folder, "state"));
            }
            return Weights(method);
        }
        Dictionary<string, Tensor> one = Train(1, takeUp: false), other = Train(99, takeUp: true);
        Assert.All(one, pair => Assert.True(torch.equal(pair.Value, other[pair.Key]), pair.Key));
        Directory.Delete(folder, recursive: true);
    }

    [Theory, InlineData(4), InlineData(5)]
    public void TrainStep_refines_low_resolution_four_channel_sources(int factor)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        BbdmConfig config = Bbdm with { Factor = factor, InputChannels = 4 };
        using Method method = config.Create(Device.CPU);
        Tensor source = FormulaWeights.Wave(0.1, 1, 4, 8, 8).to(ScalarType.Float32);
        method.TrainStep(source, torch.zeros([1, 3, 8 * factor, 8 * factor]));
        Assert.All(method.Generator.named_parameters().Where(p => p.name.StartsWith("match.")), p => Assert.NotNull(p.parameter.grad));

        using Stainer stainer = TrainedModel.CreateStainer(method.Generator, config, Device.CPU);
        var image = new Image(13, 9, 4, SampleType.UInt16);
        for (int i = 0; i < image.Samples16.Length; i++) image.Samples16[i] = (ushort)(i * 131);
        var frames = new List<(int, int)>();
        Image stained = stainer.Stain(image,
            new(config.Sampling, [new("a")]) { Observe = state => frames.Add((state.Width, state.Height)) }).Image;
        Assert.Equal((13 * factor, 9 * factor, 3), (stained.Width, stained.Height, stained.Channels));
        Assert.All(frames, size => Assert.Equal((13 * factor, 9 * factor), size));
        Assert.Contains("3 channels, but the model expects 4",
            Assert.Throws<TinctorException>(() => stainer.Stain(new Image(8, 8, 3))).Message);
    }

    /// <summary>Z-scores: autofluorescence has no unit.</summary>
    [Fact]
    public void Stain_is_independent_of_light_and_gain()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BridgeGenerator network = Awake(Bbdm with { Factor = 2, InputChannels = 4 });
        Tensor source = FormulaWeights.Wave(0.1, 1, 4, 8, 8).to(ScalarType.Float32);
        Assert.True(torch.allclose(network.End(source), network.End((source * 0.3) + 0.2), 1e-3, 1e-4));
    }

    [Fact]
    public void Completed_invalid_settings_are_refused_by_name()
    {
        string Refused(BridgeConfig config) => Assert.Throws<TinctorException>(config.Completed).Message;
        Assert.Contains("model.objective=noise needs model.variant=bbdm", Refused(Bbdm with { Objective = BridgeObjective.Noise }));
        Assert.Contains("model.steps is 11", Refused(I2sb with { Steps = 11 }));
        Assert.Contains("sampling.evaluations is 30", Refused(Bbdm with { Sampling = new() { Evaluations = 30 } }));
        Assert.Same(I2sb, I2sb.Completed());
    }

    private static NoiseOrigin[] Places() => [new("a"), new("b", Seed: 3, Left: 40)];

    private static Tensor Source() => FormulaWeights.Wave(0.02, 2, 3, 16, 16).to(ScalarType.Float32).clamp(-1, 1);

    private static Tensor Target() => FormulaWeights.Wave(0.07, 2, 3, 16, 16).to(ScalarType.Float32).clamp(-1, 1).neg();

    private static Dictionary<string, Tensor> Weights(Method method) =>
        method.Generator.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());

    // Layers that start with zeros say nothing of the image.
    private static BridgeGenerator Awake(BridgeConfig config)
    {
        torch.manual_seed(4);
        using Guard quiet = torch.no_grad();
        BridgeGenerator network = config.CreateNetwork();
        network.eval();
        foreach (Tensor parameter in network.parameters())
            if (parameter.abs().max().item() == 0) parameter.add_(torch.randn(parameter.shape) * 0.02);
        return network;
    }
}
