using Tinctor.Tests;
using Tinctor.Torch.Nn;
using Layer = Tinctor.Torch.Nn.Module<Tinctor.Torch.Tensor, Tinctor.Torch.Tensor>;

namespace Tinctor.Torch.Tests.Nn;

/// <summary>Each layer against PyTorch: first values, two training passes, gradients, running statistics, the finished network.</summary>
[Collection(Alone.Name)]
public class LayerTests
{
    private static readonly Dictionary<string, Func<Layer>> layers = new()
    {
        ["conv"] = () => new Conv2d(4, 6, (3, 2), stride: (2, 1), padding: (1, 0)),
        ["conv_groups"] = () => new Conv2d(4, 6, 3, groups: 2, dilation: 2, padding: 2, bias: false),
        ["conv_reflect"] = () => new Conv2d(4, 3, 3, padding: (1, 2), padding_mode: "reflect"),
        ["conv_replicate"] = () => new Conv2d(4, 3, 3, padding: 2, padding_mode: "replicate"),
        ["conv_circular"] = () => new Conv2d(4, 3, 3, padding: (2, 1), padding_mode: "circular"),
        ["conv_transpose"] = () => new ConvTranspose2d(4, 6, 3, stride: 2, padding: 1, output_padding: 1),
        ["conv_transpose_groups"] = () => new ConvTranspose2d(4, 6, (4, 2), groups: 2, bias: false, dilation: (1, 2)),
        ["linear"] = () => new Linear(5, 3),
        ["linear_no_bias"] = () => new Linear(5, 3, bias: false),
        ["batch_norm"] = () => new BatchNorm2d(4),
        ["batch_norm_average"] = () => new BatchNorm2d(4, momentum: null, eps: 1e-3),
        ["batch_norm_untracked"] = () => new BatchNorm2d(4, affine: false, track_running_stats: false),
        ["instance_norm"] = () => new InstanceNorm2d(4),
        ["instance_norm_tracked"] = () => new InstanceNorm2d(4, affine: true, track_running_stats: true),
        ["group_norm"] = () => new GroupNorm(2, 4),
        ["layer_norm"] = () => new LayerNorm([6, 5]),
        ["layer_norm_plain"] = () => new LayerNorm(5, elementwise_affine: false),
        ["dropout"] = () => new Dropout(0.3),
        ["dropout2d"] = () => new Dropout2d(0.3),
        ["reflection_pad"] = () => new ReflectionPad2d((1, 2, 3, 0)),
        ["replication_pad"] = () => new ReplicationPad2d(3),
        ["zero_pad"] = () => new ZeroPad2d((1, 0, 2, 1)),
        ["constant_pad"] = () => new ConstantPad2d(1, 0.5),
        ["relu"] = () => new ReLU(),
        ["leaky_relu"] = () => new LeakyReLU(0.2),
        ["elu"] = () => new ELU(0.7),
        ["silu"] = () => new SiLU(),
        ["gelu"] = () => new GELU(),
        ["gelu_tanh"] = () => new GELU("tanh"),
        ["mish"] = () => new Mish(),
        ["tanh"] = () => new Tanh(),
        ["sigmoid"] = () => new Sigmoid(),
        ["softplus"] = () => new Softplus(beta: 2),
        ["hardtanh"] = () => new Hardtanh(-0.5, 0.4),
        ["softmax"] = () => new Softmax(1),
        ["identity"] = () => new Identity(),
        ["prelu"] = () => new PReLU(4),
        ["max_pool"] = () => new MaxPool2d(3, stride: 2, padding: 1, ceil_mode: true),
        ["avg_pool"] = () => new AvgPool2d(2),
        ["avg_pool_padded"] = () => new AvgPool2d(3, 2, 1, count_include_pad: false),
        ["adaptive_avg_pool"] = () => new AdaptiveAvgPool2d((3, 2)),
        ["upsample_nearest"] = () => new Upsample(scale_factor: 2),
        ["upsample_bilinear"] = () => new Upsample(scale_factor: 1.5, mode: "bilinear"),
        ["upsample_bicubic"] = () => new Upsample(size: (9, 4), mode: "bicubic", align_corners: true),
        ["pixel_shuffle"] = () => new PixelShuffle(2),
        ["pixel_unshuffle"] = () => new PixelUnshuffle(2),
        ["flatten"] = () => new Flatten(),
        ["embedding"] = () => new Embedding(7, 3, padding_idx: 2),
        ["spectral_conv"] = () => new SpectralNorm(new Conv2d(4, 6, 3)),
        ["spectral_conv_transpose"] = () => new SpectralNorm(new ConvTranspose2d(4, 6, 3, bias: false)),
        ["spectral_linear"] = () => new SpectralNorm(new Linear(5, 3)),
        ["sequential"] = () => new Sequential(
            new ReflectionPad2d(1), new SpectralNorm(new Conv2d(4, 8, 3, bias: false)), new BatchNorm2d(8), new ReLU(true),
            new Sequential(new Conv2d(8, 8, 3, padding: 1), new InstanceNorm2d(8), new LeakyReLU(0.2, true)),
            new Dropout(0.5), new ConvTranspose2d(8, 2, 3, stride: 2), new Tanh()),
    };

