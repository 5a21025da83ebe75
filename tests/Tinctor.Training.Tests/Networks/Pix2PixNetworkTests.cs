using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>The networks against the official implementation: same weights, same numbers, same gradients.</summary>
public class Pix2PixNetworkTests
{
    private const double OutputTolerance = 1e-5, GradientTolerance = 1e-4, GradientFloor = 1e-5;

    public static TheoryData<string> Names =>
    [
        "p2p_resnet6_instance", "p2p_resnet6_batch", "p2p_resnet9_instance", "p2p_unet128_instance", "p2p_unet128_batch",
        "p2p_nlayerD_instance", "p2p_nlayerD_batch",
    ];

    internal static Module<Tensor, Tensor> Build(string name)
    {
        Norm norm = name.EndsWith("batch") ? Norm.Batch : Norm.Instance;
        if (name.Contains("unet")) return new UnetGenerator(3, 3, num_downs: 7, ngf: 8, norm: norm);
        if (name.Contains("nlayerD")) return new NLayerDiscriminator(6, ndf: 8, n_layers: 3, norm: norm);
        return new ResnetGenerator(3, 3, ngf: 8, norm: norm, n_blocks: name.Contains("resnet9") ? 9 : 6);
    }

    [Theory, MemberData(nameof(Names))]
    public void Networks_outputs_and_gradients_equal_official_code(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using Module<Tensor, Tensor> network = Build(name);
        network.load_state_dict(vectors.Weights());
        network.eval();
        CheckRun(vectors, network, "x", "y_eval", "loss_w", "grad_in.x");
        foreach ((string key, Tensor parameter) in network.named_parameters())
        {
            if (vectors.Keys.Contains($"grad.{key}")) vectors.Check($"grad.{key}", parameter.grad!, GradientTolerance, GradientFloor);
        }
    }

    [Theory]
    [InlineData("p2p_resnet6_batch"), InlineData("p2p_unet128_batch"), InlineData("p2p_nlayerD_batch")]
    public void Networks_in_training_mode_equal_official_code(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using Module<Tensor, Tensor> network = Build(name);
        network.load_state_dict(vectors.Weights());
        network.train();
        CheckRun(vectors, network, "x_train", "y_train", "loss_w_train", "grad_train.x");
        foreach ((string key, Tensor buffer) in network.named_buffers()) vectors.Check($"after_train.{key}", buffer, OutputTolerance);
    }

    private static void CheckRun(Vectors vectors, Module<Tensor, Tensor> network, string input, string output, string weights,
        string gradient)
    {
        Tensor x = vectors[input].clone().requires_grad_();
        Tensor y = network.forward(x);
        vectors.Check(output, y, OutputTolerance);
        ((y * vectors[weights]).mean() * 100).backward();
        vectors.Check(gradient, x.grad!, GradientTolerance);
    }

    [Theory]
    [InlineData(GanMode.Vanilla, "vanilla"), InlineData(GanMode.Lsgan, "lsgan"), InlineData(GanMode.Wgangp, "wgangp")]
    public void GanLoss_equals_official_code(GanMode mode, string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("p2p_ganloss");
        foreach ((bool real, string side) in new[] { (true, "real"), (false, "fake") })
        {
            Tensor prediction = vectors["pred"].clone().requires_grad_();
            Tensor loss = GanLoss.Compute(mode, prediction, real);
            loss.backward();
            vectors.Check($"{name}_{side}", loss, 1e-6);
            vectors.Check($"{name}_{side}_grad", prediction.grad!, 1e-6);
        }
    }

    [Fact]
    public void GradientPenalty_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("p2p_gradient_penalty");
        using var network = new NLayerDiscriminator(3, ndf: 4, n_layers: 2, norm: Norm.Instance);
        network.load_state_dict(vectors.Weights());
        Tensor penalty = GanLoss.GradientPenalty(network.forward, vectors["real"], vectors["fake"], vectors["alpha"].view(-1, 1, 1, 1));
        vectors.Check("gp", penalty, 1e-5);
    }

    [Fact]
    public void PixelDiscriminator_sees_single_pixels()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new PixelDiscriminator(6, ndf: 4);
        network.eval();
        Tensor image = torch.randn([1, 6, 8, 8]);
        Tensor before = network.forward(image);
        image[.., .., 3, 5] = torch.tensor(9.0);
        Tensor changed = (network.forward(image) - before).abs().gt(0);
        Assert.Equal([1, 1, 8, 8], changed.shape);
        Assert.Equal([3L * 8 + 5], changed.flatten().nonzero().ToArray<long>());
    }
}
