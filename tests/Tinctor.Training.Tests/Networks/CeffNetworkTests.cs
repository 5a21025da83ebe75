using Tinctor.Slides.Torch;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>CEFF's networks and losses against the official implementation: same weights, same numbers, same gradients.</summary>
public sealed class CeffNetworkTests
{
    private const double OutputTolerance = 1e-5, GradientTolerance = 1e-4, GradientFloor = 1e-5;

    [Theory]
    [InlineData("db1_k7_l3", 4, 7, 3), InlineData("db1_k3_l1", 6, 3, 1), InlineData("db1_k5_l2", 4, 5, 2), InlineData("db2_k3_l1", 4, 3, 1)]
    public void WaveletConv2d_equals_official_code(string name, int channels, int kernel, int levels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_wtconv");
        using var convolution = new WaveletConv2d(channels, kernel, levels, name[..3]);
        foreach ((string key, Tensor value) in convolution.named_buffers()) vectors.Check($"{name}.sd.{key}", value, 1e-6);
        convolution.load_state_dict(vectors.Keys.Where(key => key.StartsWith($"{name}.sd."))
            .ToDictionary(key => key[$"{name}.sd.".Length..], key => vectors[key]));
        Tensor x = vectors[$"{name}.x"].clone().requires_grad_();
        Tensor y = convolution.forward(x);
        vectors.Check($"{name}.y", y, OutputTolerance);
        (y * vectors[$"{name}.loss_w"]).mean().backward();
        vectors.Check($"{name}.grad_in.x", x.grad!, GradientTolerance);
        foreach ((string key, Tensor parameter) in convolution.named_parameters())
            vectors.Check($"{name}.grad.{key}", parameter.grad!, GradientTolerance);
    }

    [Theory]
    [InlineData("db1", 24, 20), InlineData("db1", 9, 11)]
    public void WaveletConv2d_composed_bands_restore_image(string wavelet, int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var convolution = new WaveletConv2d(3, 3, 1, wavelet);
        Tensor image = FormulaWeights.Wave(0.7, 2, 3, height, width).to(ScalarType.Float32);
        Tensor bands = convolution.Decompose(image);
        Assert.Equal([2, 12, (height + 1) / 2, (width + 1) / 2], bands.shape);
        Assert.True(torch.allclose(convolution.Compose(bands)[.., .., ..height, ..width], image, 1e-5, 1e-6));
    }

    [Fact]
    public void CeffEncoders_equal_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_encoder_narrow");
        using var encoders = new CeffEncoders(ngf: 4, feature_dim: 32);
        encoders.load_state_dict(vectors.Weights());
        encoders.eval();
        Tensor feature = encoders.Source.Feature(vectors["x1"]);
        vectors.Check("last_resblock1_eval", feature, OutputTolerance);
        (Tensor source, Tensor target) = encoders.forward(vectors["x1"], vectors["x2"]);
        vectors.Check("z1_eval", source, OutputTolerance);
        vectors.Check("z2_eval", target, OutputTolerance);
        vectors.Check("z1_big_eval", encoders.Source.forward(vectors["x_big"]), OutputTolerance);
        vectors.Check("infonce_eval", InfoNce.Compute(source, target), OutputTolerance);

