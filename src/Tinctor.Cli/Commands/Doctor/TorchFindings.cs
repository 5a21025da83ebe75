using Tinctor.Torch;
using Tinctor.Torch.SelfTest;

namespace Tinctor.Cli.Commands.Doctor;

/// <summary>Version, devices, correctness and speed of libtorch, which training needs.</summary>
internal static class TorchFindings
{
    public static IEnumerable<Finding> Examine()
    {
        if (LoadProblem() is { } problem)
        {
            yield return new("libtorch",
                "cannot be loaded; staining and evaluation work on ONNX Runtime, training and registration do not", problem);
            yield break;
        }
        Threads.Use(0);
        // Measured first: it loads the BLAS, whose path is shown.
        Finding[] speed = [.. MeasureSpeed()];
        string config = torch.version.config;
        yield return new("libtorch", $"{torch.version.libtorch} ({SystemInfo.LoadedLibrary("libtorch_cpu") ?? "path unknown"})");
        yield return SelfTest();
        string? blas = SystemInfo.LoadedLibrary("libopenblas") ?? SystemInfo.LoadedLibrary("libmkl_core")
            ?? SystemInfo.LoadedLibrary("libblas");
        const string Remedy = "apt-get install -y libopenblas0-openmp";
        yield return new("BLAS", blas ?? "inside libtorch", blas is null ? null
            : blas.Contains("/blas/") ? $"this is the slow reference BLAS: {Remedy}"
            : blas.Contains("/openblas-pthread/") ? $"its threads wait busily and slow down training beside other programs: {Remedy}"
            : null);
        yield return new("oneDNN", LineOf(config, "MKL-DNN") ?? "not built in");
        yield return new("Vector code", LineOf(config, "CPU capability") ?? "unknown");
        yield return new("Threads", $"{torch.get_num_threads()} in an operator, {torch.get_num_interop_threads()} between operators");
        foreach (Finding finding in speed) yield return finding;
        yield return Gpus();
    }

    private static string? LoadProblem()
    {
        try
        {
            _ = torch.version.libtorch;
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            return (e.InnerException ?? e).Message;
        }
    }

    private static Finding SelfTest()
    {
        EngineReport report = EngineCheck.RunAndStore();
        // Training in bfloat16 is the most demanding use.
        return report.Refusal(bfloat16: true, training: true) is { } refusal
            ? new("Self-test", refusal.Problem, refusal.Remedy)
            : new("Self-test", $"{ConvolutionCase.All.Count} convolutions and their gradients are correct in float32 and bfloat16");
    }

    private static IEnumerable<Finding> MeasureSpeed()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor a = torch.randn([1024, 1024]), image = torch.randn([1, Speed.Channels, Speed.Side, Speed.Side]),
            kernel = torch.randn([Speed.Channels, Speed.Channels, 3, 3]);
        string convolution = Speed.MeasureConvolution(() => F.conv2d(image, kernel, padding: 1).Dispose());
        string product = Speed.Measure(() => a.matmul(a).Dispose(), 2.0 * 1024 * 1024 * 1024, "1024 x 1024");
        return [new("Matrix product", product), new("Convolution", convolution)];
    }

    private static Finding Gpus()
    {
        int count = torch.cuda.device_count();
        if (count > 0) return new("Devices", string.Join(", ", Enumerable.Range(0, count).Select(i => $"cuda:{i}").Prepend("cpu")));
        // A driver without a CUDA libtorch is the case in which people lose hours on the processor without knowing.
        bool driver = File.Exists("/proc/driver/nvidia/version");
        return new("Devices", "cpu",
            driver ? "this machine has an NVIDIA driver, but this libtorch has no CUDA: set TINCTOR_LIBTORCH to a CUDA build" : null);
    }

    private static string? LineOf(string config, string word) =>
        config.Split('\n').FirstOrDefault(line => line.Contains(word))?.Trim(' ', '-').Replace("Intel(R) ", "");
}
