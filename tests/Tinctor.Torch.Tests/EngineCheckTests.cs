using Tinctor.Tests;
using Tinctor.Torch.SelfTest;

namespace Tinctor.Torch.Tests;

[Collection(Alone.Name)]
public sealed class EngineCheckTests
{
    private static readonly ConvolutionCase PatchGan = ConvolutionCase.All.Single(shape => shape is { Kernel: 4, Inputs: 128 });

    [Fact]
    public void Run_on_this_libtorch_finds_no_faults() => Assert.Empty(EngineCheck.Run().Faults);

    [Fact]
    public void Run_leaves_the_random_state()
    {
        byte[] before = torch.get_rng_state().ToArray<byte>();
        EngineCheck.Run();
        Assert.Equal(before, torch.get_rng_state().ToArray<byte>());
    }

    [Fact]
    public void Run_within_inference_mode_computes_gradients()
    {
        using Guard mode = torch.inference_mode();
        Assert.Empty(EngineCheck.Run().Faults);
    }

    [Fact]
    public void Run_names_operator_and_error_of_a_wrong_result()
    {
        EngineReport report = EngineCheck.Run(Faulty(PatchGan, output => output * 1.5));
        EngineFault fault = report.Faults[0];
        Assert.Equal(("float32", "conv2d 4x4, 128 to 1 channels", "output"), (fault.Precision, fault.Operator, fault.Quantity));
        Assert.True(fault.Error > 0.5, $"{fault.Error}");
        Assert.All(report.Faults, each => Assert.Equal(fault.Operator, each.Operator));
        // The gradient of the weight and all others are wrong as well, in both precisions.
        Assert.Equal(8, report.Faults.Count);
        TinctorException refusal = report.Refusal(bfloat16: false, training: false)!;
        Assert.Contains(torch.version.libtorch, refusal.Message);
        Assert.Contains("the output of conv2d 4x4, 128 to 1 channels in float32 has an error of", refusal.Message);
        Assert.Contains("TINCTOR_LIBTORCH", refusal.Remedy);
        Assert.Contains("libtorch_cpu", refusal.File);
    }

    [Fact]
    public void Run_finds_a_wrong_gradient_behind_a_correct_output()
    {
        // The value is that of the convolution, its gradient is twice as large.
        EngineReport report = EngineCheck.Run(Faulty(PatchGan, output => (output * 2) - output.detach()));
        Assert.DoesNotContain(report.Faults, fault => fault.IsForward);
        Assert.Contains(report.Faults, fault => fault.Quantity == "gradient of the weight");
        Assert.Null(report.Refusal(bfloat16: true, training: false));
        Assert.NotNull(report.Refusal(bfloat16: false, training: true));
    }

    [Fact]
    public void Run_finds_a_nan()
    {
        EngineReport report = EngineCheck.Run(Faulty(PatchGan, output => output * double.NaN));
        Assert.True(double.IsNaN(report.Faults[0].Error));
        Assert.Contains("an error of NaN", report.Faults[0].ToString());
    }

    [Fact]
    public void Refusal_for_bfloat16_faults_leaves_float32()
    {
        EngineReport report = EngineCheck.Run(Faulty(PatchGan, output => output.dtype == ScalarType.BFloat16 ? output * 1.5 : output));
        Assert.All(report.Faults, fault => Assert.Equal("bfloat16", fault.Precision));
        Assert.Null(report.Refusal(bfloat16: false, training: true));
        TinctorException refusal = report.Refusal(bfloat16: true, training: true)!;
        Assert.Equal("Amp", refusal.Option);
        Assert.Contains("float32", refusal.Remedy);
    }

    [Fact]
    public void ReadOrRun_uses_the_stored_result_of_this_libtorch()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("engine-check.json");
        EngineReport sound = EngineCheck.ReadOrRun(path);
        Assert.Empty(sound.Faults);
        var fault = new EngineFault("float32", "conv2d 1x1, 1 to 1 channels", "output", double.NaN);
        (sound with { Faults = [fault] }).Write(path);
        Assert.Equal([fault], EngineCheck.ReadOrRun(path).Faults);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{ "Fingerprint": "another libtorch", "Libtorch": "0.1", "Path": null, "Faults": [] }""")]
    public void ReadOrRun_replaces_results_that_are_damaged_or_of_another_libtorch(string stored)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("engine-check.json");
        File.WriteAllText(path, stored);
        Assert.Equal(torch.version.libtorch, EngineCheck.ReadOrRun(path).Libtorch);
        Assert.Equal(torch.version.libtorch, EngineReport.Read(path)!.Libtorch);
    }

    [Fact]
    public void ReadOrRun_in_a_folder_that_cannot_be_written_runs() =>
        Assert.Empty(EngineCheck.ReadOrRun("/dev/null/engine-check.json").Faults);

    private static EngineCheck.Convolution Faulty(ConvolutionCase wrong, Func<Tensor, Tensor> change) => (shape, input, weight, bias) =>
    {
        Tensor output = shape.Convolve(input, weight, bias);
        return shape == wrong ? change(output) : output;
    };
}
