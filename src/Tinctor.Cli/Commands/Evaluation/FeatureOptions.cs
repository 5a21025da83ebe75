using System.CommandLine;
using System.Globalization;
using Tinctor.Evaluation.Analyses.Distribution;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Execution;
using Tinctor.Training.Networks;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for metrics with networks: LPIPS, FID, KID, IS, precision and recall.</summary>
internal static class FeatureOptions
{
    private static readonly Option<string?> Inception = new("--inception")
    {
        Description = "Inception for FID, KID and IS: weights of pytorch-fid, their ONNX file, or TorchScript",
        HelpName = "FILE",
    };

    private static readonly Option<string> Resizing = new("--fid-resize")
    {
        Description = "Resizing to 299 px: clean (clean-fid) or legacy (pytorch-fid)",
        DefaultValueFactory = _ => "clean",
    };

    private static readonly Option<string?> Features = new("--features")
    {
        Description = "Network [N,3,H,W] to [N,D] instead of Inception: ONNX, or TorchScript (libtorch)",
        HelpName = "FILE",
    };

    private static readonly Option<int?> FeaturesSize = new("--features-size")
    {
        Description = $"Input size of --features; 0 keeps the images' size [default: the file's, or {FeatureInput.DefaultSize}]",
        HelpName = "PX",
    };

    private static readonly Option<string?> FeaturesMean = new("--features-mean")
    { Description = "Mean of R,G,B for --features, 0 to 1 [default: ImageNet's]", HelpName = "R,G,B" };

    private static readonly Option<string?> FeaturesStd = new("--features-std")
    { Description = "Standard deviation of R,G,B for --features [default: ImageNet's]", HelpName = "R,G,B" };

    private static readonly Option<string?> LpipsName = new("--lpips")
    { Description = "Network of LPIPS; needs --lpips-trunk and --lpips-lin", HelpName = "alex|vgg|squeeze" };

    private static readonly Option<string?> LpipsTrunkFile = new("--lpips-trunk")
    { Description = "ImageNet weights of that network from torchvision, or the exported ONNX file", HelpName = "FILE" };

    private static readonly Option<string?> LpipsLinFile = new("--lpips-lin")
    { Description = "Weights of LPIPS: lpips/weights/v0.1/NET.pth; not with an ONNX file", HelpName = "FILE" };

    private static readonly Option<bool> LpipsUnit = new("--lpips-unit")
    { Description = "Also LPIPS of images in [0, 1], as the code of super-resolved virtual staining computes it" };

    private static readonly Option<string?> DistsTrunkFile = new("--dists-trunk")
    { Description = "VGG-16 weights from torchvision for DISTS, or the exported ONNX file", HelpName = "FILE" };

    private static readonly Option<string?> DistsWeightsFile = new("--dists-weights")
    { Description = "Weights of DISTS (weights.pt); not with an ONNX file", HelpName = "FILE" };

    /// <summary>Device of all networks.</summary>
    private static readonly Option<string> DeviceName = new("--device")
    { Description = "cpu, cuda, cuda:N or auto", HelpName = "DEVICE", DefaultValueFactory = _ => "auto" };

    private static readonly Option[] Files = MakeFiles();

    /// <summary>Protocol, files and definitions of the metrics, which studies pass on to <c>tinctor evaluate</c>.</summary>
    public static IReadOnlyList<Option> OfMetrics { get; } = [.. MetricOptions.All, .. Files];

    /// <summary>Options of networks.</summary>
    public static IReadOnlyList<Option> OfNetworks { get; } = [.. Files, DeviceName];

    private static Option[] MakeFiles()
    {
        Resizing.Among("clean", "legacy");
        LpipsName.Among("alex", "vgg", "squeeze");
        return [Inception, Resizing, Features, FeaturesSize, FeaturesMean, FeaturesStd, LpipsName, LpipsTrunkFile, LpipsLinFile,
            LpipsUnit, DistsTrunkFile, DistsWeightsFile];
    }

    /// <summary>Gets the given options of <see cref="OfMetrics"/> as arguments of another command, with full paths.</summary>
    /// <exception cref="TinctorException">A file does not exist.</exception>
    public static IEnumerable<string> Arguments(ParseResult parse) =>
        PassedOptions.Arguments(parse, OfMetrics, Inception, Features, LpipsTrunkFile, LpipsLinFile, DistsTrunkFile, DistsWeightsFile);