        encoders.train();
        Tensor x = vectors["x1"].clone().requires_grad_();
        (source, target) = encoders.forward(x, vectors["x2"]);
        vectors.Check("z1_train", source, OutputTolerance);
        Tensor loss = InfoNce.Compute(source, target);
        vectors.Check("infonce_train", loss, OutputTolerance);
        loss.backward();
        vectors.Check("grad_in.x1_train", x.grad!, GradientTolerance);
        foreach ((string key, Tensor parameter) in encoders.named_parameters())
            if (vectors.Keys.Contains($"grad.{key}")) vectors.Check($"grad.{key}", parameter.grad!, GradientTolerance, GradientFloor);
        foreach ((string key, Tensor buffer) in encoders.named_buffers())
            if (vectors.Keys.Contains($"after_train.{key}")) vectors.Check($"after_train.{key}", buffer, OutputTolerance);
    }

    [Theory, InlineData("nce8"), InlineData("nce3")]
    public void InfoNce_equals_official_code(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_encoder_narrow");
        Tensor query = vectors[$"{name}.query"].clone().requires_grad_(), key = vectors[$"{name}.key"].clone().requires_grad_();
        Tensor loss = InfoNce.Compute(query, key);
        vectors.Check($"{name}.loss", loss, 1e-5);
        loss.backward();
        vectors.Check($"{name}.grad_query", query.grad!, GradientTolerance);
        vectors.Check($"{name}.grad_key", key.grad!, GradientTolerance);
        Tensor both = InfoNce.Compute(query, key, bothWays: true), other = InfoNce.Compute(key, query);
        Assert.Equal((loss.item() + other.item()) / 2, both.item(), 1e-6);
    }

    [Fact]
    public void CeffGenerator_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_model_narrow");
        using CeffGenerator generator = Generator(vectors);
        generator.eval();
        Tensor x = vectors["x"].clone().requires_grad_();
        Tensor y = generator.forward(x);
        vectors.Check("y_eval", y, OutputTolerance);
        Tensor loss = (y * vectors["loss_w"]).mean() * 100;
        vectors.Check("loss_eval", loss, GradientTolerance);
        loss.backward();
        vectors.Check("grad_in.x", x.grad!, GradientTolerance);
        foreach ((string key, Tensor parameter) in generator.named_parameters())
            if (vectors.Keys.Contains($"grad.{key}")) vectors.Check($"grad.{key}", parameter.grad!, GradientTolerance, GradientFloor);
    }

    [Fact]
    public void CeffGenerator_in_training_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_model_narrow");
        using CeffGenerator generator = Generator(vectors);
        generator.train();
        vectors.Check("y_train", generator.forward(vectors["x_train"]), OutputTolerance);
        // The official code goes on to an embedding that staining has no use for.
        string[] embedding = [.. new[] { 17, 20, 23, 26 }.Select(layer => $"encoder_fusion.conv.{layer}.")];
        foreach ((string key, Tensor buffer) in generator.named_buffers())
            if (vectors.Keys.Contains($"after_train.{key}") && !embedding.Any(key.StartsWith))
                vectors.Check($"after_train.{key}", buffer, OutputTolerance);
    }

    [Fact]
    public void AdaptiveL1_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_model_narrow");
        using var encoder = new CeffEncoder(ngf: 4, feature_dim: 32);
        encoder.load_state_dict(vectors.Weights("encoder_IHC."));
        encoder.eval();
        Tensor stained = vectors["y_eval"].clone().requires_grad_();
        Tensor loss = AdaptiveL1.Compute(stained, vectors["realB"], encoder.forward);
        vectors.Check("adaptive_l1", loss, GradientTolerance);
        loss.backward();
        vectors.Check("adaptive_l1_grad_fake", stained.grad!, GradientTolerance);
    }

    [Theory]
    [InlineData(CeffVariant.Official, true, true), InlineData(CeffVariant.Paper, true, true), InlineData(CeffVariant.Official, false, true)]
    [InlineData(CeffVariant.Official, true, false)]
    public void CeffGenerator_every_variant_accepts_any_shape(CeffVariant variant, bool vmfe, bool fusion)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var generator = new CeffGenerator(variant, ngf: 2, feature_dim: 8, vmfe, fusion);
        generator.eval();
        using Guard quiet = torch.inference_mode();
        Tensor image = FormulaWeights.Wave(0.05, 2, 3, 48, 72).to(ScalarType.Float32);
        Assert.Equal(image.shape, generator.forward(image).shape);
    }

    [Fact]
    public void CeffGenerator_of_full_width_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        Vectors vectors = Vectors.Read("ceff_full_formula");
        using CeffGenerator generator = Filled(new CeffGenerator(), "");
        using CeffEncoder encoder = Filled(new CeffEncoder(), "encoder_IHC.");
        // There the wavelets' filters count as parameters too.
        IEnumerable<Tensor> filters = generator.named_buffers().Where(b => b.name.EndsWith("wt_filter")).Select(b => b.buffer);
        Assert.Equal(51_630_467, generator.parameters().Concat(encoder.parameters()).Concat(filters).Sum(p => p.numel()));
        Tensor stained = generator.forward(Formula.Input("x", 1, 3, 64, 64));
        vectors.Check("y_eval", stained, OutputTolerance);
        Tensor[] tiles = TensorTiles.Cut(stained, 2), real = TensorTiles.Cut(Formula.Input("realB", 1, 3, 64, 64), 2);
        Tensor[] similarities = [.. tiles.Zip(real, (a, b) => F.cosine_similarity(encoder.forward(a), encoder.forward(b), dim: -1))];
        vectors.Check("similarities_eval", (1 + torch.cat(similarities)) / 2, OutputTolerance); // there they go from 0 to 1
    }

    private static T Filled<T>(T network, string prefix) where T : Module
    {
        foreach ((string key, Tensor value) in network.state_dict())
            if (value.is_floating_point() && !key.EndsWith("wt_filter"))
                value.copy_(Formula.Weight(prefix + key, value.shape));
        network.eval();
        return network;
    }

    internal static CeffGenerator Generator(Vectors vectors)
    {
        var generator = new CeffGenerator(ngf: 4, feature_dim: 32);
        generator.load_state_dict(vectors.Weights().Where(pair => !pair.Key.StartsWith("encoder_IHC.")).ToDictionary());
        return generator;
    }
}
