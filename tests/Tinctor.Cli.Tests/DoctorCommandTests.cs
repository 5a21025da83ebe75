using System.Text.Json;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.SelfTest;

namespace Tinctor.Cli.Tests;

public sealed class DoctorCommandTests
{
    private static readonly string[] EngineParts = ["libtorch", "Self-test", "BLAS", "Threads", "Devices", "Matrix product", "Convolution"];
    private static readonly string[] OtherParts =
        ["Tinctor", ".NET", "Processor", "libvips", "OpenSlide", "ONNX Runtime", "ONNX devices", "ONNX convolution, cpu"];

    [Fact]
    public void Doctor_reports_as_text_and_json()
    {
        Assert.Contains("libvips", CommandLine.Run("doctor").Out);
        Outcome outcome = CommandLine.Run("doctor", "--json");
        using JsonDocument report = JsonDocument.Parse(outcome.Out);
        Assert.All([.. OtherParts, .. EngineParts], name => Assert.NotEqual("", Value(report, name)));
        Assert.Matches("^[0-9]+ GFLOP/s", Value(report, "ONNX convolution, cpu"));
        Assert.Matches("^[0-9]+ GFLOP/s", Value(report, "Convolution"));
        Assert.EndsWith("correct in float32 and bfloat16", Value(report, "Self-test"));
        bool healthy =
            report.RootElement.EnumerateObject().All(finding => finding.Value.GetProperty("remedy").ValueKind == JsonValueKind.Null);
        Assert.Equal(healthy ? 0 : 1, outcome.Code);
    }

    [Fact]
    public void Doctor_without_libtorch_reports_onnx_runtime()
    {
        Outcome outcome = CommandLine.RunWith("TINCTOR_NATIVE", "/nowhere/libtinctor_torch.so", "doctor", "--json");
        Assert.Equal(1, outcome.Code);
        using JsonDocument report = JsonDocument.Parse(outcome.Out);
        Assert.All(OtherParts, name => Assert.NotEqual("", Value(report, name)));
        Assert.Matches("^[0-9]+ GFLOP/s", Value(report, "ONNX convolution, cpu"));
        Assert.Contains("staining and evaluation work on ONNX Runtime, training and registration do not", Value(report, "libtorch"));
        Assert.Contains("there is no file /nowhere/libtinctor_torch.so (TINCTOR_NATIVE)",
            report.RootElement.GetProperty("libtorch").GetProperty("remedy").GetString());
    }

    [Fact]
    public void Doctor_leaves_no_telemetry_in_the_home_folder()
    {
        using var home = new TemporaryFolder();
        Outcome outcome = CommandLine.RunWith("HOME", home.Path, "doctor", "--json");
        Assert.Contains("GFLOP/s", outcome.Out);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(home.Path, "*", SearchOption.AllDirectories),
            path => path.Contains("onnxruntime"));
    }

    [Fact]
    public void Doctor_engine_stores_the_result_beside_the_native_library()
    {
        using var folder = new TemporaryFolder();
        Outcome outcome = CommandLine.RunWith("TINCTOR_NATIVE", LinkNative(folder), "doctor", "--engine");
        Assert.Equal(0, outcome.Code);
        Assert.Contains(torch.version.libtorch, outcome.Out);
        Assert.Equal(EngineCheck.Report.Fingerprint, EngineReport.Read(folder.File("engine-check.json"))!.Fingerprint);
    }

    [Fact]
    public void Train_on_libtorch_with_wrong_gradients_is_refused()
    {
        using var folder = new TemporaryFolder();
        string native = LinkNative(folder);
        Store(folder, new EngineFault("float32", "conv2d 7x7, 64 to 3 channels", "gradient of the weight", 0.41));
        string error = CommandLine.RunWith("TINCTOR_NATIVE", native, "train", "pix2pix", "--data", "/nowhere", "-o", folder.File("run"))
            .OneError();
        Assert.Contains("libtorch_cpu", error);
        Assert.Contains($"libtorch {torch.version.libtorch} computes wrong convolutions", error);
        Assert.Contains("the gradient of the weight of conv2d 7x7, 64 to 3 channels in float32 has an error of 41 %", error);
        Assert.Contains("TINCTOR_LIBTORCH", error);
    }

    [Fact]
    public void Train_on_libtorch_with_wrong_bfloat16_refuses_only_mixed_precision()
    {
        using var folder = new TemporaryFolder();
        string native = LinkNative(folder);
        Store(folder, new EngineFault("bfloat16", "conv1d 5, 7 to 9 channels", "output", 0.26));
        string[] train = ["train", "pix2pix", "--data", "/nowhere", "-o", folder.File("run")];
        string refusal = CommandLine.RunWith("TINCTOR_NATIVE", native, [.. train, "--amp"]).OneError();
        Assert.Contains("conv1d 5, 7 to 9 channels in bfloat16 has an error of 26 %", refusal);
        Assert.EndsWith("(--amp).", refusal.TrimEnd());
        Assert.Contains("/nowhere", CommandLine.RunWith("TINCTOR_NATIVE", native, train).OneError());
    }

    private static string? Value(JsonDocument report, string name) =>
        report.RootElement.GetProperty(name).GetProperty("value").GetString();

    // The result of the self-test lies beside the native library, so a link has one of its own.
    private static string LinkNative(TemporaryFolder folder)
    {
        _ = torch.version.libtorch;
        File.CreateSymbolicLink(folder.File("libtinctor_torch.so"), NativeMethods.LibraryPath!);
        return folder.File("libtinctor_torch.so");
    }

    private static void Store(TemporaryFolder folder, EngineFault fault) =>
        (EngineCheck.Report with { Faults = [fault] }).Write(folder.File("engine-check.json"));
}
