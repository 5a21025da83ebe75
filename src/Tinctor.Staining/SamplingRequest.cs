using Tinctor.Slides;
using Tinctor.Staining.Bridges;

namespace Tinctor.Staining;

/// <summary>Sampling of one result of a stochastic model.</summary>
/// <param name="Sampling">Options of sampling.</param>
/// <param name="Origins">Position of each image, which its noise belongs to.</param>
/// <param name="Run">Number of the result, of several for the same images; each has noise of its own.</param>
public sealed record SamplingRequest(BridgeSampling Sampling, IReadOnlyList<NoiseOrigin> Origins, int Run = 0)
{
    /// <summary>Receives the start of the bridge and the state of every step, of the first image.</summary>
    public Action<Image>? Observe { get; init; }
}

/// <summary>Position of an image, for noise that is a function of its position.</summary>
/// <param name="Slide">Name of the slide or image, without folder and extension.</param>
/// <param name="Seed">Random seed.</param>
/// <param name="Level">Pyramid level of the slide.</param>
/// <param name="Left">Left edge of the stained image on the slide, in pixels.</param>
/// <param name="Top">Top edge.</param>
public sealed record NoiseOrigin(string Slide, ulong Seed = 0, int Level = 0, int Left = 0, int Top = 0);
