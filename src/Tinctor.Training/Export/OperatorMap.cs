
namespace Tinctor.Training.Export;

/// <summary>Translates operators of libtorch to those of ONNX. Operators are named without namespace and overload.</summary>
internal static class OperatorMap
{
    private static readonly Dictionary<string, Action<CallContext>> Map = new()
    {
        ["conv1d"] = call => Convolution(call, 1),
        ["conv2d"] = call => Convolution(call, 2),
        ["conv_transpose2d"] = TransposedConvolution,
        ["linear"] = Linear,
        ["matmul"] = call => Node(call, "MatMul", call.Tensor(0), call.Tensor(1)),
        ["bmm"] = call => Node(call, "MatMul", call.Tensor(0), call.Tensor(1)),

        ["scaled_dot_product_attention"] = AttentionTranslation.Translate,

        ["batch_norm"] = BatchNorm,
        ["instance_norm"] = InstanceNorm,
        ["group_norm"] = GroupNorm,
        ["layer_norm"] = LayerNorm,

        ["relu"] = call => Node(call, "Relu", call.Tensor(0)),
        ["leaky_relu"] = call => call.Result(call.Add("LeakyRelu", [call.Tensor(0)], ("alpha", call.Number(1, 0.01)))),
        ["tanh"] = call => Node(call, "Tanh", call.Tensor(0)),
        ["sigmoid"] = call => Node(call, "Sigmoid", call.Tensor(0)),
        ["silu"] = call => Node(call, "Mul", call.Tensor(0), call.Add("Sigmoid", [call.Tensor(0)])),
        ["softmax"] = call => call.Result(call.Add("Softmax", [call.Tensor(0)], ("axis", call.Axis(1)))),
        ["exp"] = call => Node(call, "Exp", call.Tensor(0)),
        ["log"] = call => Node(call, "Log", call.Tensor(0)),
        ["sqrt"] = call => Node(call, "Sqrt", call.Tensor(0)),
        ["rsqrt"] = call => Node(call, "Reciprocal", call.Add("Sqrt", [call.Tensor(0)])),
        ["reciprocal"] = call => Node(call, "Reciprocal", call.Tensor(0)),
        ["square"] = call => Node(call, "Mul", call.Tensor(0), call.Tensor(0)),
        ["neg"] = call => Node(call, "Neg", call.Tensor(0)),
        ["abs"] = call => Node(call, "Abs", call.Tensor(0)),
        ["cos"] = call => Node(call, "Cos", call.Tensor(0)),
        ["sin"] = call => Node(call, "Sin", call.Tensor(0)),
        ["pow"] = call => Node(call, "Pow", call.Tensor(0), call.Operand(1)),
        ["clamp"] = Clamp,

        ["add"] = call => Node(call, "Add", call.Operand(0), Scaled(call)),
        ["sub"] = call => Node(call, "Sub", call.Operand(0), Scaled(call)),
        ["rsub"] = call => Node(call, "Sub", call.Operand(1), call.Operand(0)),
        ["mul"] = call => Node(call, "Mul", call.Operand(0), call.Operand(1)),
        ["div"] = call => Node(call, "Div", call.Operand(0), call.Operand(1)),
        ["addcmul"] = AddProduct,

        ["mean"] = call => Reduce(call, "ReduceMean"),
        ["sum"] = Sum,
        ["var"] = call => call.Result(Variance(call)),
        ["std"] = call => Node(call, "Sqrt", Variance(call)),
        ["norm"] = Norm,

        ["max_pool2d"] = MaxPool,
        ["avg_pool2d"] = AveragePool,
        ["adaptive_avg_pool2d"] = AdaptivePool,
        ["upsample_nearest2d"] = call => Resize(call, ("mode", "nearest"), ("nearest_mode", "floor"),
            ("coordinate_transformation_mode", "asymmetric")),
        ["upsample_bilinear2d"] = call => Resize(call, ("mode", "linear"), ("coordinate_transformation_mode", Coordinates(call))),
        ["upsample_bicubic2d"] = call => Resize(call, ("mode", "cubic"), ("cubic_coeff_a", -0.75),
            ("coordinate_transformation_mode", Coordinates(call))),
        ["pixel_shuffle"] = call => call.Result(call.Add("DepthToSpace", [call.Tensor(0)], ("blocksize", call.Integer(1)),
            ("mode", "CRD"))),
        ["constant_pad_nd"] = call => Pad(call, "constant"),
        ["reflection_pad2d"] = call => Pad(call, "reflect"),
        ["replication_pad2d"] = call => Pad(call, "edge"),

        ["view"] = Reshape,
        ["reshape"] = Reshape,
        ["flatten"] = Reshape,
        ["unsqueeze"] = Reshape,
        ["squeeze"] = Reshape,
        ["expand"] = call => Node(call, "Expand", call.Tensor(0), call.ResultShape()),
        ["transpose"] = Transpose,
        ["t"] = call => call.Result(call.Add("Transpose", [call.Tensor(0)], ("perm", new long[] { 1, 0 }))),
        ["permute"] = call => call.Result(call.Add("Transpose", [call.Tensor(0)], ("perm", call.IntegerList(1)))),
        ["cat"] = Concatenate,
        ["narrow"] = call => call.Result(Slice(call, call.Axis(1), call.Size(2), call.SizeSum(2, 3))),
        ["slice"] = SliceWithStep,
        ["select"] = Select,
        ["split"] = Split,
        ["chunk"] = Split,
        ["split_with_sizes"] = Split,
        ["unbind"] = Unbind,
        ["zeros_like"] = call => Node(call, "ConstantOfShape", call.ResultShape()),

        // Float32 throughout, on one device and in one layout.
        ["to"] = Same,
        ["contiguous"] = Same,
        ["alias"] = Same,
        ["detach"] = Same,
        ["clone"] = Same,
        ["dropout"] = Same,
    };

