
namespace Tinctor.Training.Export;

/// <summary>One operator call while it is translated to nodes of an ONNX graph.</summary>
/// <param name="graph">Receives the nodes.</param>
/// <param name="sizes">Input sizes of the traces.</param>
/// <param name="calls">The call in each trace.</param>
/// <param name="shapes">Shapes of all values in each trace.</param>
/// <param name="names">Names of the values in the graph, by their number.</param>
/// <param name="constantName">Names a constant tensor; weights by their keys in the state dictionary.</param>
/// <param name="dimension">Gets the name of a graph value [1] with the number, height or width of the input.</param>
internal sealed class CallContext(OnnxGraph graph, IReadOnlyList<InputSize> sizes, IReadOnlyList<TracedCall> calls,
    IReadOnlyList<IReadOnlyList<long[]>> shapes, IDictionary<int, string> names, Func<object, string> constantName, Func<int,
        string> dimension)
{
    private readonly TracedCall call = calls[0];

    /// <summary>Name of the operator without namespace and overload.</summary>
    public string Operator => call.Operator;

    /// <summary>Number of results.</summary>
    public int ResultCount => call.Results.Length;

    /// <summary>Adds a node.</summary>
    public string Add(string op, string[] inputs, params (string Name, object Value)[] attributes) => graph.Add(op, inputs, attributes);

    /// <summary>Adds a node with a body, a graph of its own that also sees the values outside.</summary>
    /// <param name="op">Operator.</param>
    /// <param name="inputs">Names of the inputs.</param>
    /// <param name="body">Creates the body under the attribute "body".</param>
    public string AddWithBody(string op, string[] inputs, Func<Func<string, string>, Onnx.GraphProto> body) =>
        graph.Add(op, inputs, ("body", body(graph.NewName)));

    /// <summary>Gets a constant number.</summary>
    public string Constant(double value) => graph.Number(value);

    /// <summary>Gets a constant list of integers.</summary>
    public string Integers(params long[] values) => graph.Integers(values);

    /// <summary>Gets a constant vector in float32.</summary>
    public string Vector(float value, long count) =>
        graph.Floats($"constant_{value}x{count}", [.. Enumerable.Repeat(value, (int)count)], [count]);

    /// <summary>Whether an argument was given and is not None.</summary>
    public bool Has(int index) => index < call.Arguments.Length && call.Arguments[index] is not null;

    /// <summary>Whether an argument is a tensor.</summary>
    public bool IsTensor(int index) => Has(index) && call.Arguments[index] is TracedValue or Torch.Tensor or TracedConstant;

    /// <summary>Gets the name of a tensor argument.</summary>
    public string Tensor(int index) => Name(call.Arguments[index]!);

    /// <summary>Gets the name of a tensor argument, or of a constant vector for None.</summary>
    public string TensorOr(int index, float value, long count) => Has(index) ? Tensor(index) : Vector(value, count);

    /// <summary>Gets the names of a list of tensors.</summary>
    public string[] Tensors(int index) => Array.ConvertAll((object?[])call.Arguments[index]!, item => Name(item!));

    /// <summary>Gets an operand: a tensor, or a number that may depend on the input size.</summary>
    public string Operand(int index) => IsTensor(index) ? Tensor(index) : NumberTensor(index);

    /// <summary>Gets an integer that must not depend on the input size.</summary>
    public long Integer(int index, long otherwise = 0) => !Has(index) ? otherwise
        : Fit(trace => AsInteger(trace, index), $"argument {index}") is { IsConstant: true } fixedValue
        ? fixedValue.Offset : throw Refuse($"argument {index} depends on the image size");

    /// <summary>Gets a constant number.</summary>
    public double Number(int index, double otherwise = 0) => !Has(index) ? otherwise : Convert.ToDouble(call.Arguments[index]);

    /// <summary>Gets a constant flag.</summary>
    public bool Flag(int index, bool otherwise = false) => Has(index) ? (bool)call.Arguments[index]! : otherwise;

    /// <summary>Gets constant integers.</summary>
    public long[] IntegerList(int index)
    {
        long[] list = (long[])call.Arguments[index]!;
        return calls.All(other => list.SequenceEqual((long[])other.Arguments[index]!)) ? list
            : throw Refuse($"argument {index} depends on the image size");
    }

    /// <summary>Gets constant integers, or a number of equal ones if the argument is left out.</summary>
    public long[] IntegerList(int index, long otherwise, int count) =>
        Has(index) ? IntegerList(index) : [.. Enumerable.Repeat(otherwise, count)];

    /// <summary>Gets the length of a list argument.</summary>
    public int ListLength(int index) => ((Array)call.Arguments[index]!).Length;

    /// <summary>Gets the name of integers [n] that may depend on the input size.</summary>
    public string SizeList(int index) =>
        SizeList([.. Enumerable.Range(0, ((long[])call.Arguments[index]!).Length)
            .Select(i => Fit(trace => ((long[])calls[trace].Arguments[index]!)[i], $"argument {index}"))]);

    /// <summary>Gets the name of integers [n], some of them arguments of a list by their index, others 0 (-1).</summary>
    public string SizeList(int index, int[] items) => SizeList([.. items.Select(item => item < 0 ? new SizeExpression([], 0, 1, 0)
        : Fit(trace => ((long[])calls[trace].Arguments[index]!)[item], $"argument {index}"))]);

    /// <summary>Gets the name of an integer [1] that may depend on the input size.</summary>
    public string Size(int index) => SizeList([Fit(trace => AsInteger(trace, index), $"argument {index}")]);

    /// <summary>Gets the name of the sum of integer arguments [1].</summary>
    public string SizeSum(params int[] indices) =>
        SizeList([Fit(trace => indices.Sum(index => AsInteger(trace, index)), "a sum of arguments")]);

    /// <summary>Gets the name of the shape of a result, as a constant where it does not depend on the input size.</summary>
    public string ResultShape(int result = 0) => ResultSizes(result, ..);

    /// <summary>Gets the name of a part of the shape of a result.</summary>
    public string ResultSizes(int result, Range range)
    {
        int value = call.Results[result];
        (int offset, int length) = range.GetOffsetAndLength(shapes[0][value].Length);
        return SizeList([.. Enumerable.Range(offset, length).Select(i => Fit(trace => shapes[trace][value][i], "the size of the result"))]);
    }

    /// <summary>Gets the shape of a tensor argument in the first trace.</summary>
    public long[] ShapeOf(int index) => call.Arguments[index] switch
    {
        TracedValue value => shapes[0][value.Id],
        Torch.Tensor weight => weight.shape,
        TracedConstant constant => constant.Shape,
        _ => throw Refuse($"argument {index} is no tensor"),
    };

    /// <summary>Gets the number of dimensions of a tensor argument.</summary>
    public int Dimensions(int index) => ShapeOf(index).Length;

    /// <summary>Gets a dimension argument, counted from 0.</summary>
    public long Axis(int index)
    {
        long axis = Integer(index);
        return axis < 0 ? axis + Dimensions(0) : axis;
    }

    /// <summary>Gets the shape of a result in the first trace.</summary>
    public long[] FirstShape(int result = 0) => shapes[0][call.Results[result]];

    /// <summary>Sets the name of a result.</summary>
    public void Result(string name, int index = 0) => names[call.Results[index]] = name;

    /// <summary>Creates an exception for a call that cannot be translated.</summary>
    public TinctorException Refuse(string problem) => new($"the network cannot be exported: aten::{call.Operator}: {problem}");

    private string NumberTensor(int index)
    {
        if (call.Arguments[index] is not long) return graph.Number(Convert.ToDouble(call.Arguments[index]));
        SizeExpression expression = Fit(trace => AsInteger(trace, index), $"argument {index}");
        if (expression.IsConstant) return graph.Number(expression.Offset);
        string number = graph.Add("Cast", [SizeList([expression])], ("to", (long)Onnx.TensorProto.Types.DataType.Float));
        return graph.Add("Reshape", [number, graph.Integers([])]);
    }

    private string Name(object value) => value is TracedValue traced ? names[traced.Id] : constantName(value);

    private long AsInteger(int trace, int index) => Convert.ToInt64(calls[trace].Arguments[index]);

    private SizeExpression Fit(Func<int, long> value, string what) =>
        SizeExpression.Fit(sizes, [.. Enumerable.Range(0, calls.Count).Select(value)])
            ?? throw Refuse($"{what} depends on the image size in an unknown way");

    private string SizeList(SizeExpression[] list)
    {
        if (list.All(item => item.IsConstant)) return graph.Integers([.. list.Select(item => item.Offset)]);
        string[] parts = Array.ConvertAll(list, Part);
        return parts.Length == 1 ? parts[0] : graph.Add("Concat", parts, ("axis", 0L));
    }

    private string Part(SizeExpression size)
    {
        if (size.IsConstant) return graph.Integers(size.Offset);
        if (size.PaddedTo > 0)
        {
            string multiple = graph.Integers(size.PaddedTo), rest = graph.Add("Mod", [dimension(size.Axes[0]), multiple]);
            return graph.Add("Mod", [graph.Add("Sub", [multiple, rest]), multiple]);
        }
        string value = size.Axes.Select(dimension).Aggregate((left, right) => graph.Add("Mul", [left, right]));
        if (size.Numerator != 1) value = graph.Add("Mul", [value, graph.Integers(size.Numerator)]);
        if (size.Denominator != 1) value = graph.Add("Div", [value, graph.Integers(size.Denominator)]);
        return size.Offset == 0 ? value : graph.Add("Add", [value, graph.Integers(size.Offset)]);
    }
}
