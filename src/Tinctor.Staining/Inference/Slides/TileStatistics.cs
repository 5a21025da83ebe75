namespace Tinctor.Staining.Inference.Slides;

/// <summary>By what the tiles of a slide are normalised, in networks that normalise by image.</summary>
public enum TileStatistics
{
    /// <summary>Each tile by its own moments: tiles with different content come out in different colours.</summary>
    Tile,

    /// <summary>
    /// Kernelized instance normalisation (Ho et al. 2022, eq. 3-5): by the mean of the moments of the tiles around it, which a first pass
    /// has collected. Neighbours agree, and what is local stays local.
    /// </summary>
    Kernel,

    /// <summary>Thumbnail instance normalisation (Chen et al. 2022): all by the moments of the slide, shrunk to the size of a tile.</summary>
    Thumbnail,

    /// <summary>All by the moments of tiles spread over the tissue, at the resolution of staining.</summary>
    Slide,
}
