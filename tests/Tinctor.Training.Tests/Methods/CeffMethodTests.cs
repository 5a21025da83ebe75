using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Networks;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class CeffMethodTests
{
    private static readonly CeffConfig Config = new() { Ngf = 2, Ndf = 2, FeatureDim = 8, EncoderStart = "random" };

    [Theory]
    [InlineData(CeffVariant.Official, true, true, true, "batch"), InlineData(CeffVariant.Paper, true, true, true, "running")]
    [InlineData(CeffVariant.Official, false, true, true, "running"), InlineData(CeffVariant.Official, true, false, true, "running")]
    [InlineData(CeffVariant.Official, true, true, false, "running")]
    public void TrainStep_of_every_variant_is_finite_and_keeps_encoders(
        CeffVariant variant, bool vmfe, bool fusion, bool adaptive, string statistics)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        CeffConfig config = Config with
        {
            Variant = variant,
            Vmfe = vmfe,
            Fusion = fusion,
            AdaptiveL1 = adaptive,
            EncoderStatistics = statistics,
        };
        using Method method = config.Create(Device.CPU);
        Dictionary<string, Tensor> Frozen() => method.Networks.SelectMany(network => network.Value.named_parameters()
            .Where(parameter => !parameter.parameter.requires_grad && network.Key != "D")
            .Select(parameter => (network.Key + "." + parameter.name, parameter.parameter.clone()))).ToDictionary();
        Dictionary<string, Tensor> before = Frozen();
        Assert.Equal(fusion || adaptive, before.Count > 0);
        Tensor first = method.Generator.parameters().First().clone();
        foreach (Tensor loss in method.TrainStep(torch.randn([2, 3, 64, 64]), torch.randn([2, 3, 64, 64])).Values)
            Assert.True(double.IsFinite(loss.item()));
        Assert.NotEqual(0, (method.Generator.parameters().First() - first).abs().max().item());
        Assert.All(Frozen(), after => Assert.True(torch.equal(before[after.Key], after.Value), after.Key));
    }

    /// <summary>
    /// In the official code the real image is an argument of the generator's forward pass. Here it reaches losses alone: without learning,
    /// a step leaves the same generator behind, running statistics included, whatever the target is.
    /// </summary>
    [Theory, InlineData("running"), InlineData("batch")]
    public void Stain_is_independent_of_target(string statistics)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        CeffConfig config = Config with { Lr = 0, EncoderStatistics = statistics };
        Tensor source = FormulaWeights.Wave(0.05, 2, 3, 64, 64).to(ScalarType.Float32);
        Dictionary<string, Tensor> Step(Tensor target)
        {
            torch.manual_seed(2);
            using Method method = config.Create(Device.CPU);
            method.TrainStep(source, target);
            return method.Generator.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        }
        Dictionary<string, Tensor> one = Step(torch.zeros([2, 3, 64, 64])), other = Step(source.neg());
        Assert.DoesNotContain(one.Keys, key => key.Contains("IHC"));
        Assert.All(one, pair => Assert.True(torch.equal(pair.Value, other[pair.Key]), pair.Key));
    }

    [Fact]
    public void AdaptiveL1_weighs_tiles_of_other_embedding_less()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor real = torch.zeros([1, 3, 8, 8]), stained = torch.ones([1, 3, 8, 8]);
        // Stained tiles are embedded before real ones; all but the first are the opposite of theirs.
        int call = 0;
        Tensor Encode(Tensor tile) => torch.tensor<float>([call++ is > 0 and < 4 ? -1 : 1, 0], 1, 2);
        Assert.Equal((80 + 20 + 20 + 20) / 4.0, AdaptiveL1.Compute(stained, real, Encode, grid: 2, alpha: 50, beta: 30).item(), 1e-4);
    }

    [Fact]
    public void AdaptiveL1_weights_have_no_gradient()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var encoder = new CeffEncoder(ngf: 2, feature_dim: 4);
        encoder.eval();
        Tensor stained = FormulaWeights.Wave(0.3, 2, 3, 32, 32).to(ScalarType.Float32).requires_grad_();
        Tensor real = FormulaWeights.Wave(0.2, 2, 3, 32, 32).to(ScalarType.Float32) + 3;
        AdaptiveL1.Compute(stained, real, encoder.forward, byImage: true).backward();
        // Within a tile all pixels have the same weight: the gradient is a sign.
        Tensor size = stained.grad!.abs()[.., .., ..16, ..16].flatten(1);
        Assert.True(torch.allclose(size.amax([1]), size.amin([1]), 1e-4, 1e-9));
        Assert.All(encoder.parameters(), parameter => Assert.Null(parameter.grad));
    }
}
