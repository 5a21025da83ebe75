using Tinctor.Torch.Nn;

namespace Tinctor.Torch.Tests;

public sealed class CheckpointTests
{
    [Fact]
    public void Checkpoint_equals_function_without_checkpoint()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = torch.randn([4, 5], dtype: ScalarType.Float64).requires_grad_(), b = torch.randn([5, 3], dtype: ScalarType.Float64);
        Tensor bias = torch.randn([3], dtype: ScalarType.Float64).requires_grad_();
        int runs = 0;
        Tensor Work(Tensor[] t)
        {
            runs++;
            return t[0].matmul(t[1]).tanh() * t[2].exp();
        }
        Tensor[] plain = torch.autograd.grad([Work([a, b, bias]).square().sum()], [a, bias]);
        runs = 0;
        Tensor result = torch.checkpoint(Work, a, b, bias);
        Assert.True(torch.equal(result, Work([a, b, bias])));
        Tensor[] gradients = torch.autograd.grad([result.square().sum()], [a, bias]);
        Assert.Equal(3, runs);
        Assert.True(torch.allclose(plain[0], gradients[0]) && torch.allclose(plain[1], gradients[1]));
        using (torch.no_grad()) Assert.False(torch.checkpoint(Work, a, b, bias).requires_grad);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Checkpoint_computes_gradients_of_captured_parameters(bool autocast)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var layers = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 2));
        using Guard? precision = autocast ? torch.autocast(DeviceType.CPU) : null;
        Tensor x = torch.randn([3, 4]).tanh();
        layers.forward(x).square().sum().backward();
        Tensor[] plain = [.. layers.parameters().Select(parameter => parameter.grad!.clone())];
        layers.zero_grad();
        Tensor result = torch.checkpoint(inputs => layers.forward(inputs[0]), [x, .. layers.parameters()]).square().sum();
        foreach ((Tensor expected, Tensor found) in plain.Zip(torch.autograd.grad([result], [.. layers.parameters()], retain_graph: true)))
            Assert.True(torch.equal(expected, found));
        Assert.All(layers.parameters(), parameter => Assert.Null(parameter.grad));
        result.backward();
        foreach ((Tensor expected, Tensor parameter) in plain.Zip(layers.parameters())) Assert.True(torch.equal(expected, parameter.grad!));
    }

    [Fact]
    public void Checkpoint_reports_errors_of_function()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = torch.ones([2]).requires_grad_();
        bool broken = true;
        Tensor Work(Tensor[] t) => broken ? throw new InvalidOperationException("the work is broken") : t[0] * 2;
        Assert.Contains("the work is broken", Assert.Throws<TorchException>(() => torch.checkpoint(Work, a)).Message);
        broken = false;
        Tensor result = torch.checkpoint(Work, a).sum();
        broken = true;
        Assert.Contains("the work is broken", Assert.Throws<TorchException>(() => result.backward()).Message);
    }

    [Theory]
    [InlineData(1), InlineData(15), InlineData(31), InlineData(1000)]
    public void Attention_in_chunks_equals_attention(long mostScores)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor Random(params long[] shape) => torch.randn(shape, dtype: ScalarType.Float64, requires_grad: true);
        Tensor[] inputs = [Random(2, 7, 4), Random(2, 5, 4), Random(2, 5, 3), Random(7, 5)];
        Tensor whole = F.scaled_dot_product_attention(inputs[0], inputs[1], inputs[2], inputs[3]);
        Tensor parts = F.Attention(inputs[0], inputs[1], inputs[2], inputs[3], 0.5, mostScores);
        Assert.True(torch.allclose(whole, parts, 1e-12, 1e-12));
        Tensor weights = torch.randn(whole.shape, dtype: ScalarType.Float64);
        Tensor[] expected = torch.autograd.grad([(whole * weights).sum()], inputs);
        Tensor[] found = torch.autograd.grad([(parts * weights).sum()], inputs);
        for (int i = 0; i < inputs.Length; i++) Assert.True(torch.allclose(expected[i], found[i], 1e-10, 1e-12), $"input {i}");
    }
}
