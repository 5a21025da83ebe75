using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.PyramidPix2Pix;

namespace Tinctor.Training.Tests.Losses;

/// <summary>Against the numbers of PyramidPix2pix in tests/vectors/pyramidp2p_multiscale.</summary>
public sealed class OctavePyramidTests
{
    [Fact]
    public void Octaves_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("pyramidp2p_multiscale");
        Tensor[] octaves = OctavePyramid.Octaves(vectors["fake"], 4);
        for (int octave = 2; octave <= 4; octave++) vectors.Check($"fake_octave{octave}_layer1", octaves[octave - 1], 1e-5);
    }

    [Fact]
    public void Distances_and_gradient_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("pyramidp2p_multiscale");
        using var method = new PyramidPix2PixMethod(new() { Ngf = 2, Ndf = 2 }, Device.CPU);
        Tensor fake = vectors["fake"].requires_grad_();
        IReadOnlyList<(string Name, Tensor Loss)> distances = method.Distances(fake, vectors["real"]);
        Assert.Equal(["G_L1", "G_L2", "G_L3", "G_L4"], distances.Select(distance => distance.Name));
        foreach ((string name, Tensor loss) in distances) vectors.Check($"{name[2..]}_x25", loss, 1e-5);
        Tensor total = distances.Select(distance => distance.Loss).Aggregate((sum, loss) => sum + loss);
        vectors.Check("total_L1_L2_L3_L4", total, 1e-5);
        total.backward();
        vectors.Check("grad_fake", fake.grad!, 1e-4);
    }

    /// <summary>Against the official code (tests/vectors/make_edges.py), as a part of the distances.</summary>
    [Fact]
    public void Distance_of_edges_and_gradient_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("pyramidp2p_edges");
        Tensor fake = Formula.Input("in_fake", 2, 3, 20, 17).requires_grad_(), real = Formula.Input("in_real", 2, 3, 20, 17);
        using var method = new PyramidPix2PixMethod(new() { Ngf = 2, Ndf = 2, WeightSobel = 50 }, Device.CPU);
        (string name, Tensor loss) = method.Distances(fake, real)[^1];
        Assert.Equal("G_sobel", name);
        vectors.Check("loss", loss.reshape(1) / 50, 1e-5);
        EdgeLoss.Compute(fake, real).backward();
        vectors.Check("grad_fake", fake.grad!, 1e-4);
    }

    [Fact]
    public void Distances_stop_at_the_last_octave_with_a_weight()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor stained, Tensor target) = (torch.rand([1, 3, 16, 16]), torch.rand([1, 3, 16, 16]));
        Assert.Equal(["G_L1", "G_L2"], Names(new() { Ngf = 2, Ndf = 2, WeightL3 = 0, WeightL4 = 0 }));
        PyramidPix2PixConfig none = new() { Ngf = 2, Ndf = 2, LambdaL1 = 0, WeightL2 = 0, WeightL3 = 0, WeightL4 = 0 };
        Assert.Equal(["G_L1"], Names(none));
        Assert.Equal(["G_sobel"], Names(none with { WeightSobel = 1 }));

        string[] Names(PyramidPix2PixConfig config)
        {
            using var method = new PyramidPix2PixMethod(config, Device.CPU);
            return [.. method.Distances(stained, target).Select(distance => distance.Name)];
        }
    }
}
