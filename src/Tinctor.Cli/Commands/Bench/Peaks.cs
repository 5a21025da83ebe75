using System.Diagnostics;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Export;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>Measured rates of this machine: those of the floors of workloads.</summary>
/// <param name="Float32">Additions and multiplications per second in float32: the faster of a matrix product and a convolution.</param>
/// <param name="Bfloat16">The same of a matrix product in bfloat16.</param>
/// <param name="Int8">The same of a matrix product of 8-bit integers.</param>
/// <param name="Memory">Bytes read and written per second by a copy that does not fit the caches.</param>
internal sealed record Peaks(double Float32, double Bfloat16, double Int8, double Memory)
{
    private const int Side = 2048, Rounds = 6;
    private const double ProductOperations = 2.0 * Side * Side * Side;

    /// <summary>Measures the rates; other programs only make them slower, so the best of a few rounds counts.</summary>
    /// <param name="threads">Number of threads.</param>
    public static Peaks Measure(int threads)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        const int channels = 256, image = 128;
        Tensor matrix = torch.randn([Side, Side]), low = matrix.to(ScalarType.BFloat16);
        Tensor picture = torch.randn([1, channels, image, image]), kernel = torch.randn([channels, channels, 3, 3]);
        Tensor large = torch.zeros([1 << 26]), copy = torch.zeros([1 << 26]);
        double product = Rate(ProductOperations, () => matrix.matmul(matrix).Dispose());
        double convolution = Rate(2.0 * channels * channels * 9 * image * image, () => F.conv2d(picture, kernel, padding: 1).Dispose());
        return new(Math.Max(product, convolution), Rate(ProductOperations, () => low.matmul(low).Dispose()), MeasureInt8(threads),
            Rate(2.0 * 4 * (1 << 26), () => copy.copy_(large)));
    }

    private static double MeasureInt8(int threads)
    {
        var graph = new OnnxGraph();
        string a = graph.Input("a", TensorProto.Types.DataType.Uint8, Side, Side);
        string b = graph.Input("b", TensorProto.Types.DataType.Int8, Side, Side);
        string product = graph.Add("MatMulInteger", [a, b]);
        graph.Output("product", graph.Add("Cast", [product], ("to", (long)TensorProto.Types.DataType.Float)), Side, Side);
        byte[] model = graph.Build("product", new Dictionary<string, string>()).ToByteArray();
        using InferenceSession session = OnnxNetwork.OpenSession(model, OnnxDevice.Cpu, threads);
        using var run = new RunOptions();
        using OrtValue left = OrtValue.CreateTensorValueFromMemory(new byte[Side * Side], [Side, Side]);
        using OrtValue right = OrtValue.CreateTensorValueFromMemory(new sbyte[Side * Side], [Side, Side]);
        return Rate(ProductOperations, () => session.Run(run, ["a", "b"], [left, right], ["product"]).Dispose());
    }

    private static double Rate(double amount, Action work)
    {
        double best = double.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            work();
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return amount / best;
    }
}
