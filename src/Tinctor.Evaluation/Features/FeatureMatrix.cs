using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Training.Export;

namespace Tinctor.Evaluation.Features;

/// <summary>Matrix in float64, such as feature vectors in its rows. Products are computed by ONNX Runtime on all cores.</summary>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
/// <param name="values">Elements row by row, used without a copy.</param>
internal sealed class FeatureMatrix(int rows, int columns, double[] values)
{
    private static readonly Lazy<InferenceSession> Product = new(() => Session()), ProductOfTransposed = new(() => Session(("transB", 1L)));

    /// <summary>Number of rows.</summary>
    public int Rows => rows;

    /// <summary>Number of columns.</summary>
    public int Columns => columns;

    /// <summary>Elements row by row.</summary>
    public double[] Values => values;

    /// <summary>Gets an element.</summary>
    public double this[int row, int column] => values[(row * columns) + column];

    /// <summary>Converts vectors of equal length.</summary>
    public static FeatureMatrix FromRows(IReadOnlyList<float[]> vectors)
    {
        int columns = vectors[0].Length;
        var values = new double[vectors.Count * columns];
        for (int i = 0; i < vectors.Count; i++)
            for (int k = 0; k < columns; k++) values[(i * columns) + k] = vectors[i][k];
        return new(vectors.Count, columns, values);
    }

    /// <summary>Gets the elements of a row.</summary>
    public Span<double> Row(int row) => values.AsSpan(row * columns, columns);

    /// <summary>Multiplies by another matrix.</summary>
    public FeatureMatrix Times(FeatureMatrix other) => Run(Product.Value, 0, rows, other, other.Columns);

    /// <summary>Multiplies by the transpose of another matrix: all scalar products of their rows.</summary>
    public FeatureMatrix TimesTransposed(FeatureMatrix other) => Run(ProductOfTransposed.Value, 0, rows, other, other.Rows);

    /// <summary>Multiplies some rows by the transpose of another matrix.</summary>
    /// <param name="start">First row.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="other">The other matrix.</param>
    public FeatureMatrix RowsTimesTransposed(int start, int count, FeatureMatrix other) =>
        Run(ProductOfTransposed.Value, start, count, other, other.Rows);

    /// <summary>Transposes the matrix.</summary>
    public FeatureMatrix Transpose()
    {
        var result = new double[values.Length];
        for (int i = 0; i < rows; i++)
            for (int k = 0; k < columns; k++) result[(k * rows) + i] = values[(i * columns) + k];
        return new(columns, rows, result);
    }

    private FeatureMatrix Run(InferenceSession session, int start, int count, FeatureMatrix other, int width)
    {
        using OrtValue left = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance,
            values.AsMemory(start * columns, count * columns), [count, columns]);
        using OrtValue right = OrtValue.CreateTensorValueFromMemory(other.Values, [other.Rows, other.Columns]);
        using var options = new RunOptions();
        var product = new double[count * width];
        using OrtValue result = OrtValue.CreateTensorValueFromMemory(product, [count, width]);
        session.Run(options, ["a", "b"], [left, right], ["product"], [result]);
        return new(count, width, product);
    }

    private static InferenceSession Session(params (string, object)[] attributes)
    {
        var graph = new OnnxGraph();
        string a = graph.Input("a", TensorProto.Types.DataType.Double, "I", "J");
        string b = graph.Input("b", TensorProto.Types.DataType.Double, "K", "L");
        graph.Output("product", graph.Add("Gemm", [a, b], attributes), "I", "M");
        ModelProto model = graph.Build("product", new Dictionary<string, string>());
        model.Graph.Output[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Double;
        return OnnxNetwork.OpenSession(model.ToByteArray(), OnnxDevice.Cpu);
    }
}
