namespace Tinctor.Torch;

/// <summary>Creation, functions and modes, under PyTorch's names.</summary>
public static partial class torch
{
    /// <summary>A tensor on the CPU with a copy of the values.</summary>
    /// <param name="data">The values in row-major order.</param>
    /// <param name="shape">The shape; one dimension if left out.</param>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static Tensor tensor<T>(ReadOnlySpan<T> data, params long[] shape) where T : unmanaged
    {
        if (shape.Length == 0) shape = [data.Length];
        Tensor created = empty(shape, ScalarTypes.Of<T>());
        if (created.numel() != data.Length)
        {
            created.Dispose();
            throw new ArgumentException($"{data.Length} values do not fill the shape [{string.Join(", ", shape)}]");
        }
        data.CopyTo(created.data<T>());
        return created;
    }

    /// <inheritdoc cref="tensor{T}(ReadOnlySpan{T}, long[])"/>
    public static Tensor tensor<T>(T[] data, params long[] shape) where T : unmanaged => tensor((ReadOnlySpan<T>)data, shape);

    /// <summary>A single number as a tensor without dimensions.</summary>
    public static Tensor tensor(double value, ScalarType dtype = ScalarType.Float32) => full([], value, dtype);

    private static Tensor WithGrad(this Tensor tensor, bool requires_grad) => requires_grad ? tensor.requires_grad_() : tensor;
}
