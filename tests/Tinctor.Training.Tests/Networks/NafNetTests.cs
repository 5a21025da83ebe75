using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Import;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Regression;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Against numbers of the official code (tests/vectors/make_nafnet.py), which has images in [0,1], in float64.</summary>
public sealed class NafNetTests
{
    private static readonly NafNetConfig Small =
        new() { Loss = PixelDistance.Psnr, Width = 4, EncBlkNums = [1, 2], MiddleBlkNum = 2, DecBlkNums = [2, 1] };

    private OrderedDictionary<string, Tensor>? loaded;

    private OrderedDictionary<string, Tensor> Expected => loaded ??= SafeTensors.Load(TestVectors.Path("nafnet/io.safetensors"));

    private static Tensor Source => FormulaWeights.Wave(0.05, 2, 3, 16, 24) * 0.9;

    private static Tensor Target => FormulaWeights.Wave(0.07, 2, 3, 16, 24) * 0.9;

    [Fact]
    public void Forward_and_losses_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Module network = FormulaWeights.Fill(Small.CreateGenerator().to(ScalarType.Float64));
        Assert.Equal(File.ReadLines(TestVectors.Path("nafnet/network.keys")), FormulaWeights.Keys(network));
        Tensor stained = ((Module<Tensor, Tensor>)network).forward(Source);
        Vectors.Close(Expected["stained"], (stained + 1) * 0.5, "stained", 1e-10);
        // L1 of [-1,1] is twice that of [0,1].
        Vectors.Close(Expected["loss.l1"], PixelLoss.Compute(PixelDistance.L1, stained, Target) * 0.5, "l1", 1e-10);
        Vectors.Close(Expected["loss.psnr"], PixelLoss.Compute(PixelDistance.Psnr, stained, Target), "psnr", 1e-10);
    }

    [Theory]
    [InlineData(0), InlineData(1)]
    public void TrainStep_equals_official(int microbatch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var method = new RegressionMethod(Small, Device.CPU) { Microbatch = microbatch };
        method.Generator.to(ScalarType.Float64);
        FormulaWeights.Fill(method.Generator);
        Vectors.Close(Expected["step0"], method.TrainStep(Source, Target)["psnr"], "first loss", 1e-9);
        Tensor gradients = torch.stack([.. method.Generator.parameters().Select(parameter =>
            (parameter.grad! * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
        double clipped = 0.01 / (Expected["norm0"].item() + 1e-6);
        Vectors.Close(Expected["gradients"] * clipped, gradients, "gradients", 1e-8);
        Vectors.Close(Expected["step1"], method.TrainStep(Source, Target)["psnr"], "second loss", 1e-8);
        Vectors.Close(Expected["trained"], (method.Generator.forward(Source) + 1) * 0.5, "trained", 1e-8);
    }

    [Fact]
    public void Import_of_checkpoint_equals_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        ImportedModel import = NafNetImport.Read(TestVectors.Path("nafnet/network.pth"));
        Assert.Equal("NAFNet of width 4, blocks 1,2 / 2 / 2,1", import.Description);
        using Module<Tensor, Tensor> network = import.Config.Model.CreateGenerator();
        network.load_state_dict(import.Weights);
        Tensor stained = network.forward(Source.@float());
        Vectors.Close(Expected["stained"], (stained.to(ScalarType.Float64) + 1) * 0.5, "stained", 1e-5);
        Assert.Contains("no network of NAFNet; the first key is",
            Assert.Throws<TinctorException>(() => NafNetImport.Read(TestVectors.Path("p2p_resnet6_batch/weights.pth"))).Message);
    }

    /// <summary>At the start the official network returns the source plus the last convolution.</summary>
    [Fact]
    public void Create_default_has_published_size()
    {
        using Module<Tensor, Tensor> network = new NafNetConfig().CreateGenerator();
        Assert.Equal(29159715, network.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(16, new NafNetConfig().SizeMultiple);
    }

    [Fact]
    public void Forward_with_other_channels_has_no_residual()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Module<Tensor, Tensor> network = (Small with { InputChannels = 2 }).CreateGenerator();
        Assert.Equal([1, 3, 8, 12], network.forward(torch.zeros([1, 2, 8, 12])).shape);
    }
}
