namespace Tinctor.Torch.SelfTest;

/// <summary>
/// Self-test of libtorch: convolutions of odd sizes with their gradients on the CPU, in float32 and bfloat16, compared with the definition
/// in double precision. Some builds compute them silently wrong on some processors. The result is stored beside the native library.
/// </summary>
internal static class EngineCheck
{
    /// <summary>Name of the precision of single floats.</summary>
    public const string Float32 = "float32";

    /// <summary>Name of the quantity that the forward pass computes.</summary>
    public const string Output = "output";

    private const string BFloat16 = "bfloat16";

    // Increase it when cases or bounds change, so that stored results are computed again.
    private const int Version = 1;

    // Rounding gives up to 1e-5 in float32 and 2 % in bfloat16.
    private const double Float32Bound = 1e-3, BFloat16Bound = 0.2;

    // Variables that choose the instructions, and with them the kernels.
    private static readonly string[] Variables = ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE"];

    private static readonly Lazy<EngineReport> Stored = new(() => ReadOrRun(File));

    /// <summary>Computes the convolution of a case.</summary>
    public delegate Tensor Convolution(ConvolutionCase shape, Tensor input, Tensor weight, Tensor bias);

    /// <summary>Result for the loaded libtorch: the stored one, or that of a first run.</summary>
    public static EngineReport Report => Stored.Value;

    // Beside the native library, which is built once for each libtorch.
    private static string? File
    {
        get
        {
            _ = torch.version.libtorch;
            return NativeMethods.LibraryPath is { } library ? Path.Combine(Path.GetDirectoryName(library)!, "engine-check.json") : null;
        }
    }

    /// <summary>Refuses a computation that libtorch would compute wrong.</summary>
    /// <param name="device">Device of the computation. Only the CPU is tested.</param>
    /// <param name="bfloat16">Whether suitable operators run in bfloat16.</param>
    /// <param name="training">Whether gradients are computed.</param>
    /// <exception cref="TinctorException">libtorch computes wrong convolutions.</exception>
    public static void Require(Device device, bool bfloat16, bool training)
    {
        if (device.type == DeviceType.CPU && Report.Refusal(bfloat16, training) is { } refusal) throw refusal;
    }

    /// <summary>Runs the self-test. It takes about a second and leaves the random state of libtorch as it is.</summary>
    /// <param name="convolve">Computes the convolutions; libtorch by default.</param>
    public static EngineReport Run(Convolution? convolve = null)
    {
        convolve ??= (shape, input, weight, bias) => shape.Convolve(input, weight, bias);
        using Guard normal = torch.inference_mode(false), gradients = torch.enable_grad();
        var faults = new List<EngineFault>();
        foreach (ConvolutionCase shape in ConvolutionCase.All)
        {
            ConvolutionOperands operands = ConvolutionOperands.Create(shape);
            ConvolutionResults expected = ConvolutionResults.Compute(shape, operands);
            faults.AddRange(Compare(shape, Float32, Float32Bound, Compute(shape, operands, convolve, bfloat16: false), expected));
            // An operator without bfloat16 is no fault: libtorch reports it itself.
            if (TryBFloat16(shape, operands, convolve) is { } low)
                faults.AddRange(Compare(shape, BFloat16, BFloat16Bound, low, expected));
        }
        // Faults of float32 concern every training.
        return new(Fingerprint(), torch.version.libtorch, LibtorchPath, [.. faults.OrderBy(fault => fault.Precision != Float32)]);
    }

    /// <summary>Runs the self-test again and stores its result for later processes.</summary>
    public static EngineReport RunAndStore() => RunAndStore(File);

    /// <summary>Reads a stored result, or runs the self-test and stores its result.</summary>
    /// <param name="path">JSON file; null to store nothing.</param>
    internal static EngineReport ReadOrRun(string? path)
    {
        if (path is not null && EngineReport.Read(path) is { } stored && stored.Fingerprint == Fingerprint()) return stored;
        return RunAndStore(path);
    }

    private static EngineReport RunAndStore(string? path)
    {
        EngineReport report = Run();
        if (path is not null) report.Write(path);
        return report;
    }

    private static string? LibtorchPath => SystemInfo.LoadedLibrary("libtorch_cpu");

    private static string Fingerprint()
    {
        using var fingerprint = new Fingerprint();
        foreach (string variable in Variables) fingerprint.Add(variable, Environment.GetEnvironmentVariable(variable));
        return fingerprint.Add("version", Version).Add("libtorch", torch.version.libtorch).Add("config", torch.version.config)
            .Add("path", LibtorchPath).Add("processor", SystemInfo.ProcessorName).Add("flags", SystemInfo.ProcessorFlags).ToHex();
    }

    private static ConvolutionResults? TryBFloat16(ConvolutionCase shape, ConvolutionOperands operands, Convolution convolve)
    {
        try
        {
            return Compute(shape, operands, convolve, bfloat16: true);
        }
        catch (TorchException)
        {
            return null;
        }
    }

    private static ConvolutionResults Compute(ConvolutionCase shape, ConvolutionOperands operands, Convolution convolve, bool bfloat16)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard precision = torch.autocast(DeviceType.CPU, ScalarType.BFloat16, enabled: bfloat16);
        Tensor input = torch.tensor(operands.Input, shape.InputShape).requires_grad_();
        Tensor weight = torch.tensor(operands.Weight, shape.WeightShape).requires_grad_();
        Tensor bias = torch.tensor(operands.Bias, shape.Outputs).requires_grad_();
        Tensor output = convolve(shape, input, weight, bias);
        Tensor[] gradients = torch.autograd.grad([output], [input, weight, bias],
            [torch.tensor(operands.OutputGradient, shape.OutputShape).to(output.dtype)]);
        return new(Values(output), Values(gradients[0]), Values(gradients[1]), Values(gradients[2]));
    }

    private static double[] Values(Tensor tensor) => tensor.to(ScalarType.Float64).ToArray<double>();

    private static IEnumerable<EngineFault> Compare(ConvolutionCase shape, string precision, double bound, ConvolutionResults results,
        ConvolutionResults expected)
    {
        (string Name, double[] Values, double[] Expected)[] quantities =
        [
            (Output, results.Output, expected.Output),
            ("gradient of the input", results.InputGradient, expected.InputGradient),
            ("gradient of the weight", results.WeightGradient, expected.WeightGradient),
            ("gradient of the bias", results.BiasGradient, expected.BiasGradient),
        ];
        return quantities.Select(quantity => new EngineFault(precision, shape.ToString(), quantity.Name,
            Error(quantity.Values, quantity.Expected))).Where(fault => !(fault.Error <= bound));
    }

    private static double Error(double[] values, double[] expected)
    {
        double largest = 0, squares = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(values[i] - expected[i]);
            if (double.IsNaN(error)) return double.NaN;
            largest = Math.Max(largest, error);
            squares += expected[i] * expected[i];
        }
        return largest / Math.Sqrt(squares / expected.Length);
    }
}
