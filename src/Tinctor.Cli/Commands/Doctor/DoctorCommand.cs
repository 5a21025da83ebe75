using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Spectre.Console;
using Tinctor.Slides.Native;
using Tinctor.Torch.SelfTest;

namespace Tinctor.Cli.Commands.Doctor;

/// <summary><c>tinctor doctor</c>: versions, paths, devices, correctness and speed of this installation, and missing parts.</summary>
internal static class DoctorCommand
{
    private const string Description = """
        Show versions, paths, devices and measured speed; check that libtorch computes convolutions correctly on this processor;
        report missing parts and the commands that install them.

        Examples:
          tinctor doctor
          tinctor doctor --json > environment.json
          TINCTOR_LIBTORCH=/opt/libtorch tinctor doctor
        """;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var engine = new Option<bool>("--engine") { Description = "Only check libtorch's convolutions and store the result" };
        var command = new Command("doctor", Description) { json, engine };
        command.SetAction(parse => parse.GetValue(engine) ? CheckEngine() : Run(parse.GetValue(json)));
        return command;
    }

    // An error refuses all training; wrong results in bfloat16 only concern mixed precision.
    private static int CheckEngine()
    {
        Threads.Use(0);
        EngineReport report = EngineCheck.RunAndStore();
        if (report.Refusal(bfloat16: false, training: true) is { } refusal) throw refusal;
        if (report.Refusal(bfloat16: true, training: true) is { } limit) Terminal.Warning(limit.Message);
        else Terminal.Result($"libtorch {report.Libtorch} computes convolutions correctly on this processor.");
        return 0;
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

    private static IEnumerable<Finding> Examine() => [.. Machine(), .. Images(), .. OnnxFindings.Examine(), .. TorchFindings.Examine()];

    private static IEnumerable<Finding> Machine()
    {
        yield return new("Tinctor", typeof(DoctorCommand).Assembly.GetName().Version!.ToString(3));
        yield return new(".NET", $"{Environment.Version} ({RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/')})");
        yield return new("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}");
        yield return new("Memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F1} GB");
        string[] flags = SystemInfo.ProcessorFlags.Split(' ');
        string name = SystemInfo.ProcessorName is { Length: > 0 } known ? known : "unknown processor";
        yield return new("Processor", $"{name}, {Environment.ProcessorCount} cores; AVX-512: {Has("avx512f")}, "
            + $"bf16: {Has("avx512_bf16")}, AMX bf16: {Has("amx_bf16")}");

        string Has(string flag) => flags.Contains(flag) ? "yes" : "no";
    }

    private static IEnumerable<Finding> Images()
    {
        if (!VipsLibrary.IsAvailable)
        {
            yield return new("libvips", "not found", "apt-get install -y libvips42");
        }
        else yield return new("libvips", $"{VipsLibrary.Version} ({SystemInfo.LoadedLibrary("libvips") ?? "path unknown"})");
        yield return OpenSlideNative.IsAvailable
            ? new("OpenSlide", $"{OpenSlideNative.Version} ({SystemInfo.LoadedLibrary("libopenslide") ?? "path unknown"})")
            : new("OpenSlide", "not found", OpenSlideNative.Installation);
    }
}
