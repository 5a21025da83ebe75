namespace Tinctor.Torch.Serialization;

/// <summary>Sizes of tensors in untrusted files.</summary>
internal static class TensorSize
{
    /// <summary>Computes the bytes of a contiguous tensor; -1 if a size is negative or the product of nonzero sizes overflows.</summary>
    public static long ByteCount(ReadOnlySpan<long> shape, ScalarType dtype)
    {
        Int128 product = dtype.Size();
        bool empty = false;
        foreach (long size in shape)
        {
            product *= Math.Max(size, 1);
            empty |= size == 0;
            if (size < 0 || product > long.MaxValue) return -1;
        }
        return empty ? 0 : (long)product;
    }
}
