namespace Tinctor.Torch;

public sealed partial class Tensor
{
    /// <summary>The same data in another shape; -1 is inferred.</summary>
    public Tensor view(params long[] shape) => Ops.view.Call(this, shape);

    /// <summary><see cref="view"/>, or a copy if the strides do not allow a view.</summary>
    public Tensor reshape(params long[] shape) => Ops.reshape.Call(this, shape);

    /// <summary>Flattens a range of dimensions into one.</summary>
    public Tensor flatten(long start_dim = 0, long end_dim = -1) => Ops.flatten__using_ints.Call(this, start_dim, end_dim);

    /// <summary>Removes the dimensions of size one.</summary>
    public Tensor squeeze() => Ops.squeeze.Call(this);

    /// <summary>Removes a dimension of size one.</summary>
    public Tensor squeeze(long dim) => Ops.squeeze__dim.Call(this, dim);

    /// <summary>Inserts a dimension of size one.</summary>
    public Tensor unsqueeze(long dim) => Ops.unsqueeze.Call(this, dim);

    /// <summary>Exchanges two dimensions.</summary>
    public Tensor transpose(long dim0, long dim1) => Ops.transpose__int.Call(this, dim0, dim1);

    /// <summary>Transposes a matrix.</summary>
    public Tensor t() => Ops.t.Call(this);

    /// <summary>Permutes the dimensions.</summary>
    public Tensor permute(params long[] dims) => Ops.permute.Call(this, dims);

    /// <summary>Moves a dimension to another position.</summary>
    public Tensor movedim(long source, long destination) => Ops.movedim__int.Call(this, source, destination);

    /// <summary>Dimensions of size one repeated without a copy; -1 keeps a size.</summary>
    public Tensor expand(params long[] sizes) => Ops.expand.Call(this, sizes);

    /// <summary><see cref="expand"/> to another tensor's shape.</summary>
    public Tensor expand_as(Tensor other) => Ops.expand_as.Call(this, other);

    /// <summary>Repeats the tensor along its dimensions.</summary>
    public Tensor repeat(params long[] repeats) => Ops.repeat.Call(this, repeats);

    /// <summary>Repeats each element.</summary>
    public Tensor repeat_interleave(long repeats, long? dim = null) => Ops.repeat_interleave__self_int.Call(this, repeats, dim);

    /// <summary>One position of a dimension, a view.</summary>
    public Tensor select(long dim, long index) => Ops.select__int.Call(this, dim, index);

    /// <summary>Part of a dimension, a view.</summary>
    public Tensor narrow(long dim, long start, long length) => Ops.narrow.Call(this, dim, start, length);

    /// <summary>Part of a dimension with a step, a view.</summary>
    public Tensor slice(long dim, long start = 0, long? stop = null, long step = 1) => Ops.slice__Tensor.Call(this, dim, start, stop, step);

    /// <summary>Copies the given indices of a dimension.</summary>
    public Tensor index_select(long dim, Tensor index) => Ops.index_select.Call(this, dim, index);

    /// <summary>Gathers elements along a dimension.</summary>
    public Tensor gather(long dim, Tensor index) => Ops.gather.Call(this, dim, index);

    /// <summary>Scatters elements along a dimension.</summary>
    public Tensor scatter_(long dim, Tensor index, Tensor src)
    {
        Ops.scatter___src.CallVoid(this, dim, index, src);
        return this;
    }

    /// <summary>Adds elements along a dimension.</summary>
    public Tensor scatter_add_(long dim, Tensor index, Tensor src)
    {
        Ops.scatter_add_.CallVoid(this, dim, index, src);
        return this;
    }

    /// <summary>Splits a dimension into parts of a size.</summary>
    public Tensor[] split(long split_size, long dim = 0) => Ops.split__Tensor.CallMany(this, split_size, dim);

    /// <summary>Splits a dimension into parts of given sizes.</summary>
    public Tensor[] split(long[] split_sizes, long dim = 0) => Ops.split_with_sizes.CallMany(this, split_sizes, dim);

    /// <summary>Splits a dimension into equal parts.</summary>
    public Tensor[] chunk(long chunks, long dim = 0) => Ops.chunk.CallMany(this, chunks, dim);

    /// <summary>Splits a dimension into its positions.</summary>
    public Tensor[] unbind(long dim = 0) => Ops.unbind__int.CallMany(this, dim);

    /// <summary>Reverses dimensions.</summary>
    public Tensor flip(params long[] dims) => Ops.flip.Call(this, dims);

    /// <summary>Rotates by k times 90 degrees in a plane.</summary>
    public Tensor rot90(long k = 1, long[]? dims = null) => Ops.rot90.Call(this, k, dims ?? [0, 1]);

    /// <summary>Shifts elements cyclically.</summary>
    public Tensor roll(long[] shifts, long[]? dims = null) => Ops.roll.Call(this, shifts, dims ?? []);

    /// <summary>Sliding windows along a dimension, a view.</summary>
    public Tensor unfold(long dimension, long size, long step) => Ops.unfold.Call(this, dimension, size, step);