    public static TheoryData<string> Names => [.. layers.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Layer_equals_PyTorch(string name)
    {
        using var scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = Vectors.Load("layers.safetensors", name);
        torch.manual_seed(0);
        using Layer layer = layers[name]();
        AssertState(expected, "state.", layer);

        Tensor x = expected["x"].clone();
        bool differentiable = x.is_floating_point();
        x.requires_grad = differentiable;
        torch.manual_seed(1);
        Tensor y = x;
        for (ulong turn = 0; turn < 2; turn++)
        {
            y = layer.forward(differentiable ? x.clone() : x);
            using var random = new Generator().manual_seed(8 + turn);
            Tensor g = torch.randn(y.shape, random);
            if (turn == 1) Vectors.AssertClose(expected["g"], g, "g", 0, 0);
            y.backward(g);
        }
        Vectors.AssertClose(expected["y"], y, "y");
        if (differentiable) Vectors.AssertClose(expected["grad_x"], x.grad!, "grad_x", 1e-4, 1e-5);
        foreach ((string key, Tensor parameter) in layer.named_parameters())
            Vectors.AssertClose(expected[$"grad.{key}"], parameter.grad!, $"grad.{key}", 1e-4, 1e-5);
        AssertState(expected, "after.", layer);
        layer.eval();
        Vectors.AssertClose(expected["y_eval"], layer.forward(expected["x"].clone()), "y_eval");
    }

    [Fact]
    public void Conv1d_equals_Conv2d_of_height_one()
    {
        using var scope = torch.NewDisposeScope();
        using var line = new Conv1d(4, 6, 3, stride: 2, padding: 1, dilation: 2, groups: 2);
        using var plane = new Conv2d(4, 6, (1, 3), stride: 2, padding: (0, 1), dilation: 2, groups: 2);
        plane.load_state_dict(line.state_dict()
            .ToDictionary(pair => pair.Key, pair => pair.Value.view(plane.state_dict()[pair.Key].shape)));
        Tensor x = torch.randn([2, 4, 1, 9]);
        Vectors.AssertClose(plane.forward(x)[.., .., 0], line.forward(x[.., .., 0]), "y");
    }

    private static void AssertState(OrderedDictionary<string, Tensor> expected, string prefix, Layer layer)
    {
        OrderedDictionary<string, Tensor> state = layer.state_dict();
        Assert.Equal(expected.Keys.Where(key => key.StartsWith(prefix)).Select(key => key[prefix.Length..]), state.Keys);
        foreach ((string key, Tensor tensor) in state) Vectors.AssertClose(expected[prefix + key], tensor, prefix + key);
    }

    [Fact]
    public void Initial_values_equal_PyTorch()
    {
        using var scope = torch.NewDisposeScope();
        var fills = new Dictionary<string, Func<Tensor, Tensor>>
        {
            ["normal"] = t => init.normal_(t, 0.5, 2),
            ["uniform"] = t => init.uniform_(t, -1, 3),
            ["xavier_normal"] = t => init.xavier_normal_(t, 0.02),
            ["xavier_uniform"] = t => init.xavier_uniform_(t),
            ["kaiming_normal"] = t => init.kaiming_normal_(t, 0, "fan_in"),
            ["kaiming_uniform"] = t => init.kaiming_uniform_(t, 0.2, "fan_out", "leaky_relu"),
            ["orthogonal_wide"] = t => init.orthogonal_(t, 1.5),
            ["orthogonal_tall"] = t => init.orthogonal_(t),
        };
        OrderedDictionary<string, Tensor> expected = Torch.Serialization.SafeTensors.Load(Vectors.Path("inits.safetensors"));
        Assert.Equal(fills.Keys.Order(), expected.Keys.Order());
        foreach ((string name, Tensor values) in expected)
        {
            torch.manual_seed(3);
            Vectors.AssertClose(values, fills[name](torch.empty(values.shape)), name);
        }
    }
}
