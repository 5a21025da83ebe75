namespace Tinctor.Torch;

/// <summary>
/// One part of an index: a number, a C# range (<c>..</c>, <c>2..5</c>, <c>..^1</c>), a <see cref="Slice"/> with a step,
/// <see cref="Ellipsis"/>, <see cref="NewAxis"/>, a mask or a tensor of positions.
/// </summary>
public readonly struct TensorIndex
{
    internal enum Kind { Integer, Slice, Ellipsis, NewAxis, Tensor }

    internal readonly Kind kind;
    internal readonly long start, step;
    internal readonly long? stop;
    internal readonly Tensor? tensor;

    private TensorIndex(Kind kind, long start = 0, long? stop = null, long step = 1, Tensor? tensor = null) =>
        (this.kind, this.start, this.stop, this.step, this.tensor) = (kind, start, stop, step, tensor);

    /// <summary>As many whole dimensions as are needed.</summary>
    public static readonly TensorIndex Ellipsis = new(Kind.Ellipsis);

    /// <summary>A new dimension of size one.</summary>
    public static readonly TensorIndex NewAxis = new(Kind.NewAxis);

    /// <summary>start:stop:step, negative positions counting from the end.</summary>
    public static TensorIndex Slice(long start = 0, long? stop = null, long step = 1) => new(Kind.Slice, start, stop, step);

    /// <summary>One position, which removes the dimension.</summary>
    public static implicit operator TensorIndex(long index) => new(Kind.Integer, index);

    /// <summary>One position, which removes the dimension.</summary>
    public static implicit operator TensorIndex(int index) => new(Kind.Integer, index);

    /// <summary>One position; <c>^1</c> is the last.</summary>
    public static implicit operator TensorIndex(Index index) => new(Kind.Integer, index.IsFromEnd ? -index.Value : index.Value);

    /// <summary>A range of positions.</summary>
    public static implicit operator TensorIndex(Range range) =>
        new(Kind.Slice, FromEnd(range.Start) ?? 0, range.End.Equals(Index.End) ? null : FromEnd(range.End));

    /// <summary>A boolean mask or a tensor of positions.</summary>
    public static implicit operator TensorIndex(Tensor tensor) => new(Kind.Tensor, tensor: tensor);

    // ^0 as a start means "past the end".
    private static long? FromEnd(Index index) => !index.IsFromEnd ? index.Value : index.Value == 0 ? long.MaxValue : -index.Value;
}

public sealed partial class Tensor
{
    /// <summary>Part of the tensor, as PyTorch's square brackets: a view for numbers and slices, a copy for masks and positions.</summary>
    /// <exception cref="IndexOutOfRangeException">More indices than dimensions.</exception>
    /// <exception cref="TorchException">A position outside the tensor.</exception>
    public Tensor this[params ReadOnlySpan<TensorIndex> indices]
    {
        get
        {
            (Tensor view, Tensor?[] advanced) = Resolve(indices);
            if (advanced.Length == 0) return view == this ? alias() : view;
            Tensor result = Ops.index.Call(view, advanced);
            if (view != this) view.Dispose();
            return result;
        }
        set
        {
            (Tensor view, Tensor?[] advanced) = Resolve(indices);
            if (advanced.Length == 0) view.copy_(value);
            else Ops.index_put_.CallVoid(view, advanced, value);
            if (view != this) view.Dispose();
        }
    }

    // Numbers and slices become views one by one; masks and positions are collected, one slot a remaining dimension.
    private (Tensor view, Tensor?[] advanced) Resolve(ReadOnlySpan<TensorIndex> indices)
    {
        Tensor view = this;
        var advanced = new List<Tensor?>();
        int axis = 0;
        foreach (ref readonly TensorIndex index in indices)
        {
            Tensor before = view;
            switch (index.kind)
            {
                case TensorIndex.Kind.Integer:
                    view = view.select(axis, index.start);
                    break;
                case TensorIndex.Kind.Slice:
                    view = view.slice(axis++, index.start, index.stop, index.step);
                    break;
                case TensorIndex.Kind.NewAxis:
                    view = view.unsqueeze(axis++);
                    break;
                case TensorIndex.Kind.Ellipsis:
                    axis = view.ndim - Remaining(indices);
                    break;
                case TensorIndex.Kind.Tensor:
                    while (advanced.Count < axis) advanced.Add(null);
                    advanced.Add(index.tensor);
                    axis += index.tensor!.dtype == ScalarType.Bool ? index.tensor.ndim : 1;
                    break;
            }
            if (before != view && before != this) before.Dispose();
        }
        return (view, advanced.ToArray());
    }

    // How many of the tensor's dimensions the indices after the ellipsis take.
    private static int Remaining(ReadOnlySpan<TensorIndex> indices)
    {
        int position = 0;
        while (indices[position].kind != TensorIndex.Kind.Ellipsis) position++;
        int taken = 0;
        foreach (ref readonly TensorIndex index in indices[(position + 1)..])
        {
            if (index.kind == TensorIndex.Kind.Ellipsis) throw new ArgumentException("an index can have only one ellipsis");
            if (index.kind == TensorIndex.Kind.NewAxis) continue;
            taken += index.kind == TensorIndex.Kind.Tensor && index.tensor!.dtype == ScalarType.Bool ? index.tensor.ndim : 1;
        }
        return taken;
    }
}