    /// <summary>The lower triangle.</summary>
    public Tensor tril(long diagonal = 0) => Ops.tril.Call(this, diagonal);

    /// <summary>The upper triangle.</summary>
    public Tensor triu(long diagonal = 0) => Ops.triu.Call(this, diagonal);

    /// <summary>A diagonal, a view.</summary>
    public Tensor diagonal(long offset = 0, long dim1 = 0, long dim2 = 1) => Ops.diagonal.Call(this, offset, dim1, dim2);

    /// <summary>The diagonal of a matrix, or a matrix from a diagonal.</summary>
    public Tensor diag(long diagonal = 0) => Ops.diag.Call(this, diagonal);

    /// <summary>Contiguous tensor in row-major or channels-last order; the tensor itself if it is contiguous.</summary>
    public Tensor contiguous(MemoryFormat memory_format = MemoryFormat.Contiguous) =>
        Ops.contiguous.Call(this, (MemoryFormat?)memory_format);

    /// <summary>A copy, recorded by autograd.</summary>
    public Tensor clone() => Ops.clone.Call(this);

    /// <summary>The same data with another handle, a view.</summary>
    public Tensor alias() => Ops.alias.Call(this);

    /// <summary>The same data without its graph.</summary>
    public Tensor detach() => Ops.detach.Call(this);

    /// <summary>Copies the values of another tensor, with broadcasting and conversion.</summary>
    public Tensor copy_(Tensor src, bool non_blocking = false)
    {
        Ops.copy_.CallVoid(this, src, non_blocking);
        return this;
    }

    /// <summary>Sets every element.</summary>
    public Tensor fill_(Scalar value)
    {
        Ops.fill___Scalar.CallVoid(this, value);
        return this;
    }

    /// <summary>Sets every element to zero.</summary>
    public Tensor zero_()
    {
        Ops.zero_.CallVoid(this);
        return this;
    }

    /// <summary>Fills with normal random numbers.</summary>
    public Tensor normal_(double mean = 0, double std = 1, Generator? generator = null)
    {
        Ops.normal_.CallVoid(this, mean, std, generator);
        return this;
    }

    /// <summary>Fills with uniform random numbers.</summary>
    public Tensor uniform_(double from = 0, double to = 1, Generator? generator = null)
    {
        Ops.uniform_.CallVoid(this, from, to, generator);
        return this;
    }

    /// <summary>Fills with ones of probability p, and zeros.</summary>
    public Tensor bernoulli_(double p = 0.5, Generator? generator = null)
    {
        Ops.bernoulli___float.CallVoid(this, p, generator);
        return this;
    }

    /// <summary>Elements of this tensor where the condition is true, of the other tensor elsewhere.</summary>
    public Tensor where(Tensor condition, Tensor other) => Ops.where__self.Call(condition, this, other);

    /// <summary>Moves to a device and converts to a type; returns the tensor itself if nothing changes.</summary>
    public Tensor to(Device device, ScalarType dtype, bool non_blocking = false, bool copy = false) =>
        Ops.to__device.Call(this, (Device?)device, (ScalarType?)dtype, non_blocking, copy);

    /// <summary>Converts to a type; returns the tensor itself if nothing changes.</summary>
    public Tensor to(ScalarType dtype, bool non_blocking = false, bool copy = false) =>
        Ops.to__dtype.Call(this, (ScalarType?)dtype, non_blocking, copy);

    /// <summary>Moves to a device; returns the tensor itself if nothing changes.</summary>
    public Tensor to(Device device, bool non_blocking = false, bool copy = false) => to(device, dtype, non_blocking, copy);

    /// <summary>Moves to main memory.</summary>
    public Tensor cpu() => to(Device.CPU);

    /// <summary>Moves to a GPU.</summary>
    public Tensor cuda(int index = -1) => to(new Device(DeviceType.CUDA, index));

    /// <summary>Converts to another memory format.</summary>
    public Tensor to(MemoryFormat memory_format) => contiguous(memory_format);

    /// <summary>As Float32.</summary>
    public Tensor @float() => to(ScalarType.Float32);

    /// <summary>As Float64.</summary>
    public Tensor @double() => to(ScalarType.Float64);

    /// <summary>As Float16.</summary>
    public Tensor half() => to(ScalarType.Float16);

    /// <summary>As BFloat16.</summary>
    public Tensor bfloat16() => to(ScalarType.BFloat16);

    /// <summary>As Int64.</summary>
    public Tensor @long() => to(ScalarType.Int64);

    /// <summary>As Int32.</summary>
    public Tensor @int() => to(ScalarType.Int32);

    /// <summary>As Byte.</summary>
    public Tensor @byte() => to(ScalarType.Byte);

    /// <summary>As Bool.</summary>
    public Tensor @bool() => to(ScalarType.Bool);

    /// <summary>Creates zeros of the type and device of this tensor.</summary>
    public Tensor new_zeros(params long[] size) => Ops.new_zeros.Call(this, size);
}
