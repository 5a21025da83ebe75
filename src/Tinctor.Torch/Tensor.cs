using System.Runtime.InteropServices;

namespace Tinctor.Torch;

/// <summary>
/// A libtorch tensor. Names, argument order and defaults are PyTorch's. Memory is freed by <see cref="Dispose"/>, by the
/// <see cref="DisposeScope"/> in which the tensor was created, or finally by the finaliser.
/// </summary>
public sealed unsafe partial class Tensor : IDisposable
{
    internal DisposeScope? scope;
    private nint handle;

    /// <summary>Takes ownership of a native reference.</summary>
    internal Tensor(nint handle)
    {
        this.handle = handle;
        DisposeScope.Current?.Add(this);
    }

    internal nint Handle =>
        handle != 0 ? handle : throw new ObjectDisposedException(nameof(Tensor), "this tensor was disposed, or its scope was closed");

    /// <summary>Whether the tensor was disposed.</summary>
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

    /// <summary>Device of the elements.</summary>
    public Device device => Device.Unpack(Info.device);

    /// <summary>Whether autograd records operations on this tensor.</summary>
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

    /// <summary>Whether the tensor is a leaf of the graph.</summary>
    public bool is_leaf => Info.is_leaf != 0;

    /// <summary>Accumulated gradient, or null. Each read creates a new handle to the same data.</summary>
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
    /// Span of the elements, without a copy. Valid during the lifetime of the tensor: keep the tensor in use after the span.
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

    /// <summary>Copies all elements in row-major order, from any device and layout.</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return detach().cpu().contiguous().data<T>().ToArray();
    }

    /// <summary>Removes the tensor from its scope; it then lives until its disposal.</summary>
    public Tensor DetachFromDisposeScope()
    {
        scope = null;
        return this;
    }

    /// <summary>Moves the tensor to the outer scope, or to none if there is no outer scope.</summary>
    public Tensor MoveToOuterDisposeScope()
    {
        DisposeScope? outer = scope?.Outer;
        if (outer is null) scope = null;
        else outer.Add(this);
        return this;
    }

    /// <summary>Frees the native memory.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees tensors that were not disposed.</summary>
    ~Tensor() => Free();

    /// <summary>Releases the ownership of the native reference.</summary>
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
