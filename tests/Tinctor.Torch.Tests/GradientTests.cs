using Tinctor.Tests;

namespace Tinctor.Torch.Tests;

/// <summary>Gradients of operators against finite differences.</summary>
public class GradientTests
{
    private static readonly Dictionary<string, (Func<Tensor[], Tensor> function, long[][] shapes)> operators = new()
    {
        ["conv1d"] = (t => F.conv1d(t[0], t[1], t[2], stride: 2, padding: 1), [[2, 2, 5], [3, 2, 3], [3]]),
        ["conv2d"] = (t => F.conv2d(t[0], t[1], t[2], stride: (2, 1), padding: (1, 2), dilation: (1, 2)),
            [[1, 2, 5, 4], [3, 2, 3, 2], [3]]),
        ["conv2d groups"] = (t => F.conv2d(t[0], t[1], groups: 2), [[2, 4, 4, 4], [2, 2, 3, 3]]),
        ["conv_transpose2d"] = (t => F.conv_transpose2d(t[0], t[1], t[2], stride: 2, padding: 1, output_padding: 1),
            [[1, 2, 3, 3], [2, 3, 3, 3], [3]]),
        ["linear"] = (t => F.linear(t[0], t[1], t[2]), [[2, 3], [4, 3], [4]]),
        ["max_pool2d"] = (t => F.max_pool2d(t[0], 2, stride: 1), [[1, 2, 4, 4]]),
        ["avg_pool2d"] = (t => F.avg_pool2d(t[0], 3, 2, 1, count_include_pad: false), [[1, 2, 5, 5]]),
        ["adaptive_avg_pool2d"] = (t => F.adaptive_avg_pool2d(t[0], (2, 3)), [[1, 2, 5, 4]]),
        ["unfold"] = (t => F.unfold(t[0], 2, padding: 1), [[1, 2, 3, 3]]),
        ["fold"] = (t => F.fold(t[0], 3, 2), [[1, 8, 4]]),
        ["pixel_shuffle"] = (t => F.pixel_unshuffle(F.pixel_shuffle(t[0], 2) * t[1], 2), [[1, 4, 2, 2], [1, 1, 4, 4]]),
        ["pad constant"] = (t => F.pad(t[0], [1, 2, -1, 0]), [[1, 2, 3, 3]]),
        ["pad reflect"] = (t => F.pad(t[0], [1, 2, 2, 1], "reflect"), [[1, 2, 3, 3]]),
        ["pad reflect 1"] = (t => F.pad(t[0], [2, 1], "reflect"), [[1, 2, 3]]),
        ["pad replicate"] = (t => F.pad(t[0], [1, 2, 2, 1], "replicate"), [[1, 2, 3, 3]]),
        ["pad circular"] = (t => F.pad(t[0], [1, 2, 2, 1], "circular"), [[1, 2, 3, 3]]),
        ["interpolate nearest"] = (t => F.interpolate(t[0], (5, 4)), [[1, 2, 3, 3]]),
        ["interpolate nearest-exact"] = (t => F.interpolate(t[0], scale_factor: 2, mode: "nearest-exact"), [[1, 1, 3, 3]]),
        ["interpolate bilinear"] = (t => F.interpolate(t[0], (5, 4), mode: "bilinear"), [[1, 2, 3, 3]]),
        ["interpolate bilinear aligned"] = (t => F.interpolate(t[0], (5, 4), mode: "bilinear", align_corners: true), [[1, 2, 3, 3]]),
        ["interpolate bilinear antialias"] = (t => F.interpolate(t[0], (2, 3), mode: "bilinear", antialias: true), [[1, 1, 5, 5]]),
        ["interpolate bicubic"] = (t => F.interpolate(t[0], (5, 4), mode: "bicubic"), [[1, 1, 3, 3]]),
        ["interpolate bicubic antialias"] = (t => F.interpolate(t[0], (2, 3), mode: "bicubic", antialias: true), [[1, 1, 5, 5]]),
        ["grid_sample"] = (t => F.grid_sample(t[0], t[1].tanh()), [[1, 2, 4, 4], [1, 3, 2, 2]]),
        ["grid_sample border"] = (t => F.grid_sample(t[0], t[1], padding_mode: "border", align_corners: true),
            [[1, 2, 4, 4], [1, 3, 2, 2]]),
        ["grid_sample bicubic"] = (t => F.grid_sample(t[0], t[1], "bicubic", "reflection"), [[1, 2, 4, 4], [1, 3, 2, 2]]),
        ["affine_grid"] = (t => F.affine_grid(t[0], [1, 2, 3, 4]), [[1, 2, 3]]),
        ["batch_norm"] = (t => F.batch_norm(t[0], null, null, t[1], t[2], training: true), [[2, 2, 3, 3], [2], [2]]),
        ["instance_norm"] = (t => F.instance_norm(t[0], weight: t[1], bias: t[2]), [[2, 2, 3, 3], [2], [2]]),
        ["group_norm"] = (t => F.group_norm(t[0], 2, t[1], t[2]), [[2, 4, 2, 2], [4], [4]]),
        ["layer_norm"] = (t => F.layer_norm(t[0], [3], t[1], t[2]), [[2, 3], [3], [3]]),
        ["normalize"] = (t => F.normalize(t[0], dim: 1), [[2, 4]]),
        ["attention"] = (t => F.scaled_dot_product_attention(t[0], t[1], t[2], t[3]), [[2, 3, 4], [2, 5, 4], [2, 5, 2], [3, 5]]),
        ["softmax"] = (t => F.softmax(t[0], -1) + F.log_softmax(t[0], 0), [[2, 3]]),
        ["activations"] = (t =>
            F.elu(F.leaky_relu(t[0])) + F.gelu(t[0]) + F.silu(t[0]) + F.mish(t[0]) + F.softplus(t[0]) + F.logsigmoid(t[0])
                + F.prelu(t[0], t[1]),
            [[3, 4], [1]]),
        ["glu"] = (t => F.glu(t[0]), [[2, 4]]),
        ["l1_loss"] = (t => F.l1_loss(t[0], t[1]), [[2, 3], [2, 3]]),
        ["mse_loss"] = (t => F.mse_loss(t[0], t[1], "sum"), [[2, 3], [2, 3]]),
        ["smooth_l1_loss"] = (t => F.smooth_l1_loss(t[0], t[1], beta: 0.7) + F.huber_loss(t[0], t[1], delta: 0.4), [[2, 3], [2, 3]]),
        ["binary_cross_entropy"] = (t => F.binary_cross_entropy(t[0].sigmoid(), torch.full_like(t[0], 0.3)), [[2, 3]]),
        ["binary_cross_entropy_with_logits"] = (t => F.binary_cross_entropy_with_logits(t[0], torch.ones_like(t[0])), [[2, 3]]),
        ["cross_entropy"] = (t => F.cross_entropy(t[0], torch.tensor([1L, 0, 2]), label_smoothing: 0.1), [[3, 4]]),
        ["kl_div"] = (t => F.kl_div(F.log_softmax(t[0], 1), F.softmax(t[1], 1), "sum"), [[2, 3], [2, 3]]),
        ["cosine_similarity"] = (t => F.cosine_similarity(t[0], t[1]) + F.pairwise_distance(t[0], t[1]), [[2, 3], [2, 3]]),
        ["embedding"] = (t => F.embedding(torch.tensor([1L, 1, 0]), t[0]), [[3, 2]]),
        ["matmul"] = (t => t[0].matmul(t[1]) + torch.einsum("bij,jk->bik", t[0], t[1]), [[2, 3, 4], [4, 2]]),
        ["eigh"] = (t => torch.linalg.eigvalsh(t[0] + t[0].t()), [[4, 4]]),
        ["svd"] = (t => torch.linalg.svdvals(t[0]), [[4, 3]]),
        ["cholesky"] = (t => torch.linalg.cholesky(t[0].matmul(t[0].t()) + (4 * torch.eye(3, ScalarType.Float64))), [[3, 3]]),
        ["inv"] = (t => torch.linalg.inv(t[0] + (3 * torch.eye(3, ScalarType.Float64))) + torch.linalg.det(t[0]), [[3, 3]]),
        ["solve"] = (t => torch.linalg.solve(t[0] + (3 * torch.eye(3, ScalarType.Float64)), t[1]), [[3, 3], [3, 2]]),
        ["qr"] = (t => torch.linalg.qr(t[0]).R, [[4, 3]]),
        ["fft2"] = (t => torch.fft.fft2(t[0]), [[3, 4]]),
        ["rfft2 and back"] = (t => torch.fft.irfft2(torch.fft.rfft2(t[0]) * 2.0, [4, 4]), [[4, 4]]),
        ["fftshift"] = (t => torch.fft.fftshift(torch.fft.fft_(t[0], norm: "ortho")), [[2, 5]]),
        ["indexing"] = (t => t[0][1.., TensorIndex.Ellipsis, ^1] * t[0][torch.tensor([0L, 2]), 1, 0].unsqueeze(1), [[3, 2, 2]]),
        ["mask"] = (t => t[0][t[0] > 0] * 2, [[3, 4]]),
        ["gather"] = (t => t[0].gather(1, torch.tensor([0L, 2, 1, 1], 2, 2)) + t[0].index_select(1, torch.tensor([2L, 0])), [[2, 3]]),
        ["shapes"] = (t => torch.cat([t[0].permute(1, 0).flip(0), t[0].t().roll([1], [0])]).repeat(1, 2).unfold(0, 2, 1), [[2, 3]]),
        ["reductions"] = (t =>
            t[0].std([1]) + t[0].var([1]) + t[0].logsumexp([1]) + t[0].amax([1]) + t[0].norm(2, [1])
                + t[0].cumsum(1)[.., 1],
            [[2, 4]]),
        ["where"] = (t => torch.where(t[0] > t[1], t[0] * t[1], t[1].exp()).clamp(-1.5, 2), [[2, 3], [2, 3]]),
        ["powers"] = (t => t[0].abs().pow(t[1]) + t[0].pow(3) + (2 / t[0]) + t[0].atan2(t[1]), [[2, 3], [2, 3]]),
    };

