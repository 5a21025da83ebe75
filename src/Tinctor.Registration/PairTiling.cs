using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Registration;

/// <summary>One field in two stains, not yet aligned.</summary>
/// <param name="Name">Its name in the file names of its tiles; each field has another.</param>
/// <param name="SlideId">The slide that it is from; empty where that is not known.</param>
/// <param name="Read">Reads source and target.</param>
public sealed record StainedField(string Name, string SlideId, Func<(Image Source, Image Target)> Read);

/// <summary>How fields become registered tiles.</summary>
public sealed record TilingOptions
{
    /// <summary>How the two images are registered.</summary>
    public RegistrationOptions Registration { get; init; } = new();

    /// <summary>One transform for all fields of a slide, the median of theirs: for scanners that are off by a constant.</summary>
    public bool BySlide { get; init; }

    /// <summary>Side of a tile in pixels; null keeps the common area of each field whole.</summary>
    public int? Tile { get; init; } = 256;

    /// <summary>Pixels from tile to tile; null means the tile's side: no overlap.</summary>
    public int? Stride { get; init; }

    /// <summary>Tiles with less tissue are background and are not written: 0 to 1. Needs an RGB image on one side.</summary>
    public double MinTissue { get; init; } = 0.1;

    /// <summary>Tiles with less correlation are marked as not kept: -1 to 1.</summary>
    public double MinNcc { get; init; } = 0.2;

    /// <summary>Tiles that are still shifted by more pixels are marked as not kept.</summary>
    public double MaxResidual { get; init; } = 3;

    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        Registration.Validate();
        if (Tile < 16 || Stride < 1)
            throw new ArgumentException($"tile {Tile}, stride {Stride}: a tile has at least 16 pixels, a stride at least 1");
        if (!(MinTissue is >= 0 and <= 1)) throw new ArgumentException($"least tissue {MinTissue}: must be 0 to 1");
    }
}

/// <summary>A registered pair of tiles.</summary>
/// <param name="Field">The field that it was cut from.</param>
/// <param name="Source">Full path of the source tile.</param>
/// <param name="Target">Full path of the target tile.</param>
/// <param name="Area">Where it is in the field's source.</param>
/// <param name="Ncc">Normalised cross-correlation of the structure channel.</param>
/// <param name="Residual">Pixels by which the target is still shifted, by phase correlation of the tile.</param>
/// <param name="Kept">Whether both are good enough.</param>
public sealed record RegisteredTile(StainedField Field, string Source, string Target, PixelArea Area, double Ncc, double Residual,
    bool Kept);

/// <summary>How one field was registered.</summary>
/// <param name="Field">The field.</param>
/// <param name="Transform">What was used: from source to target pixels.</param>
/// <param name="NccBefore">Correlation of the images as they were.</param>
/// <param name="NccAfter">Correlation over the common area.</param>
public sealed record RegisteredField(StainedField Field, AffineTransform Transform, double NccBefore, double NccAfter);

/// <summary>What came out, in the order of the fields.</summary>
/// <param name="Tiles">The tiles that were written.</param>
/// <param name="Fields">All fields.</param>
/// <param name="Slides">All slides.</param>
public sealed record TilingResult(IReadOnlyList<RegisteredTile> Tiles, IReadOnlyList<RegisteredField> Fields,
    IReadOnlyList<SlideQuality> Slides);

/// <summary>How the registration of one slide went.</summary>
/// <param name="SlideId">The slide, or the field where slides are not known.</param>
/// <param name="Fields">Number of fields.</param>
/// <param name="ShiftX">Median shift of the fields' centres to the right, pixels.</param>
/// <param name="ShiftY">Median shift of the fields' centres down, pixels.</param>
/// <param name="Spread">Median distance of the fields' own shifts from the median shift, pixels.</param>
/// <param name="NccBefore">Median correlation of the fields as they were.</param>
/// <param name="NccAfter">Median correlation of the registered fields.</param>
/// <param name="Kept">Tiles that were kept.</param>
/// <param name="Rejected">Tiles that were written but are marked as not kept.</param>
/// <param name="Background">Tiles with too little tissue, which were not written.</param>
public sealed record SlideQuality(string SlideId, int Fields, double ShiftX, double ShiftY, double Spread, double NccBefore,
    double NccAfter, int Kept, int Rejected, int Background)
{
    /// <summary>At least half of the tiles with tissue were kept.</summary>
    public bool Passed => Kept > 0 && Kept >= Rejected;
}

/// <summary>Registers fields, cuts them into tiles, scores and writes the tiles. Holds one field in memory at a time.</summary>
public static class PairTiling
{
    /// <summary>
    /// Writes source/NAME_X_Y.png and target/NAME_X_Y.png (NAME.png where fields are kept whole; .tif for images that are not grey or RGB)
    /// below a folder.
    /// </summary>
    /// <param name="fields">The fields; the name of each must be another.</param>
    /// <param name="folder">Where the tiles go.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancel">Stops between fields.</param>
    /// <exception cref="TinctorException">A field cannot be read, or what is common is smaller than a tile; it is named.</exception>
    public static TilingResult Write(IReadOnlyList<StainedField> fields, string folder,
        TilingOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        if (fields.CountBy(field => field.Name).FirstOrDefault(name => name.Value > 1).Key is { } twice)
            throw new ArgumentException($"two fields are named {twice}");
        var estimates = new List<FieldEstimate>();
        foreach (StainedField field in fields)
        {
            cancel.ThrowIfCancellationRequested();
            estimates.Add(Named(field, () => FieldEstimate.Of(field, options.Registration)));
            progress?.Report(0.5 * estimates.Count / fields.Count);
        }
        if (options.BySlide) estimates = OnePerSlide(estimates);
        var results = new List<FieldTiles>();
        foreach (FieldEstimate estimate in estimates)
        {
            cancel.ThrowIfCancellationRequested();
            results.Add(Named(estimate.Field, () => Cut(estimate, folder, options)));
            progress?.Report(0.5 + (0.5 * results.Count / fields.Count));
        }
        return new([.. results.SelectMany(result => result.Tiles)],
            [.. results.Select(result =>
                new RegisteredField(result.Estimate.Field, result.Estimate.Used, result.Estimate.NccBefore, result.Ncc))],
            [.. results.GroupBy(result => Slide(result.Estimate.Field)).Select(slide => Quality(slide.Key, [.. slide]))]);
    }

