namespace Tinctor.Torch;

public static partial class F
{
    private static readonly Operator constant_pad = new("aten::constant_pad_nd");
    private static readonly Operator reflection_pad1d = new("aten::reflection_pad1d");
    private static readonly Operator reflection_pad2d = new("aten::reflection_pad2d");
    private static readonly Operator replication_pad1d = new("aten::replication_pad1d");
    private static readonly Operator replication_pad2d = new("aten::replication_pad2d");
    private static readonly Operator nearest2d = new("aten::upsample_nearest2d", "vec");
    private static readonly Operator nearest_exact2d = new("aten::_upsample_nearest_exact2d", "vec");
    private static readonly Operator bilinear2d = new("aten::upsample_bilinear2d", "vec");
    private static readonly Operator bilinear2d_aa = new("aten::_upsample_bilinear2d_aa", "vec");
    private static readonly Operator bicubic2d = new("aten::upsample_bicubic2d", "vec");
    private static readonly Operator bicubic2d_aa = new("aten::_upsample_bicubic2d_aa", "vec");
    private static readonly Operator grid_sampler = new("aten::grid_sampler");

    /// <summary>Pads the last dimensions: (left, right, top, bottom, ...); negative numbers crop.</summary>
    /// <param name="input">[N,C,H,W] or [C,H,W] for the reflecting and repeating modes, anything for "constant".</param>
    /// <param name="pad">Two numbers a dimension, the last dimension first.</param>
    /// <param name="mode">"constant", "reflect", "replicate" or "circular".</param>
    /// <param name="value">Value of constant padding.</param>
    public static Tensor pad(Tensor input, long[] pad, string mode = "constant", double value = 0) => (mode, pad.Length) switch
    {
        ("constant", _) => constant_pad.Call(input, pad, value),
        ("reflect", 2) => reflection_pad1d.Call(input, pad),
        ("reflect", 4) => reflection_pad2d.Call(input, pad),
        ("replicate", 2) => replication_pad1d.Call(input, pad),
        ("replicate", 4) => replication_pad2d.Call(input, pad),
        ("circular", 4) => CircularPad(input, pad),
        _ => throw new ArgumentException($"no padding mode '{mode}' for {pad.Length / 2} dimensions"),
    };

    private static Tensor CircularPad(Tensor input, long[] pad)
    {
        using Tensor rows = Wrap(input, -2, pad[2], pad[3]);
        return Wrap(rows, -1, pad[0], pad[1]);
    }

    private static Tensor Wrap(Tensor input, int dim, long before, long after)
    {
        long size = input.size(dim);
        using DisposeScope temporaries = torch.NewDisposeScope();
        return torch.cat([input.narrow(dim, size - before, before), input, input.narrow(dim, 0, after)], dim).MoveToOuterDisposeScope();
    }

    /// <summary>Resizes images [N,C,H,W] to a size, or by a factor.</summary>
    /// <param name="input">Images.</param>
    /// <param name="size">The new height and width.</param>
    /// <param name="scale_factor">The factors of height and width, instead of a size.</param>
    /// <param name="mode">"nearest", "nearest-exact", "bilinear" or "bicubic".</param>
    /// <param name="align_corners">Whether the centres of the corner pixels stay where they are.</param>
    /// <param name="antialias">Smooths before shrinking, as Pillow does.</param>
    public static Tensor interpolate(Tensor input, Size2? size = null, double? scale_factor = null, string mode = "nearest",
        bool align_corners = false, bool antialias = false)
    {
        if (size is null == scale_factor is null) throw new ArgumentException("give either a size or a scale_factor");
        long[]? target = size?.ToArray();
        double[]? factors = scale_factor is double factor ? [factor, factor] : null;
        return (mode, antialias) switch
        {
            ("nearest", false) => nearest2d.Call(input, target, factors),
            ("nearest-exact", false) => nearest_exact2d.Call(input, target, factors),
            ("bilinear", false) => bilinear2d.Call(input, target, align_corners, factors),
            ("bilinear", true) => bilinear2d_aa.Call(input, target, align_corners, factors),
            ("bicubic", false) => bicubic2d.Call(input, target, align_corners, factors),
            ("bicubic", true) => bicubic2d_aa.Call(input, target, align_corners, factors),
            _ => throw new ArgumentException($"no interpolation '{mode}'{(antialias ? " with antialias" : "")}"),
        };
    }

    /// <summary>Samples images [N,C,H,W] at positions [N,h,w,2] (x, y in [-1,1]).</summary>
    /// <param name="input">Images.</param>
    /// <param name="grid">Positions.</param>
    /// <param name="mode">"bilinear", "nearest" or "bicubic".</param>
    /// <param name="padding_mode">"zeros", "border" or "reflection" for positions outside.</param>
    /// <param name="align_corners">Whether -1 and 1 are the centres of the corner pixels (true) or their outer edges.</param>
    public static Tensor grid_sample(Tensor input, Tensor grid, string mode = "bilinear", string padding_mode = "zeros",
        bool align_corners = false) =>
        grid_sampler.Call(input, grid, Position(mode, "bilinear", "nearest", "bicubic"),
            Position(padding_mode, "zeros", "border", "reflection"), align_corners);

    private static long Position(string name, params string[] names)
    {
        int position = Array.IndexOf(names, name);
        return position >= 0 ? position : throw new ArgumentException($"'{name}' is none of {string.Join(", ", names)}");
    }
}
