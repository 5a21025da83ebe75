using System.Runtime.InteropServices;

namespace Tinctor.Torch;

/// <summary>
/// A libtorch tensor. Names, argument order and defaults are PyTorch's. Memory is freed by <see cref="Dispose"/>, by the
/// <see cref="DisposeScope"/> in which the tensor was made, or, as a safety net, by the finaliser.
/// </summary>
public sealed unsafe partial class Tensor : IDisposable
{
    internal DisposeScope? scope;
    private nint handle;

    /// <summary>Takes over a native reference.</summary>
    internal Tensor(nint handle)
    {
        this.handle = handle;
        DisposeScope.Current?.Add(this);
    }

    internal nint Handle =>
        handle != 0 ? handle : throw new ObjectDisposedException(nameof(Tensor), "this tensor was disposed, or its scope was closed");

    /// <summary>Whether the native memory was given back.</summary>
    public bool IsDisposed => handle == 0;

    private TensorInfo Info
    {
        get
        {
            TensorInfo info;
            NativeMethods.Check(NativeMethods.tt_tensor_info(Handle, &info));
            GC.KeepAlive(this);
            return info;
        }
    }

    /// <summary>The size of each dimension.</summary>
    public long[] shape
    {
        get
        {
            TensorInfo info = Info;
            long[] sizes = new ReadOnlySpan<long>(info.sizes, info.ndim).ToArray();
            GC.KeepAlive(this);
            return sizes;
        }
    }

    /// <summary>The step of each dimension, in elements.</summary>
    public long[] stride()
    {
        TensorInfo info = Info;
        if (info.strides == null) throw new InvalidOperationException("this tensor's layout has no strides");
        long[] strides = new ReadOnlySpan<long>(info.strides, info.ndim).ToArray();
        GC.KeepAlive(this);
        return strides;
    }

    /// <summary>The size of one dimension; negative numbers count from the end.</summary>
    public long size(int dim)
    {
        TensorInfo info = Info;
        int index = dim < 0 ? dim + info.ndim : dim;
        if ((uint)index >= (uint)info.ndim)
            throw new ArgumentOutOfRangeException(nameof(dim), dim, $"the tensor has {info.ndim} dimensions");
        long size = info.sizes[index];
        GC.KeepAlive(this);
        return size;
    }

    /// <summary>The number of dimensions.</summary>
    public int ndim => Info.ndim;

    /// <summary>The number of dimensions.</summary>
    public int dim() => Info.ndim;

    /// <summary>The number of elements.</summary>
    public long numel() => Info.numel;

    /// <summary>The type of the elements.</summary>
    public ScalarType dtype => (ScalarType)Info.dtype;

    /// <summary>Where the elements are.</summary>
    public Device device => Device.Unpack(Info.device);

    /// <summary>Whether operations on this tensor are recorded for backward.</summary>
    public bool requires_grad
    {
        get => Info.requires_grad != 0;
        set
        {
            NativeMethods.Check(NativeMethods.tt_tensor_set_requires_grad(Handle, value ? 1 : 0));
            GC.KeepAlive(this);
        }
    }

    /// <summary>Sets <see cref="requires_grad"/> and returns the tensor.</summary>
    public Tensor requires_grad_(bool requires_grad = true)
    {
        this.requires_grad = requires_grad;
        return this;
    }

    /// <summary>Whether the tensor was not made by a recorded operation.</summary>
    public bool is_leaf => Info.is_leaf != 0;

    /// <summary>The gradient that backward has accumulated, or null. Each read makes a new handle to the same data.</summary>
    public Tensor? grad
    {
        get
        {
            nint grad = NativeMethods.tt_tensor_grad(Handle);
            GC.KeepAlive(this);
            return grad == 0 ? null : new Tensor(grad);
        }
        set
        {
            NativeMethods.Check(NativeMethods.tt_tensor_set_grad(Handle, value?.Handle ?? 0));
            GC.KeepAlive(this);
            GC.KeepAlive(value);
        }
    }

