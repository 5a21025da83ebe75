using System.Globalization;
using Tinctor.Data;

namespace Tinctor.Registration.Pairs;

/// <summary>Writing of the tables of a data set.</summary>
internal static class DatasetWriter
{
    private const string Manifest = "manifest.csv", Rejected = "rejected.csv";

    /// <summary>
    /// Writes dataset.json and removes an earlier manifest, so that an interrupted data set is not taken for a complete one.
    /// </summary>
    public static void Begin(string folder, string kind, TilingOptions options, int factor = 1)
    {
        new DatasetFile(kind, options.TileSize, options.Stride ?? options.TileSize, options.Mpp, options.MinTissue, options.MinNcc,
            options.MaxResidual)
        { Factor = factor > 1 ? factor : null }.Write(folder);
        File.Delete(Path.Combine(folder, Manifest));
    }

    /// <summary>
    /// Writes rejected.csv, then manifest.csv. A pair that failed has one row in rejected.csv, with its failure as the reason and no
    /// position.
    /// </summary>
    /// <param name="folder">Data set.</param>
    /// <param name="pairs">Pairs.</param>
    /// <param name="files">Paths of the source and target of a kept tile.</param>
    public static void End(string folder, IReadOnlyList<PreparedPair> pairs,
        Func<PreparedPair, PreparedTile, (string Source, string Target)> files)
    {
        CsvFile.Write(Path.Combine(folder, Rejected), ["pair", "x", "y", "reason", "source_tissue", "target_tissue", "ncc", "residual_px"],
            pairs.SelectMany(RejectedRows));
        (PreparedPair Pair, PreparedTile Tile)[] kept =
            [.. from pair in pairs from tile in pair.Tiles where tile.Status == TileStatus.Kept select (pair, tile)];
        (string, IReadOnlyList<string>) Column(string name, Func<PreparedTile, object?> value) =>
            (name, [.. kept.Select(one => Convert.ToString(value(one.Tile), CultureInfo.InvariantCulture) ?? "")]);
        ManifestFile.Write(Path.Combine(folder, Manifest), [.. kept.Select(one => Row(one.Pair, files(one.Pair, one.Tile)))],
            ("pair", [.. kept.Select(one => one.Pair.Name)]), Column("x", tile => tile.X), Column("y", tile => tile.Y),
            Column("source_tissue", tile => tile.SourceTissue), Column("target_tissue", tile => tile.TargetTissue),
            Column("ncc", tile => tile.Ncc), Column("residual_px", tile => tile.Residual));
    }

    private static IEnumerable<object?[]> RejectedRows(PreparedPair pair) => pair.Failure is { } failure
        ? [[pair.Name, null, null, failure, null, null, null, null]]
        : pair.Tiles.Where(tile => tile.Status != TileStatus.Kept)
            .Select(tile => (object?[])[pair.Name, tile.X, tile.Y, Reason(tile.Status),
            tile.SourceTissue, tile.TargetTissue, tile.Ncc, tile.Residual]);

    private static Pair Row(PreparedPair pair, (string Source, string Target) files) =>
        new(files.Source, files.Target, pair.Split, pair.Label, pair.SlideId, PairLayout.TwoFiles) { Mpp = pair.Mpp };

    private static string Reason(TileStatus status) => status switch
    {
        TileStatus.LowCorrelation => "low_correlation",
        _ => status.ToString().ToLowerInvariant(),
    };
}