    public static TheoryData<string> Names => [.. operators.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Operator_gradients_equal_finite_differences(string name)
    {
        using var scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(4);
        (Func<Tensor[], Tensor> function, long[][] shapes) = operators[name];
        GradientCheck.Run(function, Array.ConvertAll(shapes, shape => torch.randn(shape, random, ScalarType.Float64)));
    }

    [Fact]
    public void Grad_second_derivatives_equal_finite_differences()
    {
        using var scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(5);
        Tensor x = torch.randn([1, 2, 4, 4], random, ScalarType.Float64), w = torch.randn([2, 2, 3, 3], random, ScalarType.Float64);
        GradientCheck.Run(t =>
        {
            using Guard recorded = torch.enable_grad();
            Tensor input = t[0].requires_grad ? t[0] : t[0].detach().requires_grad_();
            Tensor score = F.conv2d(input, t[1]).tanh().sum();
            return torch.autograd.grad([score], [input], create_graph: true)[0].square().sum();
        }, x, w);
    }

    [Fact]
    public void Grad_missing_gradient_is_null_only_if_allowed()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.ones([1]).requires_grad_(), b = torch.ones([1]).requires_grad_();
        Assert.Null(torch.autograd.grad([a * 2], [a, b], allow_unused: true)[1]);
        Assert.Throws<TorchException>(() => torch.autograd.grad([a * 2], [a, b]));
        Assert.Throws<TorchException>(() => torch.ones([1]).backward());
        Assert.Throws<TorchException>(() => (torch.ones([2]).requires_grad_() * 2).backward());
    }

    [Fact]
    public void Backward_several_roots_and_retained_graph()
    {
        using var scope = torch.NewDisposeScope();
        Tensor x = torch.tensor([1.0, 2]).requires_grad_();
        Tensor y = x * x, z = 3 * x;
        torch.autograd.backward([y, z], [torch.ones_like(y), torch.full_like(z, 2)], retain_graph: true);
        Assert.Equal([8.0, 10], x.grad!.ToArray<double>());
        y.sum().backward();
        Assert.Equal([10.0, 14], x.grad!.ToArray<double>());
        Assert.Throws<TorchException>(() => y.sum().backward());
    }
}
