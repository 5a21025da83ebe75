using Tinctor.Staining.Bridges;
using Tinctor.Torch;

namespace Tinctor.Staining.Inference;

/// <summary>A generator that stains by chance: a diffusion bridge. The same place, seed and run give the same pixels.</summary>
public interface IStochasticStainer
{
    /// <summary>How it samples unless told otherwise.</summary>
    BridgeSampling Sampling { get; }

    /// <summary>Stains images [N,C,H,W] in [-1,1].</summary>
    /// <param name="source">The images.</param>
    /// <param name="how">How to sample.</param>
    /// <param name="places">Where each image's noise comes from.</param>
    /// <param name="run">Which of several results for the same images; each has noise of its own.</param>
    /// <param name="observe">Sees where the bridge starts, and every step, of every run that is averaged.</param>
    Tensor Stain(Tensor source, BridgeSampling how, IReadOnlyList<NoisePlace> places, int run = 0, SamplingObserver? observe = null);
}

/// <summary>One of the results that chance gives for images.</summary>
/// <param name="Sampling">How to sample.</param>
/// <param name="Places">Where the noise of each image comes from.</param>
/// <param name="Run">Which of several results for the same images.</param>
/// <param name="Observe">Sees every step.</param>
public sealed record Chance(BridgeSampling Sampling, IReadOnlyList<NoisePlace> Places, int Run = 0, SamplingObserver? Observe = null)
{
    /// <summary>The quickest way through the network, for what is known before the first step: how its source is normalised.</summary>
    public Chance Quick => this with { Sampling = Sampling with { Evaluations = 1, Average = 1 } };
}

/// <summary>Where an image lies, for noise that belongs to places.</summary>
/// <param name="Slide">What the slide or image is called, without folder and extension.</param>
/// <param name="Seed">The user's.</param>
/// <param name="Level">The slide's level.</param>
/// <param name="Left">Of the stained image's upper left pixel.</param>
/// <param name="Top">Of the stained image's upper left pixel.</param>
public sealed record NoisePlace(string Slide, ulong Seed = 0, int Level = 0, int Left = 0, int Top = 0);
