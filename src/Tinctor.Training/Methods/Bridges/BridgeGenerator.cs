using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Bridges;

/// <summary>
/// Networks of a diffusion bridge: an optional network matches the source [N,Cin,h,w], in [-1,1] or z-scored, to the target's size and
/// channels [N,Cout,f h,f w]; a U-Net predicts from states of the bridge.
/// </summary>
internal sealed class BridgeGenerator : Module<Tensor, Tensor>, IBridgeNetwork
{
    private readonly DiffusionUnet denoise;
    private readonly ZScore? standardise;
    private readonly DimensionMatcher? match;

    /// <summary>Creates an untrained network.</summary>
    public BridgeGenerator(BridgeConfig config)
    {
        Config = config;
        Bridge = config.CreateBridge();
        denoise = register_module("denoise", config.CreateUnet());
        if (!config.HasMatcher) return;
        if (!config.StandardizesSource) standardise = register_module("standardise", new ZScore());
        match = register_module("match",
            new DimensionMatcher(config.Upscaling, config.InputChannels, config.OutputChannels, config.MatcherWidth));
    }

    /// <summary>Settings of the method.</summary>
    public BridgeConfig Config { get; }

    /// <summary>Diffusion bridge.</summary>
    public Bridge Bridge { get; }

    /// <inheritdoc/>
    public Tensor End(Tensor source)
    {
        if (match is null) return source.alias();
        if (standardise is null) return match.forward(source);
        using Tensor standard = standardise.forward(source);
        return match.forward(standard);
    }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x, Tensor times, Tensor end) => denoise.forward(x, times, Config.Conditioned ? end : null);

    /// <summary>Predicts at the end of the bridge, where the state equals the source.</summary>
    public override Tensor forward(Tensor source)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor end = End(source);
        return Predict(end, Bridge.Times([Bridge.Schedule.Last], end.device), end).MoveToOuterDisposeScope();
    }
}
