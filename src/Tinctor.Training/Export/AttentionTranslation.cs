using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Training.Export;

/// <summary>
/// Translates scaled dot-product attention to a loop over chunks of queries, so that memory grows with the number of places and not with
/// its
/// square.
/// </summary>
internal static class AttentionTranslation
{
    // Scores of a chunk, by image and head: 16 MB.
    private const long MostScores = 1 << 22;

    /// <summary>Translates a call with arguments query [..., L, E], key [..., S, E], value [..., S, Ev], mask and scale.</summary>
    /// <exception cref="TinctorException">There is a mask.</exception>
    public static void Translate(CallContext call)
    {
        if (call.Has(3)) throw call.Refuse("has a mask");
        int rank = call.Dimensions(0);
        string places = Length(call, call.Tensor(0), rank), keys = Length(call, call.Tensor(1), rank);
        string chunk = call.Add("Min", [places, call.Add("Max", [call.Integers(1), call.Add("Div", [call.Integers(MostScores), keys])])]);
        string chunks = call.Add("Div", [call.Add("Sub", [call.Add("Add", [places, chunk]), call.Integers(1)]), chunk]);

        string scaled = call.Add("Mul", [call.Tensor(0), call.Constant(call.Number(4))]);
        string missing = call.Add("Sub", [call.Add("Mul", [chunks, chunk]), places]);
        string pads = call.Add("Concat", [call.Integers(new long[(2 * rank) - 2]), missing, call.Integers(0)], ("axis", 0L));
        string queries = call.Add("Pad", [scaled, pads]);
        string transposed = call.Add("Transpose", [call.Tensor(1)], ("perm", Swapped(rank)));

        string parts = call.AddWithBody("Loop", [call.Add("Squeeze", [chunks]), ""],
            newName => Body(newName, rank, queries, transposed, call.Tensor(2), chunk, call.Integers(rank - 2)));
        // [chunks, ..., chunk, Ev] to [..., chunks * chunk, Ev].
        long[] order = [.. Enumerable.Range(1, rank - 2).Select(axis => (long)axis), 0, rank - 1, rank];
        string joined = call.Add("Reshape", [call.Add("Transpose", [parts], ("perm", order)),
            call.Integers([.. new long[rank - 2], -1, call.ShapeOf(2)[^1]])]);
        call.Result(call.Add("Slice", [joined, call.Integers(0), places, call.Integers(rank - 2)]));
    }

    private static string Length(CallContext call, string value, int rank) =>
        call.Add("Shape", [value], ("start", rank - 2L), ("end", rank - 1L));

    private static long[] Swapped(int rank) => [.. Enumerable.Range(0, rank - 2).Select(axis => (long)axis), rank - 1, rank - 2];

    private static GraphProto Body(Func<string, string> newName, int rank, string queries, string keys, string values, string chunk,
        string axis)
    {
        string step = newName("step"), goes = newName("goes"), goesOn = newName("goes_on"), result = newName("attended");
        var body = new GraphProto { Name = newName("attention") };
        string start = Add("Mul", step, chunk), end = Add("Add", start, chunk);
        string part = Add("Slice", queries, start, end, axis);
        string weights = newName("weights");
        body.Node.Add(OnnxNode.Create("Softmax", [Add("MatMul", part, keys)], [weights], ("axis", -1L)));
        body.Node.Add(OnnxNode.Create("MatMul", [weights, values], [result]));
        body.Node.Add(OnnxNode.Create("Identity", [goes], [goesOn]));
        body.Input.Add([Info(step, DataType.Int64, 0), Info(goes, DataType.Bool, 0)]);
        body.Output.Add([Info(goesOn, DataType.Bool, 0), Info(result, DataType.Float, rank)]);
        return body;

        string Add(string op, params string[] inputs)
        {
            string name = newName(op);
            body.Node.Add(OnnxNode.Create(op, inputs, [name]));
            return name;
        }
    }

    private static ValueInfoProto Info(string name, DataType type, int rank)
    {
        var sizes = new TensorShapeProto();
        for (int i = 0; i < rank; i++) sizes.Dim.Add(new TensorShapeProto.Types.Dimension());
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = sizes } } };
    }
}