    private static string Slide(StainedField field) => field.SlideId.Length > 0 ? field.SlideId : field.Name;

    private static T Named<T>(StainedField field, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TinctorException error) when (!error.Message.Contains(field.Name, StringComparison.Ordinal))
        {
            throw new TinctorException($"{field.Name}: {error.Message}", error);
        }
    }

    private static List<FieldEstimate> OnePerSlide(List<FieldEstimate> estimates)
    {
        var medians = estimates.GroupBy(e => Slide(e.Field)).ToDictionary(
            slide => slide.Key,
            slide => AffineTransform.Median([.. slide.Select(e => e.Own)], slide.First().CentreX, slide.First().CentreY));
        return [.. estimates.Select(e => e with { Used = medians[Slide(e.Field)] })];
    }

    private static FieldTiles Cut(FieldEstimate estimate, string folder, TilingOptions options)
    {
        (Image source, Image target) = estimate.Field.Read();
        PixelArea common = Warp.CommonArea(estimate.Used, source.Width, source.Height, target.Width, target.Height)
            ?? throw new TinctorException("source and target have no area in common");
        Image fixedPart = source.Crop(common.X, common.Y, common.Width, common.Height),
            movedPart = Warp.Apply(target, estimate.Used, common);
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        Tensor a = StructureImage.Of(fixedPart, options.Registration.Channel),
            b = StructureImage.Of(movedPart, options.Registration.Channel);
        var tiles = new List<RegisteredTile>();
        int background = 0;
        foreach (PixelArea tile in Grid(common.Width, common.Height, options))
        {
            Image sourceTile = fixedPart.Crop(tile.X, tile.Y, tile.Width, tile.Height),
                targetTile = movedPart.Crop(tile.X, tile.Y, tile.Width, tile.Height);
            if ((StructureImage.TissueShare(sourceTile) ?? StructureImage.TissueShare(targetTile) ?? 1) < options.MinTissue)
            {
                background++;
                continue;
            }
            Tensor Part(Tensor image) => image.narrow(2, tile.Y, tile.Height).narrow(3, tile.X, tile.Width);
            (double ncc, double residual, _) = TileAlignment.Of(Part(a), Part(b));
            var area = tile with { X = common.X + tile.X, Y = common.Y + tile.Y };
            string name = options.Tile is null ? estimate.Field.Name : $"{estimate.Field.Name}_{area.X:0000}_{area.Y:0000}";
            tiles.Add(new(estimate.Field, TileFiles.Save(sourceTile, Path.Combine(folder, "source"), name),
                TileFiles.Save(targetTile, Path.Combine(folder, "target"), name), area, ncc, residual,
                ncc >= options.MinNcc && residual <= options.MaxResidual));
        }
        return new(estimate, Correlation.Of(a, b), tiles, background);
    }

    private static IEnumerable<PixelArea> Grid(int width, int height, TilingOptions options)
    {
        if (options.Tile is not { } tile) return [new(0, 0, width, height)];
        if (width < tile || height < tile)
        {
            throw new TinctorException($"only {width}x{height} pixels are common to source and target; "
                + $"use --tile {Math.Min(width, height) / 8 * 8} or less");
        }
        return TileFiles.Grid(width, height, tile, options.Stride ?? tile);
    }

    private static SlideQuality Quality(string slide, FieldTiles[] fields)
    {
        (double X, double Y)[] shifts = [.. fields.Select(field => field.Estimate.OwnShift)];
        (double x, double y) = (Median.Of(shifts.Select(shift => shift.X)), Median.Of(shifts.Select(shift => shift.Y)));
        int kept = fields.Sum(field => field.Tiles.Count(tile => tile.Kept));
        return new(slide, fields.Length, x, y, Median.Of(shifts.Select(shift => double.Hypot(shift.X - x, shift.Y - y))),
            Median.Of(fields.Select(field => field.Estimate.NccBefore)), Median.Of(fields.Select(field => field.Ncc)),
            kept, fields.Sum(field => field.Tiles.Count) - kept, fields.Sum(field => field.Background));
    }

    /// <summary>A field's own transform, and the one that is used.</summary>
    private sealed record FieldEstimate(StainedField Field, double CentreX, double CentreY, AffineTransform Own, AffineTransform Used,
        double NccBefore)
    {
        public (double X, double Y) OwnShift => (Own.Apply(CentreX, CentreY).X - CentreX, Own.Apply(CentreX, CentreY).Y - CentreY);

        public static FieldEstimate Of(StainedField field, RegistrationOptions options)
        {
            (Image source, Image target) = field.Read();
            RegistrationResult result = ImageRegistration.Estimate(source, target, options);
            return new(field, (source.Width - 1) / 2.0, (source.Height - 1) / 2.0, result.Transform, result.Transform, result.NccBefore);
        }
    }

    private sealed record FieldTiles(FieldEstimate Estimate, double Ncc, List<RegisteredTile> Tiles, int Background);
}
