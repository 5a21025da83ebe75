using Tinctor.Tests;
using Tinctor.Torch.Nn;

namespace Tinctor.Torch.Tests;

/// <summary>Modes, generators, threads, TorchScript, printing.</summary>
[Collection(Alone.Name)]
public class EngineTests
{
    [Fact]
    public void NullReference_after_loading_libtorch_is_an_exception()
    {
        _ = torch.version.libtorch;
        string? nothing = Environment.GetEnvironmentVariable("TINCTOR_TEST_NOTHING");
        Assert.Throws<NullReferenceException>(() => nothing!.Length);
    }

    [Fact]
    public void Generator_seed_gives_numbers_of_PyTorch()
    {
        using var scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(0);
        Vectors.AssertClose(torch.tensor([0.4962566f, 0.7682218f, 0.08847743f]), torch.rand([3], random), "rand");
        Assert.Equal(0UL, random.initial_seed());
    }

    [Fact]
    public void Generator_resumes_from_saved_state()
    {
        using var scope = torch.NewDisposeScope();
        using Generator random = new Generator().manual_seed(3), other = new();
        torch.randn([5], random);
        Tensor state = random.get_state();
        float[] expected = torch.randn([17], random).ToArray<float>();
        other.set_state(state);
        Assert.Equal(expected, torch.randn([17], other).ToArray<float>());
        Assert.Throws<TorchException>(() => random.set_state(torch.zeros([3], ScalarType.Byte)));
        random.Dispose();
        Assert.Throws<ObjectDisposedException>(() => torch.randn([1], random));
    }

    [Fact]
    public void Generator_default_state_is_saved_and_restored()
    {
        using var scope = torch.NewDisposeScope();
        torch.manual_seed(11);
        Tensor state = torch.get_rng_state();
        float[] expected = torch.rand([4]).ToArray<float>();
        using (var own = new Generator().manual_seed(1)) torch.rand([9], own);
        torch.set_rng_state(state);
        Assert.Equal(expected, torch.rand([4]).ToArray<float>());
    }

    [Fact]
    public void Autocast_applies_to_suitable_operators_only()
    {
        using var scope = torch.NewDisposeScope();
        using var conv = new Conv2d(2, 3, 3);
        Tensor x = torch.randn([1, 2, 8, 8]), exact = conv.forward(x);
        Tensor low, inner;
        using (torch.autocast(DeviceType.CPU))
        {
            low = conv.forward(x);
            Assert.Equal(ScalarType.Float32, (x * 2).dtype);
            using (torch.autocast(DeviceType.CPU, enabled: false)) inner = conv.forward(x);
        }
        Assert.Equal((ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float32), (low.dtype, inner.dtype, conv.forward(x).dtype));
        Vectors.AssertClose(exact, low.@float(), "bf16", 0.02, 0.02);
        low.@float().sum().backward();
        Assert.Equal(ScalarType.Float32, conv.weight.grad!.dtype);
    }

    [Fact]
    public void Guard_mode_ends_with_its_block()
    {
        using var scope = torch.NewDisposeScope();
        Tensor x = torch.ones([2]).requires_grad_();
        using (torch.no_grad())
        {
            Assert.False((x * 2).requires_grad);
            using (torch.enable_grad()) Assert.True((x * 2).requires_grad);
            Assert.False(torch.is_grad_enabled());
        }
        Tensor inferred;
        using (torch.inference_mode()) inferred = x * 2;
        Assert.False(inferred.requires_grad);
        Assert.True((x * 2).requires_grad);
        Assert.Throws<TorchException>(() => (inferred * x).sum().backward());
    }

    [Fact]
    public void Guard_mode_belongs_to_its_thread()
    {
        using Guard quiet = torch.no_grad();
        bool elsewhere = false;
        var thread = new Thread(() => elsewhere = torch.is_grad_enabled());
        thread.Start();
        thread.Join();
        Assert.True(elsewhere);
        Assert.False(torch.is_grad_enabled());
    }

    [Fact]
    public void Backward_on_parallel_threads_keeps_results_separate()
    {
        var sums = new double[8];
        Parallel.For(0, sums.Length, i =>
        {
            using var scope = torch.NewDisposeScope();
            using var random = new Generator().manual_seed((ulong)i);
            Tensor weight = torch.randn([8, 8], random, ScalarType.Float64).requires_grad_();
            for (int step = 0; step < 50; step++)
            {
                using var inner = torch.NewDisposeScope();
                weight.grad = null;
                weight.matmul(weight).tanh().sum().backward();
                using Guard quiet = torch.no_grad();
                weight.sub_(weight.grad!, 0.01);
                Assert.Throws<TorchException>(() => weight.matmul(torch.zeros([3, i + 9], ScalarType.Float64)));
            }
            sums[i] = weight.detach().sum().item();
        });
        for (int i = 0; i < sums.Length; i++) Assert.True(double.IsFinite(sums[i]) && Array.IndexOf(sums, sums[i]) == i);
    }

    [Fact]
    public void Set_num_threads_of_zero_throws()
    {
        int threads = torch.get_num_threads();
        Assert.True(threads >= 1);
        Assert.Contains("set_num_threads", Assert.Throws<TorchException>(() => torch.set_num_threads(0)).Message);
        Assert.Equal(threads, torch.get_num_threads());
    }

