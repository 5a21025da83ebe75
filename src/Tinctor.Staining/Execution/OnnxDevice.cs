using Microsoft.ML.OnnxRuntime;

namespace Tinctor.Staining.Execution;

/// <summary>Device that ONNX Runtime computes on.</summary>
/// <param name="Name">cpu, cuda, dml (DirectML) or coreml.</param>
/// <param name="Index">Number of the GPU.</param>
internal sealed record OnnxDevice(string Name, int Index = 0)
{
    private static readonly (string Name, string Provider)[] Providers =
    [
        ("cuda", "CUDAExecutionProvider"),
        ("dml", "DmlExecutionProvider"),
        ("coreml", "CoreMLExecutionProvider"),
    ];

    // With it, the fields are initialised before the first session has a device.
    static OnnxDevice() { }

    /// <summary>The processor.</summary>
    public static OnnxDevice Cpu { get; } = new("cpu");

    /// <summary>Names of the devices that the installed ONNX Runtime supports; cpu is the last.</summary>
    public static IReadOnlyList<string> Available { get; } = FindAvailable();

    /// <summary>Parses the name of a device: cpu, cuda, cuda:N, dml, dml:N or coreml.</summary>
    /// <exception cref="OptionException">There is no such device, or the installed ONNX Runtime does not support it.</exception>
    public static OnnxDevice Parse(string text)
    {
        string[] parts = text.Split(':');
        int index = 0;
        bool isKnown = (parts[0] == "cpu" || Providers.Any(provider => provider.Name == parts[0])) && parts.Length <= 2
            && (parts.Length == 1 || (int.TryParse(parts[1], out index) && index >= 0));
        if (!isKnown) throw new OptionException("Device", $"the device is {text}", "Use auto, cpu, cuda, cuda:N, dml, dml:N or coreml");
        if (Available.Contains(parts[0])) return new(parts[0], index);
        throw new OptionException("Device", $"the device is {text}, but the installed ONNX Runtime supports {string.Join(", ", Available)}",
            "Use one of these, or build with another package of ONNX Runtime (docs/onnx.md)");
    }

    /// <inheritdoc/>
    public override string ToString() => Index == 0 ? Name : $"{Name}:{Index}";

    /// <summary>Adds the device to the options of a session.</summary>
    public void AddTo(SessionOptions options)
    {
        switch (Name)
        {
            case "cuda":
                options.AppendExecutionProvider_CUDA(Index);
                break;
            case "dml":
                // DirectML supports neither parallel execution nor memory patterns.
                (options.EnableMemoryPattern, options.ExecutionMode) = (false, ExecutionMode.ORT_SEQUENTIAL);
                options.AppendExecutionProvider_DML(Index);
                break;
            case "coreml":
                options.AppendExecutionProvider("CoreML");
                break;
        }
    }

    private static string[] FindAvailable()
    {
        // ONNX Runtime would report its use to its maker.
        NativeEnvironment.SetDefault("ORT_DISABLE_TELEMETRY", "1");
        string[] available = OrtEnv.Instance().GetAvailableProviders();
        return [.. Providers.Where(provider => available.Contains(provider.Provider)).Select(provider => provider.Name), "cpu"];
    }
}
