using Tinctor.Staining.Bridges;
using Tinctor.Staining.Inference;
using Tinctor.Staining.Networks;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Methods.Bridges;

/// <summary>
/// A bridge that stains: from the source, brought to the target's size and channels where they differ, the sampler walks to the stained
/// image. [N,Cin,h,w] in [-1,1] to [N,Cout,f h,f w] in [-1,1].
/// </summary>
public sealed class BridgeGenerator : Module<Tensor, Tensor>, IStochasticStainer
{
    private readonly BridgeConfig config;
    private readonly DiffusionUnet denoise;
    private readonly ZScore? standardise;
    private readonly DimensionMatcher? match;

    /// <summary>A network without training.</summary>
    public BridgeGenerator(BridgeConfig config)
    {
        this.config = config;
        Bridge = config.CreateBridge();
        denoise = register_module("denoise", config.CreateUnet());
        if (!config.Matches) return;
        standardise = register_module("standardise", new ZScore());
        match = register_module("match",
            new DimensionMatcher(config.Upscaling, config.InputChannels, config.OutputChannels, config.MatcherWidth));
    }

    /// <summary>The bridge that is walked.</summary>
    public Bridge Bridge { get; }

    /// <inheritdoc/>
    public BridgeSampling Sampling => config.Noisy ? config.Sampling : config.Sampling with { Eta = 0 };

    /// <summary>The bridge's end: the source in the target's size and channels, [N,Cout,f h,f w].</summary>
    public Tensor End(Tensor source)
    {
        if (standardise is null || match is null) return source.alias();
        using Tensor standard = standardise.forward(source);
        return match.forward(standard);
    }

    /// <summary>What the network says of states x at times [N] (or one for all, [1]), given the bridge's end.</summary>
    public Tensor Predict(Tensor x, Tensor times, Tensor end) => denoise.forward(x, times, config.Conditioned ? end : null);

    /// <inheritdoc/>
    public Tensor Stain(Tensor source, BridgeSampling how, IReadOnlyList<NoisePlace> places, int run = 0, SamplingObserver? observe = null)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor end = End(source);
        int[] plan = how.Plan(Bridge.Schedule);
        var sampler = new BridgeSampler(Bridge, how);
        observe?.Invoke(Bridge.Schedule.Last, end, end);
        (Tensor mean, _) = RepeatedSampling.Run(how.Average, k => Once((run * how.Average) + k));
        return mean.clamp(-1, 1).MoveToOuterDisposeScope();

        Tensor Once(int repeat)
        {
            PositionalNoise[] noises = [.. places.Select(place => new PositionalNoise(place.Seed, place.Slide, place.Level, repeat))];
            return sampler.Sample(end, plan, (x, time) => Predict(x, torch.tensor([(float)time], 1).to(x.device), end),
                step => NoiseOf(noises, places, step, end), observe);
        }
    }

    /// <summary>
    /// A look at what training has reached: at most ten evaluations, for images that lie nowhere in particular. The i-th has the noise of an
    /// image called i.
    /// </summary>
    public override Tensor forward(Tensor source) =>
        Stain(source, Look, [.. Enumerable.Range(0, (int)source.size(0)).Select(i => new NoisePlace($"{i}"))]);

    private BridgeSampling Look => Sampling.Evaluations is > 0 and <= 10 ? Sampling with { Average = 1 } : BridgeSampling.Quick with
    {
        Evaluations = Math.Min(BridgeSampling.Quick.Evaluations, Bridge.Schedule.Last),
        Eta = Sampling.Eta,
        Clip = Sampling.Clip,
    };

    private static Tensor NoiseOf(PositionalNoise[] noises, IReadOnlyList<NoisePlace> places, int step, Tensor like)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        (int channels, int height, int width) = ((int)like.size(1), (int)like.size(2), (int)like.size(3));
        return torch.stack([.. noises.Zip(places, (noise, place) => noise.Sample(step, place.Left, place.Top, width, height, channels))])
            .to(like.device, like.dtype).MoveToOuterDisposeScope();
    }
}
