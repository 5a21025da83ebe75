using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Ceff;

/// <summary>
/// CEFF (Jia et al. 2025; models/CEFF_model.py): conditional GAN with a generator guided by a frozen encoder of H&amp;E images and an L1
/// loss weighted by a frozen encoder of IHC images. Only losses use the target; in the official code the generator's forward pass uses it
/// too.
/// </summary>
internal sealed class CeffMethod : ConditionalGanMethod
{
    private readonly CeffConfig config;
    private readonly CeffEncoder? sourceEncoder, targetEncoder;

    /// <summary>Creates and initialises the networks on a device, and loads the encoders.</summary>
    /// <exception cref="TinctorException">The encoders are missing or have changed.</exception>
    public CeffMethod(CeffConfig config, Device device) : this(config, Frozen(config.CreateNetwork()), device) { }

    private CeffMethod(CeffConfig config, CeffGenerator netG, Device device) : base(config, netG, config.CreateDiscriminator(), device)
    {
        this.config = config;
        sourceEncoder = netG.SourceEncoder;
        if (config.AdaptiveL1)
        {
            targetEncoder = new CeffEncoder(config.Ngf, config.FeatureDim);
            WeightInit.Apply(targetEncoder, config.InitType, config.InitGain);
            targetEncoder.to(device);
            targetEncoder.requires_grad_(false);
        }
        if (config is { EncoderStart: "trained", Encoders: not null }) LoadEncoders(config.Encoders);
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => targetEncoder is null
        ? base.Networks : new Dictionary<string, Module>(base.Networks) { ["encoder_IHC"] = targetEncoder };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        bool batchStatistics = config.EncoderStatistics == "batch";
        sourceEncoder?.train(batchStatistics);
        targetEncoder?.train(batchStatistics);
        return base.TrainStep(source, target, labels);
    }

    /// <inheritdoc/>
    protected override Tensor Distance(Tensor stained, Tensor target) => targetEncoder is null ? base.Distance(stained, target)
        : AdaptiveL1.Compute(stained, target, targetEncoder.forward, config.L1Grid, config.L1Alpha, config.L1Beta, config.L1ByImage);

    private static CeffGenerator Frozen(CeffGenerator netG)
    {
        netG.SourceEncoder?.requires_grad_(false);
        return netG;
    }

    private void LoadEncoders(EncoderReference encoders)
    {
        using CeffEncoders trained = encoders.Load();
        sourceEncoder?.load_state_dict(trained.Source.state_dict());
        targetEncoder?.load_state_dict(trained.Target.state_dict());
    }
}
