using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Against numbers of the official code (tests/vectors/make_pix2pixhd.py), in float64.</summary>
public sealed class Pix2PixHdNetworkTests
{
    private OrderedDictionary<string, Tensor>? loaded;

    // Loaded in the scope of the test.
    private OrderedDictionary<string, Tensor> Expected => loaded ??= SafeTensors.Load(TestVectors.Path("pix2pixhd/io.safetensors"));

    [Theory]
    [InlineData("global", Norm.Instance), InlineData("global", Norm.Batch)]
    [InlineData("local", Norm.Instance), InlineData("local", Norm.Batch)]
    public void Generator_names_results_and_gradients_equal_official(string kind, Norm norm)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string name = $"G_{kind}_{norm.ToString().ToLowerInvariant()}";
        using Module<Tensor, Tensor> network = kind == "global"
            ? new GlobalGenerator(3, 3, 4, 2, 2, norm) : new LocalEnhancer(3, 3, 2, 2, 2, 1, 1, norm);
        network.to(ScalarType.Float64);
        FormulaWeights.Fill(network);
        Assert.Equal(OfficialKeys(name), FormulaWeights.Keys(network));
        Tensor y = network.forward(FormulaWeights.Wave(0.05, 2, 3, 32, 24) * 0.9);
        Vectors.Close(Expected[name], y, name, 1e-9);
        Weighted(y).backward();
        Vectors.Close(Expected[$"{name}.gradients"], Gradients(network), "gradients", 1e-8);
    }

    [Theory]
    [InlineData("D", true), InlineData("D_plain", false)]
    public void Discriminator_names_results_and_gradients_equal_official(string name, bool features)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new Pix2PixHdDiscriminator(6, 2, 2, Norm.Instance, 2, features);
        network.to(ScalarType.Float64);
        FormulaWeights.Fill(network);
        Assert.Equal(OfficialKeys(name), FormulaWeights.Keys(network));
        Tensor[][] results = network.Scales(FormulaWeights.Wave(0.05, 2, 6, 32, 24) * 0.9);
        foreach ((int i, Tensor[] layers) in results.Index())
        {
            foreach ((int j, Tensor layer) in layers.Index()) Vectors.Close(Expected[$"{name}.{i}.{j}"], layer, $"{i}.{j}", 1e-9);
        }
        results.SelectMany(layers => layers).Select(Weighted).Aggregate((sum, loss) => sum + loss).backward();
        Vectors.Close(Expected[$"{name}.gradients"], Gradients(network), "gradients", 1e-8);
    }

    [Fact]
    public void VggLoss_equals_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new Vgg19();
        network.to(ScalarType.Float64);
        FormulaWeights.Fill(network);
        Tensor stained = (FormulaWeights.Wave(0.05, 1, 3, 32, 32) * 0.9).requires_grad_();
        Tensor loss = VggLoss.Compute(network.forward, stained, FormulaWeights.Wave(0.07, 1, 3, 32, 32) * 0.9);
        Vectors.Close(Expected["vgg.loss"], loss.reshape(1), "loss", 1e-9);
        loss.backward();
        Vectors.Close(Expected["vgg.gradient"], stained.grad!, "gradient", 1e-8);
    }

    private static IEnumerable<string> OfficialKeys(string name) =>
        File.ReadLines(TestVectors.Path($"pix2pixhd/{name}.keys"));

    private static Tensor Weighted(Tensor y) => (y * FormulaWeights.Wave(0.3, y.shape)).mean();

    private static Tensor Gradients(Module network) => torch.stack([.. network.parameters().Select(parameter =>
        (parameter.grad! * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
}
