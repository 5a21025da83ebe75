using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>The modulated convolution against the paper's formula, with a weight for each image.</summary>
public sealed class ModulatedConv2dTests
{
    [Theory]
    [InlineData(3, true, 1e-8), InlineData(3, false, 0.5), InlineData(5, true, 1e-8), InlineData(1, true, 1e-8)]
    public void Forward_equals_convolution_with_weight_per_image(int kernel, bool bias, double epsilon)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ModulatedConv2d network = Make(kernel, bias, epsilon);
        Tensor x = FormulaWeights.Wave(0.7, 3, 4, 6, 5), style = FormulaWeights.Wave(2, 3, 4) * 2;
        Dictionary<string, Tensor> parameters = network.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        var expected = new Tensor[3];
        for (int n = 0; n < 3; n++)
        {
            Tensor weight = parameters["conv.weight"] * (style[n].view(1, 4, 1, 1) + 1);
            weight /= (weight.square().sum([1, 2, 3], keepdim: true) + epsilon).sqrt();
            long border = kernel / 2;
            Tensor image = border == 0 ? x[n..(n + 1)] : F.pad(x[n..(n + 1)], [border, border, border, border], "reflect");
            expected[n] = F.conv2d(image, weight, parameters.GetValueOrDefault("bias"));
        }
        Vectors.Close(torch.cat(expected), network.forward(x, style), "modulated", 1e-12);
    }

    [Fact]
    public void Forward_is_independent_of_weight_scale()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ModulatedConv2d network = Make(3, bias: false);
        Tensor x = FormulaWeights.Wave(0.7, 1, 4, 6, 5), style = torch.zeros([1, 4], ScalarType.Float64);
        Vectors.Close(network.forward(x, style), network.forward(x, style + 9), "ten times the weight", 1e-6);
        Vectors.Close(-network.forward(x, style), network.forward(x, style - 2), "the weight turned round", 1e-12);
        // A style of -1 takes every weight away: epsilon keeps the result finite.
        Assert.Equal(0, network.forward(x, style - 1).abs().max().item());
    }

    [Fact]
    public void Forward_gradients_equal_finite_differences()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ModulatedConv2d network = Make(3, bias: true);
        Tensor x = FormulaWeights.Wave(0.7, 2, 4, 3, 3), style = FormulaWeights.Wave(2, 2, 4);
        GradientCheck.Run(t => network.forward(t[0], t[1]), x, style);
        GradientCheck.Parameters(network, () => network.forward(x, style));
    }

    [Fact]
    public void Forward_with_autocast_keeps_type_of_convolution()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ModulatedConv2d network = Make(3, bias: true).to(ScalarType.Float32);
        Tensor x = FormulaWeights.Wave(0.7, 2, 4, 6, 5).@float(), style = FormulaWeights.Wave(2, 2, 4).@float();
        Tensor expected = network.forward(x, style);
        using Guard cast = torch.autocast(DeviceType.CPU);
        Tensor y = network.forward(x, style);
        Assert.Equal(ScalarType.BFloat16, y.dtype);
        Vectors.Close(expected, y, "bfloat16", 0.02);
    }

    [Fact]
    public void Create_even_kernel_throws() => Assert.Throws<ArgumentException>(() => new ModulatedConv2d(1, 1, 4));

    private static ModulatedConv2d Make(int kernel, bool bias, double epsilon = 1e-8) =>
        FormulaWeights.Fill(new ModulatedConv2d(4, 3, kernel, bias, epsilon).to(ScalarType.Float64));
}