    /// <summary>Whether the elements lie in row-major (or channels-last) order without gaps.</summary>
    public bool is_contiguous(MemoryFormat memory_format = MemoryFormat.Contiguous)
    {
        long[] sizes = shape, strides = stride();
        int[] order = memory_format == MemoryFormat.ChannelsLast && sizes.Length == 4
            ? [1, 3, 2, 0]
            : [.. Enumerable.Range(0, sizes.Length).Reverse()];
        long expected = 1;
        foreach (int dim in order)
        {
            if (sizes[dim] == 0) return true;
            if (sizes[dim] != 1 && strides[dim] != expected) return false;
            expected *= sizes[dim];
        }
        return true;
    }

    /// <summary>Whether the elements are real or half floats.</summary>
    public bool is_floating_point() => dtype is ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;

    /// <summary>Bytes of one element.</summary>
    public int element_size() => dtype.Size();

    /// <summary>
    /// The elements themselves, without a copy. Valid as long as the tensor lives: keep the tensor in use beyond the span.
    /// </summary>
    /// <exception cref="InvalidOperationException">Not on the CPU, not contiguous, or of another type.</exception>
    public Span<T> data<T>() where T : unmanaged
    {
        if (dtype != ScalarTypes.Of<T>()) throw new InvalidOperationException($"the tensor holds {dtype}, not {typeof(T).Name}");
        return MemoryMarshal.Cast<byte, T>(bytes());
    }

    /// <summary>The elements as bytes, without a copy; as <see cref="data{T}"/>, for any type.</summary>
    /// <exception cref="InvalidOperationException">Not on the CPU, or not contiguous.</exception>
    public Span<byte> bytes()
    {
        TensorInfo info = Info;
        if (Device.Unpack(info.device).type != DeviceType.CPU)
            throw new InvalidOperationException("the tensor is not on the CPU; call cpu() first");
        if (!is_contiguous()) throw new InvalidOperationException("the tensor is not contiguous; call contiguous() first");
        long length = info.numel * ((ScalarType)info.dtype).Size();
        if (length > int.MaxValue) throw new InvalidOperationException($"{length} bytes do not fit a span; take slices of the tensor");
        return length == 0 ? [] : new Span<byte>((void*)NativeMethods.Check((nint)NativeMethods.tt_tensor_data_ptr(Handle)), (int)length);
    }

    /// <summary>The only element, converted to a .NET number.</summary>
    /// <exception cref="TorchException">There is more than one element.</exception>
    public T item<T>() where T : unmanaged, System.Numerics.INumberBase<T> => Ops.item.CallNumber<T>(this);

    /// <summary>The only element as a double.</summary>
    public double item() => Ops.item.CallNumber(this);

    /// <summary>All elements in row-major order, copied (and converted to the CPU and contiguous memory if need be).</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return detach().cpu().contiguous().data<T>().ToArray();
    }

    /// <summary>Takes the tensor out of its scope; it then lives until it is disposed.</summary>
    public Tensor DetachFromDisposeScope()
    {
        scope = null;
        return this;
    }

    /// <summary>Hands the tensor over to the scope around its own, or to none if there is no outer one.</summary>
    public Tensor MoveToOuterDisposeScope()
    {
        DisposeScope? outer = scope?.Outer;
        if (outer is null) scope = null;
        else outer.Add(this);
        return this;
    }

    /// <summary>Gives the native memory back.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what nobody disposed of.</summary>
    ~Tensor() => Free();

    /// <summary>Gives the native reference away.</summary>
    internal nint Release()
    {
        GC.SuppressFinalize(this);
        return Interlocked.Exchange(ref handle, 0);
    }

    private void Free()
    {
        nint freed = Interlocked.Exchange(ref handle, 0);
        if (freed != 0) NativeMethods.tt_tensor_free(freed);
    }
}