    /// <summary>Translates a call.</summary>
    /// <exception cref="TinctorException">There is no translation; the message names the operator.</exception>
    public static void Translate(CallContext call)
    {
        if (!Map.TryGetValue(call.Operator, out Action<CallContext>? translate)) throw call.Refuse("there is no operator of ONNX for it");
        translate(call);
    }

    private static void Node(CallContext call, string op, params string[] inputs) => call.Result(call.Add(op, inputs));

    private static void Same(CallContext call) => call.Result(call.Tensor(0));

    private static void Convolution(CallContext call, int dimensions)
    {
        long[] padding = call.IntegerList(4, 0, dimensions);
        string[] inputs = call.Has(2) ? [call.Tensor(0), call.Tensor(1), call.Tensor(2)] : [call.Tensor(0), call.Tensor(1)];
        call.Result(call.Add("Conv", inputs, ("strides", call.IntegerList(3, 1, dimensions)),
            ("pads", (long[])[.. padding, .. padding]), ("dilations", call.IntegerList(5, 1, dimensions)),
            ("group", call.Integer(6, 1)), ("kernel_shape", call.ShapeOf(1)[2..])));
    }

    private static void TransposedConvolution(CallContext call)
    {
        long[] padding = call.IntegerList(4, 0, 2);
        string[] inputs = call.Has(2) ? [call.Tensor(0), call.Tensor(1), call.Tensor(2)] : [call.Tensor(0), call.Tensor(1)];
        call.Result(call.Add("ConvTranspose", inputs, ("strides", call.IntegerList(3, 1, 2)), ("pads", (long[])[.. padding, .. padding]),
            ("output_padding", call.IntegerList(5, 0, 2)), ("group", call.Integer(6, 1)), ("dilations", call.IntegerList(7, 1, 2)),
                ("kernel_shape", call.ShapeOf(1)[2..])));
    }

    private static void Linear(CallContext call)
    {
        string weight = call.Add("Transpose", [call.Tensor(1)], ("perm", new long[] { 1, 0 }));
        string product = call.Add("MatMul", [call.Tensor(0), weight]);
        call.Result(call.Has(2) ? call.Add("Add", [product, call.Tensor(2)]) : product);
    }

    private static void BatchNorm(CallContext call)
    {
        if (call.Flag(5)) throw call.Refuse("normalises by the batch");
        long channels = call.ShapeOf(3)[0];
        string weight = call.TensorOr(1, 1, channels), bias = call.TensorOr(2, 0, channels);
        call.Result(call.Add("BatchNormalization", [call.Tensor(0), weight, bias, call.Tensor(3), call.Tensor(4)],
            ("epsilon", call.Number(7, 1e-5))));
    }

    private static void InstanceNorm(CallContext call)
    {
        long channels = call.ShapeOf(0)[1];
        string weight = call.TensorOr(1, 1, channels), bias = call.TensorOr(2, 0, channels);
        call.Result(call.Flag(5, true)
            ? call.Add("InstanceNormalization", [call.Tensor(0), weight, bias], ("epsilon", call.Number(7, 1e-5)))
            : call.Add("BatchNormalization", [call.Tensor(0), weight, bias, call.Tensor(3), call.Tensor(4)],
                ("epsilon", call.Number(7, 1e-5))));
    }

