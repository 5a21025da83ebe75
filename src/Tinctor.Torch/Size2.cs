namespace Tinctor.Torch;

/// <summary>A height and a width; one number stands for both.</summary>
/// <param name="height">Along the rows.</param>
/// <param name="width">Along the columns.</param>
public readonly record struct Size2(long height, long width)
{
    /// <summary>The same for both.</summary>
    public static implicit operator Size2(int both) => new(both, both);

    /// <summary>The same for both.</summary>
    public static implicit operator Size2(long both) => new(both, both);

    /// <summary>Height and width.</summary>
    public static implicit operator Size2((long height, long width) size) => new(size.height, size.width);

    internal long[] ToArray() => [height, width];
}
