using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>The networks that enlarge: the dimension matcher against the official one, the GAN's generator on its own.</summary>
public sealed class SuperResolutionNetworkTests
{
    [Fact]
    public void DimensionMatcher_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_compress_narrow");
        using var matcher = new DimensionMatcher(factor: 5, width: 8);
        matcher.load_state_dict(vectors.Weights());
        Tensor x = vectors["x"].clone().requires_grad_();
        Tensor y = matcher.forward(x);
        vectors.Check("y", y, 1e-5);
        ((y * vectors["loss_w"]).mean() * 10).backward();
        vectors.Check("grad_in.x", x.grad!, 1e-4);
        foreach ((string key, Tensor parameter) in matcher.named_parameters()) vectors.Check($"grad.{key}", parameter.grad!, 1e-4);
    }

    [Fact]
    public void DimensionMatcher_of_full_width_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        using var matcher = new DimensionMatcher();
        matcher.load_state_dict(Formula.Weights(matcher));
        Assert.Equal(4_833_731, matcher.parameters().Sum(parameter => parameter.numel()));
        Vectors.Read("yijie_compress_full_formula").Check("y", matcher.forward(Formula.Input("x", 1, 4, 6, 6)), 1e-5);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void DimensionMatcher_enlarges_by_any_factor(int factor)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var matcher = new DimensionMatcher(factor, input_nc: 2, output_nc: 1, width: 4);
        Assert.Equal([3, 1, 7 * factor, 5 * factor], matcher.forward(Formula.Input("x", 3, 2, 7, 5)).shape);
    }

    [Theory, InlineData(1), InlineData(4), InlineData(5)]
    public void SuperResolutionUnet_enlarges_any_size(int factor)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var generator = new SuperResolutionUnet(factor, width: 4, depth: 3);
        Tensor x = Formula.Input("x", 2, 4, 19, 16).requires_grad_();
        Tensor y = generator.forward(x);
        Assert.Equal([2, 3, 19 * factor, 16 * factor], y.shape);
        Assert.InRange(y.abs().max().item(), 0.01, 1);
        y.mean().backward();
        Assert.All(generator.parameters(), parameter => Assert.True(parameter.grad!.abs().sum().item() > 0));
    }
}
