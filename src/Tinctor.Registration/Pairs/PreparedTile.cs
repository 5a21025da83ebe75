using System.Text.Json.Serialization;

namespace Tinctor.Registration.Pairs;

/// <summary>Status of a tile: kept, or the first reason to reject it.</summary>
public enum TileStatus
{
    /// <summary>Kept in the data set.</summary>
    [JsonStringEnumMemberName("kept")]
    Kept,

    /// <summary>Too little tissue in the source or in the target.</summary>
    [JsonStringEnumMemberName("background")]
    Background,

    /// <summary>A corner is outside of the target slide.</summary>
    [JsonStringEnumMemberName("outside")]
    Outside,

    /// <summary>Correlation of source and target below the limit.</summary>
    [JsonStringEnumMemberName("low_correlation")]
    LowCorrelation,

    /// <summary>Residual translation certainly above the limit.</summary>
    [JsonStringEnumMemberName("misaligned")]
    Misaligned,
}

/// <summary>Tile of a registered pair.</summary>
/// <param name="X">Left edge in the source, in pixels of the tiles' resolution.</param>
/// <param name="Y">Upper edge in the source, in pixels of the tiles' resolution.</param>
/// <param name="Status">Whether it is kept.</param>
/// <param name="SourceTissue">Share of tissue in the source, 0 to 1; null for fields that are not brightfield.</param>
/// <param name="TargetTissue">Share of tissue in the target, 0 to 1; null for fields that are not brightfield.</param>
/// <param name="Ncc">Normalised cross-correlation of the structure, -1 to 1; null if it was not measured.</param>
/// <param name="Residual">Residual translation in pixels; null if it is not certain or was not measured.</param>
public sealed record PreparedTile(int X, int Y, TileStatus Status, double? SourceTissue, double? TargetTissue, double? Ncc = null,
    double? Residual = null);
