namespace Tinctor.Staining.WholeSlides;

/// <summary>Statistics that tiles of a slide are normalised by, in networks that normalise by image.</summary>
public enum TileNormalization
{
    /// <summary>Each tile by its own moments: tiles with different content come out in different colours.</summary>
    Tile,

    /// <summary>
    /// Kernelized instance normalisation (Ho et al. 2022, eq. 3-5): by the mean of the moments of neighbouring tiles, which a first pass
    /// has measured. Adjacent tiles agree, and local differences stay.
    /// </summary>
    Kernel,

    /// <summary>
    /// Thumbnail instance normalisation (Chen et al. 2022): all tiles by the moments of the slide, reduced to the size of a tile.
    /// </summary>
    Thumbnail,

    /// <summary>All tiles by the moments of tiles sampled over the tissue, at the resolution of staining.</summary>
    Slide,
}
