using Tinctor.Staining.Losses;
using Tinctor.Staining.Networks;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Staining.Methods.Ceff;

/// <summary>
/// CEFF (Jia et al. 2025; models/CEFF_model.py): a conditional GAN whose generator is guided by a frozen encoder of H&amp;E images, and
/// whose L1 term is weighted by a frozen encoder of IHC images. The real image enters losses alone; in the official code it enters the
/// generator's forward pass.
/// </summary>
public sealed class CeffMethod : Method
{
    private readonly CeffConfig config;
    private readonly CeffGenerator netG;
    private readonly NLayerDiscriminator netD;
    private readonly CeffEncoder? encoder;
    private readonly Adam optimizerG, optimizerD;

    /// <summary>Builds and initialises the networks on a device, and reads the encoders.</summary>
    /// <exception cref="InvalidDataException">The encoders are not there, or not those of the run's start.</exception>
    public CeffMethod(CeffConfig config, Device device)
    {
        this.config = config;
        netG = config.CreateNetwork();
        netD = new NLayerDiscriminator(config.InputChannels + config.OutputChannels, config.Ndf, config.NLayersD, Norm.Batch);
        if (config.AdaptiveL1) encoder = new CeffEncoder(config.Ngf, config.FeatureDim);
        foreach (Module network in Networks.Values) WeightInit.Apply(network, config.InitType, config.InitGain);
        if (config.EncoderStart == "trained") TakeOverEncoders();
        foreach (Module network in Networks.Values) network.to(device);
        netG.train();
        foreach (CeffEncoder frozen in FrozenEncoders) frozen.requires_grad_(false);
        optimizerG = new Adam([.. netG.parameters().Where(parameter => parameter.requires_grad)], config.Lr, (config.Beta1, 0.999));
        optimizerD = new Adam(netD.parameters(), config.Lr, (config.Beta1, 0.999));
    }

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> Generator => netG;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Module> Networks => encoder is null
        ? new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD }
        : new Dictionary<string, Module> { ["G"] = netG, ["D"] = netD, ["encoder_IHC"] = encoder };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Optimizer> Optimizers =>
        new Dictionary<string, Optimizer> { ["G"] = optimizerG, ["D"] = optimizerD };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        foreach (CeffEncoder frozen in FrozenEncoders) frozen.train(config.EncoderStatistics == "batch");
        Tensor stained = netG.forward(source);

        netD.requires_grad_(true);
        optimizerD.zero_grad();
        Tensor fake = GanLoss.Of(config.GanMode, netD.forward(torch.cat([source, stained.detach()], 1)), real: false);
        Tensor real = GanLoss.Of(config.GanMode, netD.forward(torch.cat([source, target], 1)), real: true);
        ((fake + real) * 0.5).backward();
        optimizerD.step();

        netD.requires_grad_(false);
        optimizerG.zero_grad();
        Tensor gan = GanLoss.Of(config.GanMode, netD.forward(torch.cat([source, stained], 1)), real: true);
        Tensor l1 = encoder is null ? F.l1_loss(stained, target) * config.LambdaL1
            : AdaptiveL1.Of(stained, target, encoder.forward, config.L1Grid, config.L1Alpha, config.L1Beta, config.L1ByImage);
        (gan + l1).backward();
        optimizerG.step();

        return new Dictionary<string, Tensor>
        {
            ["G_GAN"] = gan.detach(),
            ["G_L1"] = l1.detach(),
            ["D_real"] = real.detach(),
            ["D_fake"] = fake.detach(),
        };
    }

    private IEnumerable<CeffEncoder> FrozenEncoders => new[] { netG.SourceEncoder, encoder }.OfType<CeffEncoder>();

    private void TakeOverEncoders()
    {
        if (config.Encoders is null) return;
        using CeffEncoders trained = config.Encoders.Load();
        netG.SourceEncoder?.load_state_dict(trained.Source.state_dict());
        encoder?.load_state_dict(trained.Target.state_dict());
    }
}
