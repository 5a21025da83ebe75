using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>How slides are stained.</summary>
public sealed record SlideStainOptions
{
    /// <summary>
    /// Side of the tiles in pixels of the resolution at which the network sees the slide; null for 512 pixels of the result, 256 of models that
    /// stain by chance: these are trained on such images, and take much memory.
    /// </summary>
    public int? Tile { get; init; }

    /// <summary>Pixels along a tile's edge that do not count; null for the network's reach, as measured on the slide.</summary>
    public int? Halo { get; init; }

    /// <summary>Pixels over which neighbouring tiles pass into each other; null for an eighth of a tile.</summary>
    public int? Ramp { get; init; }

    /// <summary>Tiles in one forward pass.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>By what tiles are normalised, in networks that normalise by image.</summary>
    public TileStatistics Statistics { get; init; } = TileStatistics.Kernel;

    /// <summary>Tiles to each side that kernelized normalisation averages over: 1 for 3 x 3.</summary>
    public int KernelRadius { get; init; } = 1;

    /// <summary>Whether these tiles all count the same, or as a Gaussian falls off.</summary>
    public bool GaussianKernel { get; init; }

    /// <summary>Whether glass is stained too.</summary>
    public bool Whole { get; init; }

    /// <summary>Where the tissue is; null finds it.</summary>
    public TissueMask? Tissue { get; init; }

    /// <summary>Micrometres around the tissue that are stained with it.</summary>
    public double TissueMargin { get; init; } = 50;

    /// <summary>Micrometres per pixel at which the model stains; null as the model says.</summary>
    public double? Mpp { get; init; }

    /// <summary>How a model that stains by chance samples; null as it does by itself.</summary>
    public BridgeSampling? Sampling { get; init; }

    /// <summary>Of the noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Runs of a model that stains by chance, whose mean is the stained slide.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>Whether a second slide tells how sure each pixel is.</summary>
    public bool Uncertainty { get; init; }

    /// <summary>Quality of JPEG; null writes without loss.</summary>
    public int? JpegQuality { get; init; } = 90;

    /// <summary>
    /// What tiles, halo and ramp are multiples of, in pixels of the source: patterns of networks and the steps of their pyramids fit into it.
    /// </summary>
    /// <param name="upscaling">Pixels of the result to one of the source, along an axis.</param>
    public static int Grain(int upscaling) => upscaling switch
    {
        1 => 32,
        2 => 16,
        _ => 8,
    };

    /// <summary>These with a side of the tiles, for a model.</summary>
    /// <exception cref="TinctorException">Something is out of its range.</exception>
    internal SlideStainOptions For(Stainer stainer)
    {
        int factor = stainer.Config.Upscaling, grain = Grain(factor);
        int tile = Tile ?? Math.Max(2 * grain, (stainer.Sampling is null ? 512 : 256) / factor / grain * grain);
        if (tile < 2 * grain || tile % grain != 0) throw new TinctorException($"tiles of {tile} pixels: take a multiple of {grain} from {2 * grain} on");
        if (Halo is < 0 || Halo % grain is > 0) throw new TinctorException($"a halo of {Halo} pixels: take 0 or a multiple of {grain}");
        if (Ramp is < 0 || Ramp % grain is > 0) throw new TinctorException($"a ramp of {Ramp} pixels: take 0 or a multiple of {grain}");
        if ((2 * (Halo ?? 0)) + (Ramp ?? 0) >= tile)
            throw new TinctorException($"tiles of {tile} pixels leave nothing between halos of {Halo ?? 0} and a ramp of {Ramp ?? 0}; take larger tiles");
        if (Batch < 1) throw new TinctorException($"a batch of {Batch} tiles: take at least 1");
        if (KernelRadius < 0) throw new TinctorException($"a kernel of {KernelRadius} tiles to each side: take 0 or more");
        if (Repeats < 1) throw new TinctorException($"{Repeats} repeats: take at least 1");
        if (!(TissueMargin >= 0)) throw new TinctorException($"a margin of {TissueMargin} micrometres: take 0 or more");
        return this with { Tile = tile };
    }
}
