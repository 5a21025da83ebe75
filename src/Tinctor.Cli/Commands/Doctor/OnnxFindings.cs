using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Training.Export;

namespace Tinctor.Cli.Commands.Doctor;

/// <summary>Version, devices and speed of ONNX Runtime, which runs trained models.</summary>
internal static class OnnxFindings
{
    public static IEnumerable<Finding> Examine()
    {
        string? problem = Problem();
        if (problem is not null)
        {
            yield return new("ONNX Runtime", "cannot be loaded", $"{problem}; build Tinctor again on this machine");
            yield break;
        }
        yield return new("ONNX Runtime", $"{OrtEnv.Instance().GetVersionString()} ({SystemInfo.LoadedLibrary("libonnxruntime")
            ?? "path unknown"})");
        yield return new("ONNX devices", string.Join(", ", OnnxDevice.Available));
        foreach (string device in OnnxDevice.Available) yield return new($"ONNX convolution, {device}", Convolution(device));
    }

    private static string? Problem()
    {
        try
        {
            _ = OrtEnv.Instance();
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or TypeInitializationException)
        {
            return (e.InnerException ?? e).Message.Split('\n')[0];
        }
    }

    private static string Convolution(string device)
    {
        try
        {
            using InferenceSession session = OnnxNetwork.OpenSession(Model(), OnnxDevice.Parse(device), Threads.Count(0));
            using var run = new RunOptions();
            using OrtValue image = OrtValue.CreateTensorValueFromMemory(new float[Speed.Channels * Speed.Side * Speed.Side],
                [1, Speed.Channels, Speed.Side, Speed.Side]);
            return Speed.MeasureConvolution(() => session.Run(run, ["image"], [image], ["result"]).Dispose());
        }
        catch (OnnxRuntimeException e)
        {
            return $"does not run: {e.Message.Split('\n')[0]}";
        }
    }

    private static byte[] Model()
    {
        const int channels = Speed.Channels, side = Speed.Side;
        var graph = new OnnxGraph();
        string image = graph.Input("image", TensorProto.Types.DataType.Float, 1, channels, side, side);
        string weight = graph.Floats("weight", new float[channels * channels * 9], [channels, channels, 3, 3]);
        string result = graph.Add("Conv", [image, weight], ("pads", new long[] { 1, 1, 1, 1 }));
        graph.Output("result", result, 1, channels, side, side);
        return graph.Build("convolution", new Dictionary<string, string>()).ToByteArray();
    }
}
