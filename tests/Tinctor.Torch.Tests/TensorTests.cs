namespace Tinctor.Torch.Tests;

public class TensorTests
{
    [Fact]
    public void Arithmetic_on_different_shapes_broadcasts()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.tensor([1f, 2, 3, 4], 2, 2);
        Tensor row = torch.tensor([10f, 20]);
        Assert.Equal([11f, 22, 13, 24], (a + row).ToArray<float>());
        Assert.Equal([0.5f, 1, 1.5f, 2], (a / 2).ToArray<float>());
        Assert.Equal([9f, 8, 7, 6], (10 - a).ToArray<float>());
        Assert.Equal(10, a.sum().item());
    }

    [Fact]
    public void Arithmetic_on_integers_keeps_type()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.arange(0, 6);
        Assert.Equal(ScalarType.Int64, a.dtype);
        Assert.Equal(ScalarType.Int64, (a * 2).dtype);
        Assert.Equal(ScalarType.Float32, (a * 2.0).dtype);
    }

    [Fact]
    public void Indexing_equals_PyTorch()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.arange(0, 24).view(2, 3, 4);
        Assert.Equal([12L, 13, 14, 15], a[1, 0].ToArray<long>());
        Assert.Equal([3L, 7, 11, 15, 19, 23], a[TensorIndex.Ellipsis, ^1].ToArray<long>());
        Assert.Equal([5L, 6], a[0, 1, 1..3].ToArray<long>());
        Assert.Equal([0L, 2], a[0, 0, TensorIndex.Slice(step: 2)].ToArray<long>());
        Assert.Equal([2L, 1, 3, 4], a[.., TensorIndex.NewAxis].shape);
        Assert.Equal([20L, 21, 22, 23], a[a > 19].ToArray<long>());
        Assert.Equal([8L, 0], a[0, torch.tensor([2L, 0]), 0].ToArray<long>());
        a[0, 0] = torch.tensor([-1L]);
        Assert.Equal([-1L, -1, -1, -1], a[0, 0].ToArray<long>());
    }

    [Fact]
    public void Backward_gives_gradients()
    {
        using var scope = torch.NewDisposeScope();
        Tensor x = torch.tensor([1.0, 2, 3]).requires_grad_();
        (x * x).sum().backward();
        Assert.Equal([2.0, 4, 6], x.grad!.ToArray<double>());
        Tensor y = torch.autograd.grad([(x * x * x).sum()], [x], create_graph: true)[0];
        Assert.Equal([6.0, 12, 18], torch.autograd.grad([y.sum()], [x])[0].ToArray<double>());
    }

    [Fact]
    public void TorchException_names_operator()
    {
        using var scope = torch.NewDisposeScope();
        var error = Assert.Throws<TorchException>(() => torch.zeros([2, 3]).matmul(torch.zeros([2, 3])));
        Assert.StartsWith("aten::matmul: ", error.Message);
        Assert.Contains("2x3", error.Message);
    }

    [Fact]
    public void DisposeScope_frees_its_tensors()
    {
        Tensor kept, freed;
        using (torch.NewDisposeScope())
        {
            freed = torch.zeros([3]);
            kept = (freed + 1).MoveToOuterDisposeScope();
        }
        Assert.True(freed.IsDisposed);
        Assert.Equal([1f, 1, 1], kept.ToArray<float>());
        kept.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kept.shape);
    }

    [Fact]
    public void Data_span_shares_memory_with_tensor()
    {
        using Tensor a = torch.zeros([2, 2]);
        a.data<float>()[3] = 5;
        Assert.Equal(5, a[1, 1].item());
        using Tensor transposed = a.t();
        Assert.Throws<InvalidOperationException>(() => transposed.data<float>().Length);
        Assert.Throws<InvalidOperationException>(() => a.data<double>().Length);
    }

    [Fact]
    public void ToString_shows_shape_and_values() =>
        Assert.Equal("Tensor([2, 2], Float32)\n[[1, 2],\n [3, 4]]", torch.tensor([1f, 2, 3, 4], 2, 2).ToString());
}
