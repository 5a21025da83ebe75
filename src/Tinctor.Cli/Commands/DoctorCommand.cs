using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;
using Tinctor.Slides.Native;
using Tinctor.Torch;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor doctor</c>: what this installation consists of, how fast it is, and what is missing.</summary>
internal static class DoctorCommand
{
    private const string Description = """
        Show versions, paths, devices and measured speed; report missing parts and the commands that install them.

        Examples:
          tinctor doctor
          tinctor doctor --json > environment.json
          TINCTOR_LIBTORCH=/opt/libtorch tinctor doctor
        """;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new Command("doctor", Description) { json };
        command.SetAction(parse => Run(parse.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        List<Finding> findings = [.. Examine()];
        if (json)
        {
            var values = findings.ToDictionary(finding => finding.Name, finding => new { value = finding.Value, remedy = finding.Remedy });
            Terminal.Result(JsonSerializer.Serialize(values, new JsonSerializerOptions { WriteIndented = true }));
        }
        else
        {
            Print(findings);
        }
        return findings.Any(finding => finding.Remedy is not null) ? 1 : 0;
    }

    private static void Print(List<Finding> findings)
    {
        var table = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach (Finding finding in findings)
            table.AddRow(new Markup(finding.Remedy is null ? $"[bold]{finding.Name}[/]" : $"[red bold]{finding.Name}[/]"),
                new Text(finding.Value));
        Terminal.Results.Write(table);
        Terminal.Result();
        foreach (Finding finding in findings.Where(finding => finding.Remedy is not null))
            Terminal.Results.MarkupLineInterpolated($"[red]{finding.Name}:[/] {finding.Remedy}");
        if (findings.All(finding => finding.Remedy is null)) Terminal.Results.MarkupLine("[green]No problems found.[/]");
    }

    private static IEnumerable<Finding> Examine()
    {
        yield return new("Tinctor", typeof(DoctorCommand).Assembly.GetName().Version!.ToString(3));
        yield return new(".NET", $"{Environment.Version} ({RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/')})");
        yield return new("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}");
        yield return new("Memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F1} GB");
        foreach (Finding finding in Images()) yield return finding;
        Finding? broken = EngineFault();
        if (broken is not null)
        {
            yield return broken;
            yield break;
        }
        foreach (Finding finding in Engine()) yield return finding;
    }

    private static IEnumerable<Finding> Images()
    {
        if (!VipsLibrary.IsAvailable)
        {
            yield return new("libvips", "not found", "apt-get install -y libvips42");
            yield break;
        }
        yield return new("libvips", $"{VipsLibrary.Version} ({VipsLibrary.Path ?? "path unknown"})");
        yield return VipsLibrary.HasOpenSlide ? new("OpenSlide", OpenSlide())
            : new("OpenSlide", "libvips was built without it", "apt-get install -y libvips42 libopenslide0");
    }

    private static unsafe string OpenSlide()
    {
        if (LoadedLibrary("libopenslide") is not string path) return "built into libvips";
        bool known = NativeLibrary.TryGetExport(NativeLibrary.Load(path), "openslide_get_version", out nint version);
        return known ? $"{Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)version)())} ({path})" : path;
    }

    private static Finding? EngineFault()
    {
        try
        {
            _ = torch.version.libtorch;
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            return new("libtorch", "cannot be loaded",
                $"{(e.InnerException ?? e).Message}; apt-get install -y libtorch-dev, or set TINCTOR_LIBTORCH, then start again");
        }
    }

    private static IEnumerable<Finding> Engine()
    {
        Threads.Use(0);
        double rate = MatrixProductRate(out double conv);
        string config = torch.version.config;
        yield return new("libtorch", $"{torch.version.libtorch} ({LoadedLibrary("libtorch_cpu") ?? "path unknown"})");
        string? blas = LoadedLibrary("libopenblas") ?? LoadedLibrary("libmkl_core") ?? LoadedLibrary("libblas");
        bool reference = blas is not null && blas.Contains("/blas/");
        yield return new("BLAS", blas ?? "inside libtorch",
            reference ? "this is the slow reference BLAS: apt-get install -y libopenblas0-pthread" : null);
        yield return new("oneDNN", LineOf(config, "MKL-DNN") ?? "not built in");
        yield return new("Vector code", LineOf(config, "CPU capability") ?? "unknown");
        string flags = CpuFlags();
        yield return new("Processor",
            $"{CpuName()}, {Environment.ProcessorCount} cores; AVX-512: {YesNo(flags, "avx512f")}, "
            + $"bf16: {YesNo(flags, "avx512_bf16")}, AMX bf16: {YesNo(flags, "amx_bf16")}");
        yield return new("Threads", $"{torch.get_num_threads()} in an operator, {torch.get_num_interop_threads()} between operators");
        yield return new("Matrix product", $"{rate:F0} GFLOP/s (float32, 1024 x 1024)");
        yield return new("Convolution", $"{conv:F0} GFLOP/s (float32, 3 x 3, 256 channels at 64 x 64)");
        yield return Gpus();
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

    private static double MatrixProductRate(out double convolution)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor a = torch.randn([1024, 1024]), image = torch.randn([1, 256, 64, 64]), kernel = torch.randn([256, 256, 3, 3]);
        convolution = Rate(() => F.conv2d(image, kernel, padding: 1).Dispose(), 2.0 * 256 * 256 * 9 * 64 * 64);
        return Rate(() => a.matmul(a).Dispose(), 2.0 * 1024 * 1024 * 1024);
    }

    // The best of a second's worth of runs: other programs only ever make it slower.
    private static double Rate(Action run, double operations)
    {
        run();
        double best = double.MaxValue;
        for (var total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < 0.5;)
        {
            var watch = Stopwatch.StartNew();
            run();
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return operations / best / 1e9;
    }

    private static string? LineOf(string config, string word) =>
        config.Split('\n').FirstOrDefault(line => line.Contains(word))?.Trim(' ', '-').Replace("Intel(R) ", "");

    // A path of a library that is mapped into this process.
    private static string? LoadedLibrary(string name) => File.Exists("/proc/self/maps")
        ? File.ReadLines("/proc/self/maps").Select(line => line[(line.IndexOf('/') + 1)..]).Where(path => path.Contains($"/{name}"))
            .Select(path => "/" + path).FirstOrDefault()
        : null;

    private static string CpuFlags() => CpuInfo("flags");

    private static string CpuName() => CpuInfo("model name") is { Length: > 0 } name ? name : "unknown processor";

    private static string CpuInfo(string key) => !File.Exists("/proc/cpuinfo") ? ""
        : File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(key))?.Split(':', 2)[1].Trim() ?? "";

    private static string YesNo(string flags, string flag) => flags.Split(' ').Contains(flag) ? "yes" : "no";

    /// <summary>One line of the report; a remedy means that something is wrong.</summary>
    private sealed record Finding(string Name, string Value, string? Remedy = null);
}