    [Fact]
    public void Operator_error_stays_on_its_thread()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.zeros([2]), b = torch.zeros([3]);
        string here = Assert.Throws<TorchException>(() => a + b).Message;
        Parallel.For(0, 4, _ => Assert.Throws<TorchException>(() => new Operator("aten::nothing").Call(a)));
        Assert.StartsWith("aten::add: ", here);
        string unknown = Assert.Throws<TorchException>(() => new Operator("aten::add", "Nothing").Call(a)).Message;
        Assert.StartsWith("aten::add: libtorch ", unknown);
        Assert.EndsWith("has no such operator with the overload 'Nothing'", unknown);
        Assert.Contains("takes 1 arguments, got 2", Assert.Throws<TorchException>(() => new Operator("aten::relu").Call(a, b)).Message);
        Assert.Contains("'weight' is missing", Assert.Throws<TorchException>(() => new Operator("aten::conv2d").Call(a)).Message);
    }

    [Fact]
    public void Operator_call_with_other_result_types_throws()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = torch.zeros([4]);
        var error = Assert.Throws<TorchException>(() => new Operator("aten::sort").Call(a));
        Assert.Equal("aten::sort does not return one tensor", error.Message);
        Assert.Throws<TorchException>(() => new Operator("aten::chunk").Call(a, 2));
        Assert.Throws<TorchException>(() => new Operator("aten::relu").CallNumber(a));
        Assert.Throws<TorchException>(() => new Operator("aten::relu").Call(Arg.None));
    }

    [Fact]
    public void Item_gives_exact_number_of_each_type()
    {
        using var scope = torch.NewDisposeScope();
        Assert.Equal(9007199254740993L, torch.tensor([9007199254740993L]).item<long>());
        Assert.Equal(255, torch.tensor([300f]).item<byte>());
        Assert.Equal(1, torch.tensor([true]).item());
        Assert.Equal(0.1f, torch.tensor([0.1f]).item<float>());
        Assert.Throws<TorchException>(() => torch.zeros([2]).item());
    }

    [Fact]
    public void ToString_depends_on_element_type()
    {
        using var scope = torch.NewDisposeScope();
        Assert.Equal("Tensor([2], Int64)\n[1234567890123, -1]", torch.tensor([1234567890123L, -1]).ToString());
        Assert.Equal("Tensor([2], Bool)\n[True, False]", torch.tensor([true, false]).ToString());
        Assert.Equal("Tensor([], Float32, requires_grad)\n0.5", torch.tensor(0.5).requires_grad_().ToString());
        Assert.Equal("Tensor([1], ComplexFloat32)\n[1-2j]", torch.complex(torch.ones([1]), torch.full([1], -2.0)).ToString());
        Assert.Equal("Tensor([2000], Int64)\n[0, 1, 2, ..., 1997, 1998, 1999]", torch.arange(0, 2000).ToString());
        Assert.Equal("Tensor([0, 3], Float32)\n[]", torch.zeros([0, 3]).ToString());
        Tensor gone = torch.zeros([1]);
        gone.Dispose();
        Assert.Equal("Tensor(disposed)", gone.ToString());
    }

    [Fact]
    public void Script_forward_returns_results()
    {
        using var scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = Torch.Serialization.SafeTensors.Load(Vectors.Path("script.safetensors"));
        using ScriptModule script = torch.jit.load(Vectors.Path("script.pt"));
        Tensor[] results = script.forward(expected["x"]);
        Assert.Equal(3, results.Length);
        Vectors.AssertClose(expected["y"], results[0], "y");
        Vectors.AssertClose(expected["mean"], results[1], "mean");
        Vectors.AssertClose(expected["std"], results[2], "std");
        Assert.Equal([3f, 3], script.Call("double", torch.ones([2]), torch.ones([2]))[0].ToArray<float>());

        script.train();
        Assert.False(torch.equal(script.forward(expected["x"])[0], results[0]));
        Assert.True(torch.equal(script.eval().forward(expected["x"])[0], results[0]));
    }

    [Fact]
    public void Script_invalid_calls_throw()
    {
        using var scope = torch.NewDisposeScope();
        using ScriptModule script = torch.jit.load(Vectors.Path("script.pt"));
        var error = Assert.Throws<TorchException>(() => script.Call("with_count", torch.ones([2])));
        Assert.Equal("a result is no tensor but Int", error.Message);
        Assert.StartsWith("jit.forward: ", Assert.Throws<TorchException>(() => script.forward(torch.ones([2]))).Message);
        Assert.Throws<TorchException>(() => script.Call("nothing", torch.ones([2])));
        Assert.Contains("no such file: no such file", Assert.Throws<TinctorException>(() => torch.jit.load("no such file")).Message);
        Assert.Throws<TorchException>(() => torch.jit.load(Vectors.Path("script.safetensors")));
        script.Dispose();
        Assert.Throws<ObjectDisposedException>(() => script.forward(torch.ones([1])));
    }

    [Fact]
    public void DisposeScope_outer_before_inner_throws()
    {
        DisposeScope outer = torch.NewDisposeScope(), inner = torch.NewDisposeScope();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
        outer.Dispose();
    }

    [Fact]
    public void IsOutOfMemory_is_true_only_for_memory()
    {
        Assert.True(Assert.Throws<TorchException>(() => torch.empty([1L << 60], ScalarType.Byte)).IsOutOfMemory);
        Assert.True(new TorchException("aten::conv2d: CUDA out of memory. Tried to allocate 2.00 GiB").IsOutOfMemory);
        Assert.False(Assert.Throws<TorchException>(() => torch.zeros([2]).item()).IsOutOfMemory);
    }
}
