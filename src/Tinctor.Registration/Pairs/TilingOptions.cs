using Tinctor.Registration.Metrics;

namespace Tinctor.Registration.Pairs;

/// <summary>Options of the tiles that are cut from registered fields and slides, with the limits of their quality.</summary>
/// <remarks>
/// The limits are for consecutive sections, which share glands and layers but not their cells. Correctly registered tiles of such sections
/// have a correlation near 0, and many have no certain residual; the limits therefore reject only tiles with negative correlation and tiles
/// that are certainly misaligned by more than 8 pixels (4 um at 0.5 um per pixel, half a nucleus). For restained or rescanned sections
/// raise the correlation to 0.2 and lower the residual to 3.
/// </remarks>
public sealed record TilingOptions
{
    internal const int MaxFactor = 16;

    /// <summary>Side of a tile in pixels, at least 16; null keeps the common area of each field whole, and is not for slides.</summary>
    public int? TileSize { get; init; } = 256;

    /// <summary>Distance of adjacent tiles in pixels; null is the tile size, so that tiles do not overlap.</summary>
    public int? Stride { get; init; }

    /// <summary>
    /// Slides: resolution of the target tiles in micrometres per pixel; null is that of the source's level 0, divided by the factor.
    /// </summary>
    public double? Mpp { get; init; }

    /// <summary>
    /// Slides: target pixels per source pixel along each axis, 1 to 16, for super-resolution: source tiles keep the source's resolution,
    /// and targets are resampled to exactly this multiple of it. Tile size, stride and largest residual then count target pixels. Null
    /// derives it from the pixel sizes of the slides, whose ratio must be within 5% of a whole number.
    /// </summary>
    public int? Factor { get; init; } = 1;

    /// <summary>
    /// Smallest share of tissue in the source and in the target, 0 to 1, by their tissue masks. The tissue of fields is detected in
    /// brightfield images only; that of other fields counts as enough.
    /// </summary>
    public double MinTissue { get; init; } = 0.2;

    /// <summary>Smallest normalised cross-correlation of the structure of source and target, -1 to 1.</summary>
    public double MinNcc { get; init; }

    /// <summary>Largest residual translation in pixels. It counts only if it increases the correlation by 0.1.</summary>
    public double MaxResidual { get; init; } = 8;

    /// <summary>Structure that is compared; null is optical density of two brightfield images and edges of others.</summary>
    public StructureChannel? Channel { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    public void Validate()
    {
        if (TileSize < 16) throw new OptionException(nameof(TileSize), $"the tile size is {TileSize} pixels, but must be at least 16");
        if (Stride < 1) throw new OptionException(nameof(Stride), $"the stride is {Stride} pixels, but must be at least 1");
        if (Factor is < 1 or > MaxFactor)
            throw new OptionException(nameof(Factor), $"the factor is {Factor}, but must be 1 to {MaxFactor}");
        if (!(Mpp is null or (> 0 and < double.PositiveInfinity)))
            throw new OptionException(nameof(Mpp), $"the resolution is {Mpp} micrometres per pixel, but must be above 0");
        if (!(MinTissue is >= 0 and <= 1))
            throw new OptionException(nameof(MinTissue), $"the smallest tissue share is {MinTissue}, but must be 0 to 1");
        if (!(MinNcc is >= -1 and <= 1))
            throw new OptionException(nameof(MinNcc), $"the smallest correlation is {MinNcc}, but must be -1 to 1");
        if (!(MaxResidual >= 0))
            throw new OptionException(nameof(MaxResidual),
                $"the largest residual is {MaxResidual}, but must be 0 or more");
    }
}