    // Groups become the channels of an instance norm.
    private static void GroupNorm(CallContext call)
    {
        long groups = call.Integer(1), channels = call.ShapeOf(0)[1];
        string grouped = call.Add("Reshape", [call.Tensor(0), call.Integers(0, groups, -1)]);
        string normal = call.Add("InstanceNormalization", [grouped, call.Vector(1, groups), call.Vector(0, groups)],
            ("epsilon", call.Number(4, 1e-5)));
        string result = call.Add("Reshape", [normal, call.ResultShape()]);
        string perChannel = call.Integers([channels, .. Enumerable.Repeat(1L, call.Dimensions(0) - 2)]);
        if (call.Has(2)) result = call.Add("Mul", [result, call.Add("Reshape", [call.Tensor(2), perChannel])]);
        if (call.Has(3)) result = call.Add("Add", [result, call.Add("Reshape", [call.Tensor(3), perChannel])]);
        call.Result(result);
    }

    private static void LayerNorm(CallContext call)
    {
        long[] shape = call.IntegerList(1);
        if (shape.Length != 1) throw call.Refuse("normalises several dimensions");
        string weight = call.TensorOr(2, 1, shape[0]);
        string[] inputs = call.Has(3) ? [call.Tensor(0), weight, call.Tensor(3)] : [call.Tensor(0), weight];
        call.Result(call.Add("LayerNormalization", inputs, ("axis", -1L), ("epsilon", call.Number(4, 1e-5))));
    }

    private static void Clamp(CallContext call)
    {
        string value = call.Tensor(0);
        if (call.Has(1) && call.Has(2)) Node(call, "Clip", value, call.Operand(1), call.Operand(2));
        else Node(call, call.Has(1) ? "Max" : "Min", value, call.Operand(call.Has(1) ? 1 : 2));
    }

    private static string Scaled(CallContext call)
    {
        double alpha = call.Number(2, 1);
        return alpha == 1 ? call.Operand(1) : call.Add("Mul", [call.Operand(1), call.Constant(alpha)]);
    }

    private static void AddProduct(CallContext call)
    {
        string product = call.Add("Mul", [call.Tensor(1), call.Tensor(2)]);
        double value = call.Number(3, 1);
        Node(call, "Add", call.Tensor(0), value == 1 ? product : call.Add("Mul", [product, call.Constant(value)]));
    }

    // Without dimensions, over all of them.
    private static void Reduce(CallContext call, string op)
    {
        if (!call.Has(1)) call.Result(call.Add(op, [call.Tensor(0)], ("keepdims", 0L)));
        else call.Result(call.Add(op, [call.Tensor(0)], ("axes", call.IntegerList(1)), ("keepdims", call.Flag(2) ? 1L : 0L)));
    }

    private static void Sum(CallContext call)
    {
        if (!call.Has(1)) call.Result(call.Add("ReduceSum", [call.Tensor(0)], ("keepdims", 0L)));
        else call.Result(call.Add("ReduceSum", [call.Tensor(0), call.Integers(call.IntegerList(1))], ("keepdims", call.Flag(2) ? 1L : 0L)));
    }

    private static string Variance(CallContext call)
    {
        if (call.Flag(2, true)) throw call.Refuse("divides by n - 1");
        long[] axes = call.IntegerList(1);
        string mean = call.Add("ReduceMean", [call.Tensor(0)], ("axes", axes), ("keepdims", 1L));
        string difference = call.Add("Sub", [call.Tensor(0), mean]);
        return call.Add("ReduceMean", [call.Add("Mul", [difference, difference])], ("axes", axes), ("keepdims", call.Flag(3) ? 1L : 0L));
    }

    private static void Norm(CallContext call)
    {
        if (call.Number(1, 2) != 2 || !call.Has(2)) throw call.Refuse("is not a norm of order 2 along dimensions");
        call.Result(call.Add("ReduceL2", [call.Tensor(0)], ("axes", call.IntegerList(2)), ("keepdims", call.Flag(3) ? 1L : 0L)));
    }

    private static void MaxPool(CallContext call)
    {
        long[] padding = call.IntegerList(3);
        call.Result(call.Add("MaxPool", [call.Tensor(0)], ("kernel_shape", call.IntegerList(1)), ("strides", call.IntegerList(2)),
            ("pads", (long[])[.. padding, .. padding]), ("dilations", call.IntegerList(4)), ("ceil_mode", call.Flag(5) ? 1L : 0L)));
    }

    private static void AveragePool(CallContext call)
    {
        long[] padding = call.IntegerList(3);
        call.Result(call.Add("AveragePool", [call.Tensor(0)], ("kernel_shape", call.IntegerList(1)), ("strides", call.IntegerList(2)),
            ("pads", (long[])[.. padding, .. padding]), ("ceil_mode", call.Flag(4) ? 1L : 0L),
                ("count_include_pad", call.Flag(5, true) ? 1L : 0L)));
    }

