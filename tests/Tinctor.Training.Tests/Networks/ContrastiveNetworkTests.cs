using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Asp;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Networks and losses against the official CUT and ASP: same weights, same numbers, same gradients.</summary>
public sealed class ContrastiveNetworkTests
{
    private const double OutputTolerance = 1e-5, GradientTolerance = 1e-4, GradientFloor = 1e-5;
    private static readonly int[] Layers = [0, 4, 8, 12, 16];

    [Theory]
    [InlineData("8x8"), InlineData("9x7")]
    public void BlurPool_equals_official(string size)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("cut_blurpool");
        using var down = new BlurDownsample(4);
        using var up = new BlurUpsample(4);
        vectors.Check($"down_{size}", down.forward(vectors[$"x_{size}"]), 1e-6);
        vectors.Check($"up_{size}", up.forward(vectors[$"x_{size}"]), 1e-6);
    }

    [Theory]
    [InlineData("cut_resnet_antialias", 9, false), InlineData("asp_spectral_resnet_antialias", 6, true)]
    public void ResnetGenerator_outputs_features_and_gradients_equal_official(string name, int blocks, bool spectral)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using var network = new ResnetGenerator(3, 3, Norm.Instance,
            new(8, blocks) { Antialias = true, AntialiasUp = true, Spectral = spectral });
        Assert.Equal(vectors.Weights().Keys, network.state_dict().Keys);
        network.load_state_dict(vectors.Weights());
        if (spectral)
        {
            // A pass in training mode changes the singular vectors, then the rest of the vectors is made with these.
            using (torch.no_grad()) vectors.Check("y_train_1power_iter", network.forward(vectors["x"]), OutputTolerance);
            foreach (string key in vectors.Keys.Where(key => key.StartsWith("after_train.")))
                vectors.Check(key, network.state_dict()[key["after_train.".Length..]], OutputTolerance);
            network.load_state_dict(vectors.Weights());
        }
        network.eval();
        Tensor[] features = network.Features(vectors["x"], Layers);
        foreach ((int layer, Tensor feature) in Layers.Zip(features)) vectors.Check($"feat{layer}", feature, OutputTolerance);
        Assert.Equal(vectors.Weights().Keys.Max(key => int.Parse(key.Split('.')[1])) + 2,
            new ResnetOptions(8, blocks) { Antialias = true, AntialiasUp = true }.Layers);
        Assert.Equal(features.Select(feature => (int)feature.size(1)), network.FeatureChannels(Layers, 3, 8));
        network.eval();
        Tensor x = vectors["x"].clone().requires_grad_();
        Tensor y = network.forward(x);
        vectors.Check("y", y, OutputTolerance);
        ((y * vectors["loss_w"]).mean() * 100).backward();
        vectors.Check("grad_in.x", x.grad!, GradientTolerance);
        foreach ((string key, Tensor parameter) in network.named_parameters())
        {
            if (vectors.Keys.Contains($"grad.{key}")) vectors.Check($"grad.{key}", parameter.grad!, GradientTolerance, GradientFloor);
        }
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void NLayerDiscriminator_equals_official_under_both_names(bool asp)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("cut_nlayerD_antialias");
        using var network = new NLayerDiscriminator(3, ndf: 8, norm: Norm.Instance, antialias: true, named_as_asp: asp);
        network.load_state_dict(vectors.Weights().ToDictionary(
            pair => !asp ? pair.Key : pair.Key.Replace("model.14.", "final_conv.").Replace("model.", "enc."), pair => pair.Value));
        Tensor x = vectors["x"].clone().requires_grad_(), y = network.forward(x);
        vectors.Check("y", y, OutputTolerance);
        y.square().mean().backward();
        vectors.Check("grad_in.x_of_mean_sq", x.grad!, GradientTolerance);
    }

    [Theory]
    [InlineData("cut_patchnce", false), InlineData("asp_patchnce", true)]
    public void PatchNce_vectors_losses_and_gradients_equal_official(string name, bool shifted)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using var sampler = new PatchSampler([3, 16, 32], width: 16, shifted);
        sampler.load_state_dict(vectors.Weights());
        Tensor[] queries = [.. Enumerable.Range(0, 3).Select(i => vectors[$"feat_q{i}"].clone().requires_grad_())];
        Tensor[] keys = [.. Enumerable.Range(0, 3).Select(i => vectors[$"feat_k{i}"])];
        Tensor[] places = [.. Enumerable.Range(0, 3).Select(i => vectors[$"patch_ids{i}"])];
        Tensor[] query = sampler.Sample(queries, places), key = sampler.Sample(keys, places);
        Tensor[] losses = [.. query.Zip(key, (q, k) => PatchNce.Compute(q, k, images: 2, 0.07))];
        for (int i = 0; i < 3; i++)
        {
            vectors.Check($"sampled_q{i}", query[i], OutputTolerance);
            vectors.Check($"sampled_k{i}", key[i], OutputTolerance);
            vectors.Check($"nce_per_patch{i}", losses[i], OutputTolerance);
        }
        Tensor total = torch.stack([.. losses.Select(loss => loss.mean())]).mean();
        vectors.Check("nce_total", total, OutputTolerance);
        vectors.Check("nce_allneg_per_patch1", PatchNce.Compute(query[1], key[1], images: 1, 0.07), OutputTolerance);
        total.backward();
        for (int i = 0; i < 3; i++) vectors.Check($"grad_in.feat_q{i}", queries[i].grad!, GradientTolerance);
        foreach ((string parameter, Tensor value) in sampler.named_parameters())
            vectors.Check($"grad.{parameter}", value.grad!, GradientTolerance, GradientFloor);
        using var plain = new PatchSampler([3, 16, 32], width: 0, shifted);
        Assert.Empty(plain.parameters());
        foreach ((int i, Tensor vector) in plain.Sample(queries, places).Index())
            vectors.Check($"sampled_nomlp_q{i}", vector, OutputTolerance);
    }

    [Fact]
    public void AdaptiveNceWeights_of_all_modes_and_epochs_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("asp_adaptive_patchnce");
        string[] names = [.. vectors.Keys.Where(key => key.Contains("_ep") && !key.EndsWith("_grad_q") && !key.StartsWith("w_"))];
        Assert.Equal(10 * 5, names.Length);
        foreach (string name in names)
        {
            string[] parts = name.Split("_ep");
            var config = new AspConfig { AspLossMode = parts[0], AspSteps = 40, AspChangeEvery = 1, AspDecay = 0.25 };
            Tensor query = vectors["feat_q"].clone().requires_grad_();
            Tensor loss = PatchNce.Compute(query, vectors["feat_k"], images: 2, 0.07);
            // Step n follows epoch n.
            if (config.PatchWeights(PatchNce.Similarity(query, vectors["feat_k"]), long.Parse(parts[1]) - 1) is { } weights)
                loss = loss * weights;
            vectors.Check(name, loss, OutputTolerance);
            if (!vectors.Keys.Contains($"{name}_grad_q")) continue;
            loss.mean().backward();
            vectors.Check($"{name}_grad_q", query.grad!, GradientTolerance);
        }
    }

    [Fact]
    public void GaussianPyramid_levels_distances_and_gradient_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("asp_gausspyramid");
        Tensor fake = vectors["fake"].clone().requires_grad_();
        Tensor[] levels = GaussianPyramid.Smoothed(fake, 5);
        vectors.Check("pyr_fake0", levels[0][.., .., ..32, ..32], OutputTolerance);
        for (int i = 1; i < 6; i++) vectors.Check($"pyr_fake{i}", levels[i], OutputTolerance);
        vectors.Check("gp_uniform_x10", GaussianPyramid.Distance(fake, vectors["real"], [1, 1, 1, 1, 1, 1]) * 10, OutputTolerance);
        Tensor weighted = GaussianPyramid.Distance(fake, vectors["real"], new AspConfig().GpWeights) * 10;
        vectors.Check("gp_paperweights_x10", weighted, OutputTolerance);
        weighted.backward();
        vectors.Check("grad_fake_paperweights", fake.grad!, GradientTolerance);
    }

    [Fact]
    public void WeightInit_spectral_layer_has_variance_of_scheme()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using var layer = new SpectralNorm(new Conv2d(32, 64, 3));
        WeightInit.Apply(layer, "normal", 0.5);
        Assert.Equal(0.5, layer.Layer.weight.std().item(), 0.02);
        Assert.Equal(0, layer.Layer.bias!.abs().max().item());
    }
}
