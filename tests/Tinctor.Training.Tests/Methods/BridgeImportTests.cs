using Tinctor.Staining.Bridges;
using Tinctor.Staining.Tests.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Import;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

/// <summary>Checkpoints of the official repositories as models that stain: the same trajectories with the same noise.</summary>
public sealed class BridgeImportTests : IDisposable
{
    private const double Tolerance = 1e-5;
    private static readonly string[] Heads = ["model.network.num_head_channels=32"];
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-bridge-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("loop.grad.s10.eta1.0", "grad", 10, 1), InlineData("loop.grad.s10.eta0.0", "grad", 10, 0)]
    [InlineData("loop.ysubx.s6.eta1.0", "sourceminusimage", 6, 1)]
    public void Bbdm_sample_equals_official_code(string loop, string objective, int evaluations, double eta)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_psample");
        ImportedModel model = BridgeImport.Bbdm(Weights("bbdm_unet"), settings: [.. Heads, $"model.objective={objective}"]);
        var config = (BbdmConfig)model.Config.Model;
        Assert.Equal((BrownianVariant.Bbdm, 1000), (config.Variant, config.Steps));
        Assert.Equal((BridgeGrowth.Linear, 1.0), (config.Growth, config.MaxVariance));
        using BridgeGenerator network = Network(model);
        vectors.Check($"{loop}.x0s", Predictions(network, vectors["y"], new() { Eta = eta },
            StepPlan.BbdmLinear(network.Bridge.Schedule, evaluations), vectors[$"{loop}.noises"]), Tolerance);
    }

    [Theory]
    [InlineData("linear_var1.0", BridgeGrowth.Linear, 1), InlineData("linear_var0.5", BridgeGrowth.Linear, 0.5)]
    [InlineData("sin_var1.0", BridgeGrowth.Exponential, 1), InlineData("sin_var0.5", BridgeGrowth.Exponential, 0.5)]
    public void WithSchedule_recognises_bbdm_schedule(string name, BridgeGrowth growth, double variance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_schedule");
        BbdmConfig config = BridgeImport.WithSchedule(new(), vectors[$"{name}.m_t"], vectors[$"{name}.variance_t"]);
        Assert.Equal((BrownianVariant.Bbdm, 1000, growth, variance), (config.Variant, config.Steps, config.Growth, config.MaxVariance));
    }

    [Theory]
    [InlineData("full.clip0", SamplingStrategy.Vanilla, 0), InlineData("mean.te3", SamplingStrategy.Mean, 3)]
    [InlineData("skip.te5", SamplingStrategy.Skip, 5)]
    public void Bbdm_of_staining_code_sample_equals_official_code(string name, SamplingStrategy strategy, int exit)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_sampling");
        ImportedModel model = BridgeImport.Bbdm(Weights("yijie_unet"), settings: ["model.steps=10"]);
        Assert.Equal(BrownianVariant.Official, ((BbdmConfig)model.Config.Model).Variant);
        Assert.Contains("no compressor", model.Notes[0]);
        using BridgeGenerator network = Network(model);
        Tensor predictions = Predictions(network, vectors["y"], new() { Strategy = strategy, ExitStep = exit },
            StepPlan.All(network.Bridge.Schedule), vectors["noises"]);
        vectors.Check($"{name}.pred_xstart", predictions, Tolerance);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Bbdm_with_compressor_enlarges_sources_to_target_size(bool beside)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string unet = At("ema_0.9999_22.pt"), compressor = At(beside ? "ema_0.9999_22_compress.pt" : "other.pt");
        File.Copy(Weights("yijie_unet"), unet);
        File.Copy(Weights("yijie_compress_narrow"), compressor);
        ImportedModel model = BridgeImport.Bbdm(unet, beside ? null : compressor, settings: ["model.steps=4"]);
        var config = (BbdmConfig)model.Config.Model;
        Assert.Equal((4, 3, 5, 8), (config.InputChannels, config.OutputChannels, config.Factor, config.MatcherWidth));
        using BridgeGenerator network = Network(model);
        Vectors vectors = Vectors.Read("yijie_compress_narrow");
        using var matcher = new DimensionMatcher(5, 4, 3, 8);
        matcher.load_state_dict(vectors.Weights());
        Tensor end = matcher.forward(ZScore.Standardize(vectors["x"]));
        Vectors.Close(end, network.End(vectors["x"]), "the bridge's end", Tolerance);
        Assert.Equal([2, 3, 50, 40], network.forward(vectors["x"]).shape);
    }

    [Theory]
    [InlineData("i2sb_unet_uncond", false), InlineData("i2sb_unet_cond", false)]
    [InlineData("i2sb_unet_uncond", true), InlineData("i2sb_unet_cond", true)]
    public void I2sb_sample_equals_official_code(string name, bool noisy)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        ImportedModel model = BridgeImport.I2sb(Weights(name), settings: Heads);
        Assert.Equal(name == "i2sb_unet_cond", ((I2sbConfig)model.Config.Model).CondX1);
        using BridgeGenerator network = Network(model);
        Tensor predictions = Predictions(network, vectors["x1"], new() { Eta = noisy ? 1 : 0 },
            StepPlan.Even(network.Bridge.Schedule, 10), vectors["sde_noises"]);
        Vectors.Close(vectors[noisy ? "traj_sde_pred_x0" : "traj_ot_ode_pred_x0"][0], predictions[.., 0].flip(0), "predictions", Tolerance);
    }

    [Fact]
    public void Import_settings_override_assumptions()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_unet_plain_newattn");
        ImportedModel model = BridgeImport.I2sb(Weights("i2sb_unet_plain_newattn"), settings:
            ["model.network.use_new_attention_order=true", "model.beta_max=1"]);
        Assert.Contains("attention heads (4 each) and their order (new)", Assert.Single(model.Notes));
        Assert.Equal(1, ((I2sbConfig)model.Config.Model).BetaMax);
        using BridgeGenerator network = Network(model);
        vectors.Check("y", network.Predict(vectors["x"], vectors["t"], vectors["x"]), Tolerance);
    }

    [Fact]
    public void Import_unsuitable_settings_or_files_throw()
    {
        string bbdm = Weights("bbdm_unet"), staining = Weights("yijie_unet"), i2sb = Weights("i2sb_unet_uncond");
        Refused(() => BridgeImport.I2sb(i2sb, settings: ["model.network.num_head_channels=48"]), i2sb, "num_head_channels is 48");
        Refused(() => BridgeImport.I2sb(i2sb, settings: ["model.steps=999"]), i2sb, "model.steps is 999");
        Refused(() => BridgeImport.I2sb(i2sb, settings: ["model.betamax=1"]), "model.betamax", "beta_max");
        Refused(() => BridgeImport.Bbdm(i2sb, settings: Heads), i2sb, "super-resolved virtual staining", "input_blocks.0.0.weight");
        Refused(() => BridgeImport.Bbdm(bbdm, compressor: staining), bbdm, "a BBDM has no compressor");
        Refused(() => BridgeImport.Bbdm(staining, compressor: bbdm), bbdm, "no compressor of", "m_t");
        Refused(() => BridgeImport.Bbdm(staining, Weights("yijie_compress_narrow"), settings: ["model.factor=4"]), staining,
            "4 times as large", "match.");

        static void Refused(Action import, params string[] parts)
        {
            string message = Assert.Throws<TinctorException>(import).Message;
            Assert.DoesNotContain('\n', message);
            foreach (string part in parts) Assert.Contains(part, message);
        }
    }

    private string At(string name) => Path.Combine(folder, name);

    private static string Weights(string name) => TestVectors.Path($"{name}/weights.pth");

    private static BridgeGenerator Network(ImportedModel model)
    {
        BridgeGenerator network = ((BridgeConfig)model.Config.Model).CreateNetwork();
        network.load_state_dict(model.Weights);
        return network;
    }

    // The predicted image of every step [steps,N,C,H,W], with the k-th noise for the k-th.
    private static Tensor Predictions(BridgeGenerator network, Tensor source, SamplingOptions how, int[] plan, Tensor noises)
    {
        using Guard quiet = torch.no_grad();
        Tensor end = network.End(source);
        var seen = new List<Tensor>();
        new TensorSampler(network.Bridge, how).Sample(end, plan, (x, time) => network.Predict(x, torch.full([1], time), end),
            step => noises[Array.IndexOf(plan, step)], (_, _, prediction) => seen.Add(prediction.clone()));
        return torch.stack([.. seen]);
    }
}
