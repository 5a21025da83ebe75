using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Each scale is a PatchGAN of its own for a smaller image.</summary>
public sealed class MultiscaleDiscriminatorTests
{
    [Fact]
    public void Scales_each_equal_PatchGAN_of_halved_image()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using MultiscaleDiscriminator network = FormulaWeights.Fill(new MultiscaleDiscriminator(3, ndf: 4, num_D: 3)
            .to(ScalarType.Float64));
        Tensor x = FormulaWeights.Wave(0.11, 2, 3, 110, 97);
        Tensor[] logits = network.Scales(x);
        Assert.Equal([[2, 1, 11, 10], [2, 1, 4, 4], [2, 1, 1, 1]], logits.Select(scale => scale.shape));
        for (int i = 0; i < 3; i++)
        {
            using var alone = new NLayerDiscriminator(3, ndf: 4, norm: Norm.Instance);
            alone.to(ScalarType.Float64).load_state_dict(network.state_dict().Where(pair => pair.Key.StartsWith($"scale{i}."))
                .ToDictionary(pair => pair.Key[$"scale{i}.".Length..], pair => pair.Value));
            Vectors.Close(alone.forward(x), logits[i], $"scale {i}", 1e-10);
            x = Halved(x);
        }
    }

    // The mean of the pixels under a 3x3 window on every second pixel; what lies outside does not count.
    private static Tensor Halved(Tensor x)
    {
        Tensor window = torch.ones([3, 1, 3, 3], ScalarType.Float64);
        Tensor Sum(Tensor image) => F.conv2d(image, window, stride: 2, padding: 1, groups: 3);
        return Sum(x) / Sum(torch.ones_like(x));
    }

    [Fact]
    public void Scales_all_have_gradients()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new MultiscaleDiscriminator(6, ndf: 4);
        (Tensor[] logits, Tensor x) = (network.Scales(torch.zeros([1, 6, 64, 64])), FormulaWeights.Wave(0.3, 1, 6, 64, 64).@float());
        Assert.Equal(2, logits.Length);
        foreach (Tensor scale in network.Scales(x)) scale.mean().backward();
        Assert.All(network.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void Scales_smallest_image_for_two_is_47_pixels()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new MultiscaleDiscriminator(3, ndf: 4);
        Assert.Equal([1, 1, 1, 1], network.Scales(torch.zeros([1, 3, 47, 47]))[1].shape);
        Assert.ThrowsAny<Exception>(() => network.Scales(torch.zeros([1, 3, 30, 30])));
    }
}
