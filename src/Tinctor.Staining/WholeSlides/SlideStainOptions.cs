using Tinctor.Slides.Tissue;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Options of staining a slide.</summary>
public sealed record SlideStainOptions
{
    /// <summary>
    /// Side of the tiles in source pixels, at the resolution of the network. Null for 512 to 768 pixels of the result, whichever covers the
    /// slide with the least overlap, or 256 for diffusion bridges, which are trained on such images and take much memory.
    /// </summary>
    public int? TileSize { get; init; }

    /// <summary>
    /// Width of the context border around each tile, in source pixels; discarded after inference. Null for what the network's receptive
    /// field,
    /// measured on the slide, needs beside half of the overlap; at most an eighth of a tile.
    /// </summary>
    public int? Halo { get; init; }

    /// <summary>
    /// Width over which adjacent tiles are blended, in source pixels. Null for an eighth of a tile where tiles are normalised differently,
    /// and
    /// otherwise for the smallest one, 32 pixels of the result.
    /// </summary>
    public int? Overlap { get; init; }

    /// <summary>Tiles in one forward pass.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Source of the normalisation statistics, in networks that normalise by image.</summary>
    public TileNormalization Normalization { get; init; } = TileNormalization.Kernel;

    /// <summary>Tiles to each side over which kernelized normalisation averages: 1 for 3 x 3.</summary>
    public int KernelRadius { get; init; } = 1;

    /// <summary>
    /// Distance between the tiles whose moments kernelized normalisation measures, in tiles; the others are interpolated. 1 measures every
    /// tile, as published, which takes twice the time of staining alone; 2 measures a quarter of them.
    /// </summary>
    public int KernelStep { get; init; } = 2;

    /// <summary>Whether the weights of kernelized normalisation fall off as a Gaussian; else all are equal.</summary>
    public bool GaussianKernel { get; init; }

    /// <summary>Whether the background is stained too.</summary>
    public bool WholeSlide { get; init; }

    /// <summary>Mask of the tissue; null to detect it.</summary>
    public TissueMask? Tissue { get; init; }

    /// <summary>Margin around the tissue that is stained with it, in micrometres.</summary>
    public double TissueMargin { get; init; } = 50;

    /// <summary>Micrometres per pixel at which the model stains; null for the model's own.</summary>
    public double? WorkMpp { get; init; }

    /// <summary>Sampling of a diffusion bridge; null for the model's default.</summary>
    public BridgeSampling? Sampling { get; init; }

    /// <summary>Random seed; the same seed gives the same pixels.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of samples of a diffusion bridge, whose mean is the stained slide.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Whether a second slide with the uncertainty of each pixel is written.</summary>
    public bool Uncertainty { get; init; }

    /// <summary>
    /// Whether a tile is stained in the eight orientations of rotation and mirroring, and the mean is taken (test-time augmentation);
    /// not for diffusion bridges.
    /// </summary>
    public bool AverageOrientations { get; init; }

    /// <summary>JPEG quality, 1 to 100; null for lossless compression.</summary>
    public int? JpegQuality { get; init; } = 90;

    /// <summary>
    /// Gets the number of source pixels that tile size, halo and overlap are multiples of, so that patterns of networks and the steps of
    /// their pyramids fit into tiles.
    /// </summary>
    /// <param name="upscaling">Pixels of the result to one of the source, along an axis.</param>
    public static int Grain(int upscaling) => upscaling switch
    {
        1 => 32,
        2 => 16,
        _ => 8,
    };

    /// <summary>Gets the smallest and the largest side of a tile for a model, in source pixels.</summary>
    internal (int Smallest, int Largest) TileSides(ModelDescription model)
    {
        if ((TileSize ?? model.TileSize) is { } size) return (size, size);
        return model.IsStochastic ? (Side(256), Side(256)) : (Side(512), Side(768));

        int Side(int pixels)
        {
            int grain = Grain(model.Upscaling);
            return Math.Max(2 * grain, pixels / model.Upscaling / grain * grain);
        }
    }

    /// <summary>Checks the values for a model.</summary>
    /// <exception cref="OptionException">A value is out of its range.</exception>
    internal void RequireValid(ModelDescription model)
    {
        int grain = Grain(model.Upscaling), tile = TileSides(model).Smallest;
        if (model.TileSize is { } only && tile != only)
            throw new OptionException(nameof(TileSize), $"the tile size is {tile}, but the network takes tiles of {only} only",
                "Leave it out");
        if (tile < 2 * grain || tile % grain != 0)
            throw new OptionException(nameof(TileSize), $"the tile size is {tile}, expected a multiple of {grain} from {2 * grain} on");
        if (Halo is < 0 || Halo % (grain / 2) is > 0)
            throw new OptionException(nameof(Halo), $"the halo is {Halo}, expected 0 or a multiple of {grain / 2}");
        if (Overlap is < 0 || Overlap % grain is > 0)
            throw new OptionException(nameof(Overlap), $"the overlap is {Overlap}, expected 0 or a multiple of {grain}");
        if ((2 * (Halo ?? 0)) + (Overlap ?? 0) >= tile)
        {
            throw new OptionException(nameof(TileSize),
                $"tiles of {tile} pixels are too small for a halo of {Halo ?? 0} on both sides and an overlap of {Overlap ?? 0}",
                    "Use larger tiles");
        }
        if (BatchSize < 1) throw new OptionException(nameof(BatchSize), $"the batch size is {BatchSize}, expected 1 or more");
        if (KernelRadius < 0) throw new OptionException(nameof(KernelRadius), $"the kernel radius is {KernelRadius}, expected 0 or more");
        if (KernelStep < 1) throw new OptionException(nameof(KernelStep), $"the kernel step is {KernelStep}, expected 1 or more");
        if (AverageOrientations && model.IsStochastic) throw Stainer.NoOrientations();
        if (Samples < 1) throw new OptionException(nameof(Samples), $"the number of samples is {Samples}, expected 1 or more");
        if (!(TissueMargin >= 0)) throw new OptionException(nameof(TissueMargin),
            $"the tissue margin is {TissueMargin}, expected 0 or more");
    }
}
