using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>
/// Against tests/vectors/make_derestainer.py, which writes the paper's text down in PyTorch: skimage separates the stains there, and each
/// image has a modulated weight of its own.
/// </summary>
public sealed class DeReStainerGeneratorTests
{
    private static readonly StainSeparation Stains = new(StainMatrix.HaematoxylinEosinDab);

    private static DeReStainerGenerator Small(string name = "default") => name == "default"
        ? new(Stains, ngf: 4, n_blocks: 2)
        : new(Stains, ngf: 4, n_blocks: 2, simam: "block", style: "probabilities", norm: Norm.None, upsample: "resize");

    private static DeReStainerGenerator Formula(string name) => FormulaWeights.Fill(Small(name).to(ScalarType.Float64));

    [Theory]
    [InlineData("default"), InlineData("other")]
    public void Forward_names_and_results_equal_reference(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        using DeReStainerGenerator network = Formula(name).eval();
        Assert.Equal(File.ReadLines(TestVectors.Path($"derestainer/{name}.keys")), FormulaWeights.Keys(network));

        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("derestainer/io.safetensors"));
        Tensor source = FormulaWeights.Wave(0.05, 2, 3, 40, 48) * 0.9;
        (Tensor stained, Tensor logits, Tensor feature) = network.Run(source);
        Vectors.Close(expected[$"{name}.stained"], stained, "stained", 1e-10);
        Vectors.Close(expected[$"{name}.logits"], logits, "logits", 1e-10);
        Vectors.Close(expected[$"{name}.aligned"], network.f_H(feature), "f_H", 1e-10);
        Vectors.Close(feature, network.Encode(network.Haematoxylin(source)), "feature", 1e-14);
        Vectors.Close(stained, network.forward(source), "forward", 1e-14);
        Vectors.Close(logits, network.Stain(source).Logits, "Stain", 1e-14);
    }

    [Theory]
    [InlineData("default"), InlineData("other")]
    public void Training_gradients_equal_reference(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DeReStainerGenerator network = Formula(name);
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("derestainer/io.safetensors"));
        (Tensor stained, Tensor logits, Tensor feature) = network.Run(FormulaWeights.Wave(0.05, 2, 3, 64, 64) * 0.9);
        Tensor loss = Weighted(stained, 0.3) + Weighted(logits, 2) + Weighted(network.f_H(feature), 0.7);
        loss.backward();
        Vectors.Close(expected[$"{name}.loss"], loss, "loss", 1e-10);
        Tensor gradients = torch.stack([.. network.parameters().Select(parameter =>
            (parameter.grad! * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
        Vectors.Close(expected[$"{name}.gradients"], gradients, "gradients", 1e-9);
    }

    private static Tensor Weighted(Tensor values, double speed) => (values * FormulaWeights.Wave(speed, values.shape)).mean();

    [Fact]
    public void Forward_gradients_equal_finite_differences()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DeReStainerGenerator network =
            FormulaWeights.Fill(new DeReStainerGenerator(Stains, ngf: 2, n_blocks: 1).to(ScalarType.Float64));
        Tensor source = FormulaWeights.Wave(0.06, 2, 3, 64, 64) * 0.9;
        GradientCheck.Parameters(network, () =>
        {
            (Tensor stained, Tensor logits, Tensor feature) = network.Run(source);
            return torch.cat([stained.flatten(), logits.flatten(), network.f_H(feature).flatten()]) / 100;
        });
    }

    [Fact]
    public void Forward_depends_on_haematoxylin_only()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        using DeReStainerGenerator network = Formula("default").eval();
        Tensor amounts = (torch.rand([1, 3, 32, 32], dtype: ScalarType.Float64) * 0.1) + 0.01;
        Tensor more = amounts * torch.tensor([1.0, 2, 3], 1, 3, 1, 1);
        Tensor image = (Stains.Combine(amounts) * 2) - 1, other = (Stains.Combine(more) * 2) - 1;
        Vectors.Close(network.Haematoxylin(image), network.Haematoxylin(other), "haematoxylin", 1e-10);
        Vectors.Close(network.forward(image), network.forward(other), "stained", 1e-10);
        // A picture of haematoxylin alone is what it was.
        Tensor alone = network.Haematoxylin(image);
        Vectors.Close(alone, network.Haematoxylin(alone), "haematoxylin alone", 1e-10);
    }

    [Theory]
    [InlineData(32, 32), InlineData(32, 56), InlineData(72, 40)]
    public void Stain_keeps_size(int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DeReStainerGenerator network = Small().eval();
        (Tensor stained, Tensor logits) = network.Stain(torch.zeros([2, 3, height, width]));
        Assert.Equal([2, 3, height, width], stained.shape);
        Assert.Equal([2, 4], logits.shape);
        Assert.InRange(stained.abs().max().item(), 0, 1);
    }

    [Theory]
    [InlineData(24, 64), InlineData(64, 36), InlineData(33, 33)]
    public void Forward_invalid_size_throws(int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DeReStainerGenerator network = Small();
        string message = Assert.Throws<ArgumentException>(() => network.forward(torch.zeros([1, 3, height, width]))).Message;
        Assert.Contains($"multiples of 8 from 32 on, got {height}x{width}", message);
    }

    [Fact]
    public void Create_default_has_published_parts()
    {
        using var network = new DeReStainerGenerator(Stains);
        Assert.Equal(9, network.modules().OfType<FusionBlock>().Count());
        Assert.Equal(3, network.named_children().Single(part => part.name == "destainer").module.modules().OfType<Conv2d>().Count());
        Assert.Equal(3, network.modules().OfType<ConvTranspose2d>().Count());
        foreach (string name in new[] { "f_H", "f_level" })
            Assert.Equal(2, network.named_children().Single(part => part.name == name).module.modules().OfType<Conv2d>().Count());
        foreach ((string name, Tensor value) in network.named_parameters().Where(pair => pair.name.Contains("style")))
            Assert.InRange(value.abs().max().item(), 0, name.EndsWith("bias") ? 0 : 0.12);
    }

    /// <summary>The blocks of BCIStainer, of which one equals the block of its generator.</summary>
    [Fact]
    public void FusionBlock_of_bcistainer_equals_block_of_its_generator()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        using var official = new ModulatedBlock(6, attention: true);
        using var block = new FusionBlock(6, 6, Norm.None, attendToSum: false, scaled: true);
        torch.manual_seed(7);
        foreach ((string name, Tensor value) in official.state_dict())
        {
            value.copy_(torch.rand(value.shape) - 0.5);
            block.state_dict()[name].copy_(value);
        }
        foreach ((string name, Tensor value) in block.state_dict().Where(pair =>
            pair.Key.EndsWith("conv1.bias") || pair.Key.EndsWith("conv2.bias")))
            value.zero_();
        Tensor feature = torch.rand([2, 6, 8, 8]), style = torch.rand([2, 6]);
        Vectors.Close(official.forward(feature, style), block.forward(feature, style), "block", 1e-5);
    }

    /// <summary>Nine blocks without norm keep the scale of features.</summary>
    [Fact]
    public void Fusion_of_bcistainer_keeps_scale_and_style_is_shared()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        using var network = new DeReStainerGenerator(Stains, ngf: 4, style: "feature", block: "bcistainer");
        network.eval();
        Tensor source = torch.rand([2, 3, 64, 64]) * 2 - 1;
        (Tensor stained, Tensor logits) = network.Stain(source);
        Assert.Equal([2, 4 + 32], logits.shape);
        Assert.True(double.IsFinite(stained.sum().item()));
        Vectors.Close(stained[..1], network.Stain(source, logits[..1]).Stained[..1], "own style", 1e-6);
    }

    [Fact]
    public void Forward_with_autocast_is_close()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        using DeReStainerGenerator network = FormulaWeights.Fill(Small()).eval();
        Tensor source = (FormulaWeights.Wave(0.05, 1, 3, 64, 64) * 0.9).@float();
        Tensor expected = network.forward(source);
        using Guard cast = torch.autocast(DeviceType.CPU);
        Tensor y = network.forward(source);
        Assert.InRange((y.@float() - expected).abs().mean().item(), 0, 0.02);
    }

    [Fact]
    public void Create_unknown_options_throw()
    {
        Assert.Throws<ArgumentException>(() => new DeReStainerGenerator(Stains, simam: "end"));
        Assert.Throws<ArgumentException>(() => new DeReStainerGenerator(Stains, style: "level"));
        Assert.Throws<ArgumentException>(() => new DeReStainerGenerator(Stains, upsample: "bilinear"));
    }
}
