namespace Tinctor.Torch;

public static partial class torch
{
    /// <summary>Zeros.</summary>
    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.zeros.Call(size, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Ones.</summary>
    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.ones.Call(size, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Uninitialised memory.</summary>
    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.empty__memory_format.Call(size, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>One value everywhere.</summary>
    public static Tensor full(long[] size, Scalar fill_value, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.full.Call(size, fill_value, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>The identity matrix.</summary>
    public static Tensor eye(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.eye.Call(n, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>0, 1, ... up to, but without, end.</summary>
    public static Tensor arange(Scalar end, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, end, 1, dtype, device, requires_grad);

    /// <summary>start, start + step, ... below end.</summary>
    public static Tensor arange(Scalar start, Scalar end, Scalar? step = null, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.arange__start_step.Call(start, end, step ?? 1, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Evenly spaced numbers, both ends included.</summary>
    public static Tensor linspace(Scalar start, Scalar end, long steps, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.linspace.Call(start, end, steps, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Uniform random numbers in [0, 1).</summary>
    public static Tensor rand(long[] size, Generator? generator = null, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.rand__generator.Call(size, generator, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Normal random numbers.</summary>
    public static Tensor randn(long[] size, Generator? generator = null, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.randn__generator.Call(size, generator, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Random integers in [low, high), int64 by default.</summary>
    public static Tensor randint(long low, long high, long[] size, Generator? generator = null, ScalarType? dtype = null,
        Device? device = null, bool requires_grad = false) =>
        Ops.randint__low_generator.Call(low, high, size, generator, dtype ?? ScalarType.Int64, Arg.None, device).WithGrad(requires_grad);

    /// <summary>0 to n-1 in random order, int64 by default.</summary>
    public static Tensor randperm(long n, Generator? generator = null, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.randperm__generator.Call(n, generator, dtype ?? ScalarType.Int64, Arg.None, device).WithGrad(requires_grad);

    /// <summary>The Hann window.</summary>
    public static Tensor hann_window(long window_length, bool periodic = true, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.hann_window__periodic.Call(window_length, periodic, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Zeros, of another tensor's shape, type and device.</summary>
    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.zeros_like.Call(input, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Ones, of another tensor's shape, type and device.</summary>
    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.ones_like.Call(input, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Uninitialised memory, of another tensor's shape, type and device.</summary>
    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.empty_like.Call(input, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Uniform random numbers, of another tensor's shape, type and device.</summary>
    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.rand_like.Call(input, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>Normal random numbers, of another tensor's shape, type and device.</summary>
    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Ops.randn_like.Call(input, dtype, Arg.None, device).WithGrad(requires_grad);

    /// <summary>One value, in another tensor's shape, type and device.</summary>
    public static Tensor full_like(Tensor input, Scalar fill_value, ScalarType? dtype = null, Device? device = null,
        bool requires_grad = false) =>
        Ops.full_like.Call(input, fill_value, dtype, Arg.None, device).WithGrad(requires_grad);
}