    /// <summary>Resolves the device of networks. libtorch is loaded only for a GPU that ONNX Runtime does not support.</summary>
    /// <exception cref="TinctorException">There is no such device.</exception>
    public static Device DeviceOf(ParseResult parse)
    {
        string name = parse.GetRequiredValue(DeviceName);
        bool hasOnnxGpu = OnnxDevice.Available.Contains("cuda");
        if (name == "auto") return hasOnnxGpu || TorchLibrary.HasGpu() ? new Device(DeviceType.CUDA, 0) : Device.CPU;
        if (name == "cpu") return Device.CPU;
        try
        {
            return hasOnnxGpu && name.StartsWith("cuda", StringComparison.Ordinal) ? Device.Parse(name) : DeviceChoice.Resolve(name).device;
        }
        catch (Exception e) when (TorchLibrary.IsMissing(e))
        {
            throw new OptionException("Device", $"the device is {name}, but there is no libtorch, and ONNX Runtime supports "
                + string.Join(", ", OnnxDevice.Available), "Use cpu");
        }
        catch (FormatException e)
        {
            throw new OptionException("Device", e.Message, "Use auto, cpu, cuda or cuda:N");
        }
    }

    /// <summary>Creates LPIPS, without weights if they were not given, DISTS and the cosine of features if their files were.</summary>
    public static IEnumerable<PairMetric> Metrics(ParseResult parse, FeatureNetworks networks)
    {
        string? trunk = parse.GetValue(LpipsTrunkFile), lin = parse.GetValue(LpipsLinFile);
        LpipsNet net = MetricOptions.LpipsNetwork(parse, parse.GetValue(LpipsName));
        yield return Metric(ValueRange.MinusOneToOne);
        if (parse.GetValue(LpipsUnit)) yield return Metric(ValueRange.ZeroToOne);
        if (parse.GetValue(DistsTrunkFile) is string vgg)
            yield return FeatureFile.IsOnnx(vgg) ? Dists.FromOnnx(vgg) : Dists.FromFiles(vgg, parse.GetValue(DistsWeightsFile)
                ?? throw new TinctorException("--dists-trunk needs --dists-weights, the file weights.pt of DISTS"));
        if (networks.Features is { } features)
            yield return FeatureCosine.Create(features, Path.GetFileNameWithoutExtension(parse.GetValue(Features)!));

        PairMetric Metric(ValueRange range) => trunk is null ? Lpips.Absent(range)
            : FeatureFile.IsOnnx(trunk) ? Lpips.FromOnnx(net, trunk, range)
            : lin is null ? Lpips.Absent(range) : Lpips.FromFiles(net, trunk, lin, range);
    }

    /// <summary>Prepares the networks of features that the command line names; they are opened when they are first used.</summary>
    /// <exception cref="TinctorException">Both networks are named.</exception>
    public static FeatureNetworks Networks(ParseResult parse)
    {
        string? inception = parse.GetValue(Inception), features = parse.GetValue(Features);
        if (inception is not null && features is not null)
            throw new TinctorException("--inception and --features exclude each other");
        if (inception is null && features is null) return new(null, null);
        Device device = DeviceOf(parse);
        var resizing = parse.GetValue(Resizing) == "legacy" ? InceptionResizing.Legacy : InceptionResizing.Clean;
        return inception is not null ? new(() => InceptionFeatures.Open(inception, resizing, device), null)
            : new(null, new(() => FeatureFile.Open(features!, Input(parse), device)));
    }

    /// <summary>Creates the analysis of FID, KID and others with the given network, or one that is not computed.</summary>
    public static DistributionAnalysis Analysis(FeatureNetworks networks) =>
        new(networks.Inception ?? (networks.Features is { } features ? () => features.Value : null));

    private static FeatureInput Input(ParseResult parse) => new(parse.GetValue(FeaturesSize),
        Three(parse.GetValue(FeaturesMean), "--features-mean") ?? FeatureInput.ImageNet.Mean,
        Three(parse.GetValue(FeaturesStd), "--features-std") ?? FeatureInput.ImageNet.Std);

    private static double[]? Three(string? text, string option)
    {
        if (text is null) return null;
        double[] numbers = [.. text.Split(',').Select(part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : double.NaN)];
        return numbers.Length == 3 && numbers.All(double.IsFinite) ? numbers
            : throw new TinctorException($"{option} {text}: expected three numbers, as in 0.485,0.456,0.406");
    }
}

/// <summary>Networks of features.</summary>
/// <param name="Inception">Opens Inception; null if it is not named.</param>
/// <param name="Features">Network that the user provides, shared by all metrics; null if it is not named.</param>
internal sealed record FeatureNetworks(Func<FeatureExtractor>? Inception, Lazy<FeatureExtractor>? Features);
