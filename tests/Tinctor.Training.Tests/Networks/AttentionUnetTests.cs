using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Import;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Against numbers of the official code (tests/vectors/make_attention_unet.py) in float64.</summary>
public sealed class AttentionUnetTests
{
    private static Tensor Source => FormulaWeights.Wave(0.05, 2, 3, 64, 96) * 0.9;

    [Theory]
    [InlineData("eval"), InlineData("train")]
    public void Forward_and_gradients_equal_official(string mode)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("attention_unet/io.safetensors"));
        using var network = new AttentionUnetGenerator(ngf: 2);
        network.to(ScalarType.Float64);
        FormulaWeights.Fill(network);
        network.train(mode == "train");
        Tensor source = Source.clone().requires_grad_();
        Tensor stained = network.forward(source);
        (stained * FormulaWeights.Wave(0.07, 2, 3, 64, 96)).mean().backward();

        Vectors.Close(expected[$"stained.{mode}"], Sparse(stained), "stained", 1e-9);
        Vectors.Close(expected[$"source_gradient.{mode}"], Sparse(source.grad!), "gradient of the source", 1e-8);
        Tensor gradients = torch.stack([.. network.parameters().Select(parameter =>
            (parameter.grad! * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
        Vectors.Close(expected[$"gradients.{mode}"], gradients, "gradients", 1e-8);
    }

    [Fact]
    public void Import_of_checkpoint_leaves_second_names_out()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        ImportedModel model = Pix2PixImport.ReadPyramid(TestVectors.Path("attention_unet/network.pth"), "running");
        var config = (PyramidPix2PixConfig)model.Config.Model;
        Assert.Equal(("attention_unet_32", 2, Norm.Batch, 32), (config.Generator, config.Ngf, config.Norm, config.SizeMultiple));
        Assert.Contains("second names of the same weights (gating) were not imported", Assert.Single(model.Notes));
        using Module<Tensor, Tensor> imported = config.CreateGenerator();
        imported.load_state_dict(model.Weights);
        imported.eval();
        Vectors.Close(SafeTensors.Load(TestVectors.Path("attention_unet/io.safetensors"))["stained.eval"],
            Sparse(imported.forward(Source.@float()).to(ScalarType.Float64)), "stained", 1e-5);
    }

    private static Tensor Sparse(Tensor image) => image[.., .., TensorIndex.Slice(step: 4), TensorIndex.Slice(step: 4)];
}
