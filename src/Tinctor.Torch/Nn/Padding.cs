namespace Tinctor.Torch.Nn;

/// <summary>Pixels to add at each side; one number stands for all.</summary>
/// <param name="left">Before the first column.</param>
/// <param name="right">After the last column.</param>
/// <param name="top">Before the first row.</param>
/// <param name="bottom">After the last row.</param>
public readonly record struct Padding2(long left, long right, long top, long bottom)
{
    /// <summary>The same at all sides.</summary>
    public static implicit operator Padding2(int all) => new(all, all, all, all);

    /// <summary>The same at all sides.</summary>
    public static implicit operator Padding2(long all) => new(all, all, all, all);

    /// <summary>Left, right, top, bottom.</summary>
    public static implicit operator Padding2((long left, long right, long top, long bottom) sides) =>
        new(sides.left, sides.right, sides.top, sides.bottom);

    internal long[] ToArray() => [left, right, top, bottom];
}

/// <summary>Mirrors the image at its border pixels.</summary>
/// <param name="padding">One number for all sides, or (left, right, top, bottom).</param>
public sealed class ReflectionPad2d(Padding2 padding) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pad(input, padding.ToArray(), "reflect");
}

/// <summary>Repeats the border pixels.</summary>
/// <param name="padding">One number for all sides, or (left, right, top, bottom).</param>
public sealed class ReplicationPad2d(Padding2 padding) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pad(input, padding.ToArray(), "replicate");
}

/// <summary>Adds zeros.</summary>
/// <param name="padding">One number for all sides, or (left, right, top, bottom).</param>
public sealed class ZeroPad2d(Padding2 padding) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pad(input, padding.ToArray());
}

/// <summary>Adds a value.</summary>
/// <param name="padding">One number for all sides, or (left, right, top, bottom).</param>
/// <param name="value">Value of the padding.</param>
public sealed class ConstantPad2d(Padding2 padding, double value) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.pad(input, padding.ToArray(), "constant", value);
}
