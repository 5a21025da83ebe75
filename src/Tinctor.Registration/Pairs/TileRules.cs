using Tinctor.Registration.Metrics;

namespace Tinctor.Registration.Pairs;

/// <summary>Rules by which tiles are kept, the same for fields and slides.</summary>
internal static class TileRules
{
    private const int Digits = 4; // of the measured numbers in files

    /// <summary>
    /// Checks whether both sides of a tile have enough tissue. A share that is null, of an image whose tissue is not measured, counts as
    /// enough.
    /// </summary>
    public static bool HasTissue(double? source, double? target, TilingOptions options) =>
        !(source < options.MinTissue || target < options.MinTissue);

    /// <summary>Creates the result of a tile with its status: the first of too little tissue, low correlation and misalignment.</summary>
    /// <param name="x">Left edge of the tile.</param>
    /// <param name="y">Upper edge of the tile.</param>
    /// <param name="sourceTissue">Share of tissue in the source; null if it is not measured.</param>
    /// <param name="targetTissue">Share of tissue in the target; null if it is not measured.</param>
    /// <param name="alignment">Alignment of a tile with enough tissue.</param>
    /// <param name="options">Limits.</param>
    public static PreparedTile Judge(int x, int y, double? sourceTissue, double? targetTissue, TileAlignment? alignment,
        TilingOptions options)
    {
        TileStatus status = alignment is not { } measured ? TileStatus.Background
            : !(measured.Ncc >= options.MinNcc) ? TileStatus.LowCorrelation
            : measured.IsMisaligned(options.MaxResidual) ? TileStatus.Misaligned : TileStatus.Kept;
        return new(x, y, status, Rounded(sourceTissue), Rounded(targetTissue), Rounded(alignment?.Ncc),
            alignment is { IsCertain: true } ? Rounded(alignment?.Residual) : null);
    }

    private static double? Rounded(double? value) => value is double number ? Math.Round(number, Digits) : null;
}
