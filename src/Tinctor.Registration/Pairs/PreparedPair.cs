using Tinctor.Transforms;


namespace Tinctor.Registration.Pairs;

/// <summary>Result of preparing a pair of fields or slides.</summary>
/// <param name="Name">Name of the pair in file names.</param>
/// <param name="SlideId">Slide or patient of the source; empty if unknown.</param>
/// <param name="Split">train, val or test.</param>
/// <param name="Label">Label of the pair; null for none.</param>
public sealed record PreparedPair(string Name, string SlideId, string Split, string? Label)
{
    /// <summary>Tiles, row by row; empty if the pair failed.</summary>
    public IReadOnlyList<PreparedTile> Tiles { get; init; } = [];

    /// <summary>Reason why the pair is left out; null if it is used.</summary>
    public string? Failure { get; init; }

    /// <summary>Property of the options that avoids the failure, such as <c>TileSize</c>; null for none.</summary>
    public string? FailureOption { get; init; }

    /// <summary>Whether the tiles are those of an earlier call.</summary>
    public bool IsFromEarlierCall { get; init; }

    /// <summary>Micrometres per pixel of the tiles; null if unknown.</summary>
    public double? Mpp { get; init; }

    /// <summary>Similarity of the registered pair; NaN if it was not registered.</summary>
    public double Similarity { get; init; } = double.NaN;

    /// <summary>Counts the tiles with a status.</summary>
    public int Count(TileStatus status) => Tiles.Count(tile => tile.Status == status);
}

/// <summary>Data set that was prepared from pairs of fields or slides.</summary>
/// <param name="Folder">Folder with source/, target/, manifest.csv, rejected.csv and dataset.json.</param>
/// <param name="Pairs">Pairs, in the order of their input.</param>
public sealed record PreparedDataset(string Folder, IReadOnlyList<PreparedPair> Pairs)
{
    /// <summary>Registration of each slide; for fields, empty for slides.</summary>
    public IReadOnlyList<SlideSummary> Slides { get; init; } = [];

    /// <summary>Target pixels per source pixel along each axis, the setting <c>model.factor</c> of a training.</summary>
    public int Factor { get; init; } = 1;

    /// <summary>Number of kept tiles.</summary>
    public int Kept => Pairs.Sum(pair => pair.Count(TileStatus.Kept));

    /// <summary>Number of tiles, kept or rejected.</summary>
    public int Tiles => Pairs.Sum(pair => pair.Tiles.Count);

    /// <summary>Checks that there are tiles.</summary>
    /// <param name="options">Options of the preparation.</param>
    /// <exception cref="TinctorException">No tile was kept; the remedy depends on the most frequent reason and on the options.</exception>
    public void RequireTiles(PreparationOptions options)
    {
        if (Kept > 0) return;
        PreparedPair[] failed = [.. Pairs.Where(pair => pair.Failure is not null)];
        if (Tiles == 0 && failed.Length > 0)
        {
            throw new TinctorException(Folder,
                $"no tile was kept: {failed.Length} of {Pairs.Count} pairs failed, such as {failed[0].Name}: {failed[0].Failure}")
            { Option = failed[0].FailureOption };
        }
        if (Tiles == 0) throw new TinctorException(Folder, "no tile was kept: no pair has tissue");
        (TileStatus reason, int count) = Pairs.SelectMany(pair => pair.Tiles).CountBy(tile => tile.Status).MaxBy(status => status.Value);
        bool rotated = options.Registration is not { Transform: null or TransformModel.Translation } || Slides.Count == 0;
        (string problem, string remedy, string? option) = reason switch
        {
            TileStatus.Background => (FormattableString.Invariant($"have less tissue than {options.Tiling.MinTissue}"), "Lower this limit",
                nameof(TilingOptions.MinTissue)),
            TileStatus.Outside => ("are outside of the target", "Check that the slides belong together", null),
            _ when !rotated => (Misalignment(reason, options.Tiling), "Allow rotation with a rigid or affine transform",
                nameof(RegistrationOptions.Transform)),
            TileStatus.LowCorrelation => (Misalignment(reason, options.Tiling),
                "Check that the images belong together, or lower this limit",
                nameof(TilingOptions.MinNcc)),
            _ => (Misalignment(reason, options.Tiling), "Check the registration, or raise this limit", nameof(TilingOptions.MaxResidual)),
        };
        throw new TinctorException(Folder, $"no tile was kept: {count} of {Tiles} {problem}", remedy) { Option = option };
    }

    private static string Misalignment(TileStatus reason, TilingOptions options) => reason == TileStatus.LowCorrelation
        ? FormattableString.Invariant($"have a correlation below {options.MinNcc}")
        : FormattableString.Invariant($"are misaligned by more than {options.MaxResidual} pixels");
}
