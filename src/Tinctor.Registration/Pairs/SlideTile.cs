namespace Tinctor.Registration.Pairs;

/// <summary>What became of a tile.</summary>
public enum TileFate
{
    /// <summary>It is in the data set.</summary>
    Kept,

    /// <summary>Source or target have too little tissue.</summary>
    Background,

    /// <summary>A corner of it lies outside of the target slide.</summary>
    Outside,

    /// <summary>Source and target correlate too little.</summary>
    Unlike,

    /// <summary>The target surely is still shifted by too much.</summary>
    Shifted,
}

/// <summary>A place in the source slide that was looked at, and what the target shows there.</summary>
/// <param name="X">Left edge in pixels of the tiles' resolution.</param>
/// <param name="Y">Upper edge.</param>
/// <param name="Fate">What became of it.</param>
/// <param name="SourceTissue">Share of tissue in the source, 0 to 1.</param>
/// <param name="TargetTissue">Share of tissue in the target, 0 to 1.</param>
/// <param name="Ncc">Normalised cross-correlation of their structure; null where it was not measured.</param>
/// <param name="Residual">Pixels by which the target is still shifted; null where it cannot be told.</param>
public sealed record SlideTile(int X, int Y, TileFate Fate, double SourceTissue, double TargetTissue, double? Ncc = null,
    double? Residual = null)
{
    /// <summary>The name of its files, without extension.</summary>
    /// <param name="pair">The pair's name.</param>
    public string NameIn(string pair) => $"{pair}_{X:00000}_{Y:00000}";
}

/// <summary>Which tiles of a pair of slides are kept.</summary>
public sealed record SlideTilingOptions
{
    /// <summary>Micrometres per pixel of the tiles; null takes the source's level 0 as it is.</summary>
    public double? Mpp { get; init; }

    /// <summary>Side of a tile in pixels.</summary>
    public int Tile { get; init; } = 256;

    /// <summary>Pixels from tile to tile; null means the tile's side: no overlap.</summary>
    public int? Stride { get; init; }

    /// <summary>The least share of tissue, in the source as in the target: 0 to 1.</summary>
    public double MinTissue { get; init; } = 0.5;

    /// <summary>The least correlation: -1 to 1.</summary>
    public double MinNcc { get; init; } = 0.1;

    /// <summary>The largest shift that may be left, in pixels.</summary>
    public double MaxResidual { get; init; } = 8;

    /// <summary>What is compared; null takes optical density of two brightfield slides and edges of others.</summary>
    public StructureChannel? Channel { get; init; }

    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        if (Tile < 16 || Stride < 1)
            throw new ArgumentException($"tile {Tile}, stride {Stride}: a tile has at least 16 pixels, a stride at least 1");
        if (!(Mpp is null or > 0)) throw new ArgumentException($"{Mpp} micrometres per pixel: must be above 0");
        if (!(MinTissue is >= 0 and <= 1)) throw new ArgumentException($"least tissue {MinTissue}: must be 0 to 1");
        if (!(MaxResidual >= 0)) throw new ArgumentException($"largest residual {MaxResidual}: must be 0 or more");
    }
}
