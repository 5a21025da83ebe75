using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Regression;

/// <summary>
/// Settings common to regressions: one network that minimises the distance to the target, without a discriminator. The optimiser is that
/// of NAFNet (options/train/SIDD/NAFNet-width32.yml of megvii-research/NAFNet).
/// </summary>
public abstract record RegressionConfig : MethodConfig
{
    /// <summary>Distance to the target: l1, charbonnier or psnr (negative PSNR).</summary>
    public PixelDistance Loss { get; init; } = PixelDistance.L1;

    /// <summary>Weight of LPIPS; 0 for none.</summary>
    [Range(0, 1e6)]
    public double LambdaLpips { get; init; }

    /// <summary>Network of LPIPS: alex, vgg or squeeze.</summary>
    public LpipsNet LpipsNetwork { get; init; } = LpipsNet.Vgg;

    /// <summary>File of torchvision's weights of this network, for lambda_lpips.</summary>
    public string LpipsTrunk { get; init; } = "";

    /// <summary>File of LPIPS's linear weights, for lambda_lpips.</summary>
    public string LpipsLin { get; init; } = "";

    /// <summary>Learning rate of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 1e-3;

    /// <summary>First moment decay of AdamW.</summary>
    [Range(0, 0.999999)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Second moment decay of AdamW.</summary>
    [Range(0, 0.999999)]
    public double Beta2 { get; init; } = 0.9;

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay { get; init; }

    /// <summary>Maximum norm of all gradients together; larger ones are scaled down. 0 for no limit.</summary>
    [Range(0.0, 1e6)]
    public double GradClip { get; init; } = 0.01;

    /// <inheritdoc/>
    public override Method Create(Device device) => new RegressionMethod(this, device);

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        if (LambdaLpips == 0) return this;
        if (LpipsTrunk.Length == 0 || LpipsLin.Length == 0)
            throw new TinctorException(null, "model.lambda_lpips needs the weights of LPIPS, and no files are named",
                $"Set model.lpips_trunk to torchvision's weights of {LpipsNetwork.ToString().ToLowerInvariant()}, and model.lpips_lin to "
                    + "the linear weights of LPIPS 0.1")
            { Option = LpipsTrunk.Length == 0 ? "model.lpips_trunk" : "model.lpips_lin" };
        return this with { LpipsTrunk = Path.GetFullPath(LpipsTrunk), LpipsLin = Path.GetFullPath(LpipsLin) };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Remarks(IReadOnlyList<Pair> train, IReadOnlyList<Pair> test)
    {
        if (LambdaLpips > 0 && OutputChannels != 3)
            throw new TinctorException(null, $"LPIPS needs RGB images, but model.output_channels is {OutputChannels}",
                "Use model.lambda_lpips=0")
            { Option = "model.lambda_lpips" };
        return [];
    }
}