    private static void AdaptivePool(CallContext call)
    {
        long[] bins = call.IntegerList(1);
        if (bins.All(count => count == 1)) Node(call, "GlobalAveragePool", call.Tensor(0));
        else call.Result(PoolAxis(call, PoolAxis(call, call.Tensor(0), 2, bins[0]), 3, bins[1]));
    }

    // Bin i of n covers the places from floor(i * length / n) to ceil((i + 1) * length / n).
    private static string PoolAxis(CallContext call, string value, long axis, long bins)
    {
        string length = call.Add("Shape", [value], ("start", axis), ("end", axis + 1)), count = call.Integers(bins);
        string[] means = new string[bins];
        for (int i = 0; i < bins; i++)
        {
            string start = call.Add("Div", [call.Add("Mul", [length, call.Integers(i)]), count]);
            string end = call.Add("Mul", [length, call.Integers(i + 1)]);
            end = call.Add("Div", [call.Add("Add", [end, call.Integers(bins - 1)]), count]);
            string part = call.Add("Slice", [value, start, end, call.Integers(axis)]);
            means[i] = call.Add("ReduceMean", [part], ("axes", new[] { axis }), ("keepdims", 1L));
        }
        return call.Add("Concat", means, ("axis", axis));
    }

    private static void Resize(CallContext call, params (string, object)[] attributes)
    {
        // Number of images and channels stay; the sizes of the result are exact where a factor is not.
        call.Result(call.Add("Resize", [call.Tensor(0), "", "", call.ResultShape()], attributes));
    }

    private static string Coordinates(CallContext call) => call.Flag(2) ? "align_corners" : "half_pixel";

    // libtorch lists the last dimension first, ONNX all beginnings and then all ends.
    private static void Pad(CallContext call, string mode)
    {
        int dimensions = call.Dimensions(0), padded = call.ListLength(1) / 2;
        int[] places = [.. Enumerable.Repeat(-1, 2 * dimensions)];
        for (int i = 0; i < padded; i++) (places[dimensions - 1 - i], places[(2 * dimensions) - 1 - i]) = (2 * i, (2 * i) + 1);
        string pads = call.SizeList(1, places);
        string[] inputs = mode == "constant" ? [call.Tensor(0), pads, call.Constant(call.Number(2))] : [call.Tensor(0), pads];
        call.Result(call.Add("Pad", inputs, ("mode", mode)));
    }

    private static void Reshape(CallContext call) => Node(call, "Reshape", call.Tensor(0), call.ResultShape());

    private static void Transpose(CallContext call)
    {
        long[] order = [.. Enumerable.Range(0, call.Dimensions(0)).Select(i => (long)i)];
        (long a, long b) = (call.Axis(1), call.Axis(2));
        (order[a], order[b]) = (order[b], order[a]);
        call.Result(call.Add("Transpose", [call.Tensor(0)], ("perm", order)));
    }

    private static void Concatenate(CallContext call)
    {
        long axis = call.Integer(1);
        call.Result(call.Add("Concat", call.Tensors(0), ("axis", axis < 0 ? axis + call.FirstShape().Length : axis)));
    }

    private static string Slice(CallContext call, long axis, string start, string end, long step = 1) =>
        call.Add("Slice", [call.Tensor(0), start, end, call.Integers(axis), call.Integers(step)]);

    private static void SliceWithStep(CallContext call)
    {
        string start = call.Has(2) ? call.Size(2) : call.Integers(0), end = call.Has(3) ? call.Size(3) : call.Integers(long.MaxValue);
        call.Result(Slice(call, call.Axis(1), start, end, call.Integer(4, 1)));
    }

    private static void Select(CallContext call)
    {
        string index = call.Size(2), end = call.Add("Add", [index, call.Integers(1)]);
        if (call.Integer(2) == -1) end = call.Integers(long.MaxValue);
        call.Result(call.Add("Squeeze", [Slice(call, call.Axis(1), index, end), call.Integers(call.Axis(1))]));
    }

    private static void Split(CallContext call)
    {
        long axis = call.Axis(2);
        string start = call.Integers(0);
        for (int i = 0; i < call.ResultCount; i++)
        {
            string end = call.Add("Add", [start, call.ResultSizes(i, (int)axis..((int)axis + 1))]);
            call.Result(Slice(call, axis, start, end), i);
            start = end;
        }
    }

    private static void Unbind(CallContext call)
    {
        long axis = call.Axis(1);
        for (int i = 0; i < call.ResultCount; i++)
            call.Result(call.Add("Squeeze", [Slice(call, axis, call.Integers(i), call.Integers(i + 1)), call.Integers(axis)]), i);
    }
}
