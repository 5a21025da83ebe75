using Tinctor.Data;
using Tinctor.Registration.Fields;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Pairs;

/// <summary>Field in two stains that are not aligned yet.</summary>
/// <param name="Name">Unique name of the field in the names of its tiles.</param>
/// <param name="SlideId">Slide of the field; empty if unknown.</param>
/// <param name="Read">Reads source and target.</param>
/// <param name="Mpp">Micrometres per pixel; null if unknown.</param>
internal sealed record StainedField(string Name, string SlideId, Func<(Image Source, Image Target)> Read, double? Mpp = null);

/// <summary>Preparation of a data set from fields: registers them, cuts them into tiles and rejects misaligned tiles.</summary>
/// <remarks>One field is in memory at a time.</remarks>
public static class FieldPreparation
{
    private const double MinAspect = 1.2; // of two images side by side

    /// <summary>
    /// Writes source/NAME_X_Y.png and target/NAME_X_Y.png (NAME.png if fields are kept whole, .tif for images that are neither grey nor
    /// RGB), the tables of a data set, and fields.csv with the transforms. A field that cannot be read, has no overlap or has an overlap
    /// that is smaller than a tile is left out; <see cref="PreparedPair.Failure"/> has the reason.
    /// </summary>
    /// <param name="fields">Pairs of fields.</param>
    /// <param name="folder">Folder of the data set.</param>
    /// <param name="options">Options.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancel">Cancels between fields.</param>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="TinctorException">The folder has a data set or other images, or images are not side by side.</exception>
    /// <exception cref="IOException">Files cannot be written.</exception>
    public static PreparedDataset Run(PairManifest fields, string folder, PreparationOptions options,
        IProgress<PreparationProgress>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        RequirePairs(fields, options);
        Clear(folder, options.Overwrite);
        DatasetWriter.Begin(folder, "fields", options.Tiling);
        (StainedField Field, Pair Pair)[] named = [.. Named(fields.Pairs)];
        var failures = PairVerification.FindProblems(fields.Pairs, cancel)
            .ToDictionary(problem => named[problem.Key].Field, problem => problem.Value);
        FieldTiles[] results = Write([.. named.Select(one => one.Field)], folder, options, failures, progress, cancel);
        Dictionary<StainedField, FieldTiles> tiles = results.ToDictionary(result => result.Field);
        PreparedPair[] pairs = [.. named.Select(one => Prepared(one.Field, one.Pair, tiles.GetValueOrDefault(one.Field),
            failures.GetValueOrDefault(one.Field)))];
        WriteTransforms(Path.Combine(folder, "fields.csv"), results);
        var files = results.SelectMany(result => result.Files).ToDictionary(ReferenceEqualityComparer.Instance);
        DatasetWriter.End(folder, pairs, (_, tile) => files[tile]);
        return new(folder, pairs) { Slides = Summaries(results) };
    }

    /// <summary>Registers fields and writes their tiles, without the tables.</summary>
    /// <param name="fields">Fields.</param>
    /// <param name="folder">Folder of the data set.</param>
    /// <param name="options">Options.</param>
    /// <param name="failures">Fields that are left out, with the reasons; receives more of them.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancel">Cancels between fields.</param>
    /// <returns>The other fields, in their order.</returns>
    internal static FieldTiles[] Write(IReadOnlyList<StainedField> fields, string folder, PreparationOptions options,
        Dictionary<StainedField, TinctorException> failures, IProgress<PreparationProgress>? progress = null,
            CancellationToken cancel = default)
    {
        var estimates = new List<FieldEstimate>();
        foreach ((int i, StainedField field) in fields.Index())
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report(new(field.Name, "registering", 0.5 * i / fields.Count));
            if (failures.ContainsKey(field)) continue;
            if (Try(field, failures, () => Estimate(field, options.Registration)) is { } estimate) estimates.Add(estimate);
        }
        if (options.TransformPerSlide) estimates = MedianPerSlide(estimates);
        var results = new List<FieldTiles>();
        foreach ((int i, FieldEstimate estimate) in estimates.Index())
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report(new(estimate.Field.Name, "cutting tiles", 0.5 + (0.5 * i / fields.Count)));
            if (Try(estimate.Field, failures, () => Cut(estimate, folder, options.Tiling)) is { } tiles) results.Add(tiles);
        }
        return [.. results];
    }

    /// <summary>Summarises the registration of the fields of each slide.</summary>
    internal static IReadOnlyList<SlideSummary> Summaries(IEnumerable<FieldTiles> fields) =>
        [.. fields.GroupBy(field => Slide(field.Field)).Select(slide => Summary(slide.Key, [.. slide]))];

    private static void RequirePairs(PairManifest fields, PreparationOptions options)
    {
        if (options.TransformPerSlide && fields.Pairs.Any(pair => pair.SlideId.Length == 0))
        {
            throw new OptionException(nameof(PreparationOptions.TransformPerSlide), "the slides of the fields are unknown",
                "Give a pattern that finds the slide in the file names, or a manifest with the column slide_id");
        }
        foreach (Pair pair in fields.Pairs.Where(pair => pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight))
        {
            if (PairPreparation.Try(() => Image.ReadInfo(pair.Source), out _) is not { } image) continue;
            if (image.Width >= MinAspect * image.Height) return;
            throw new TinctorException(pair.Source,
                $"the image has {image.Width}x{image.Height} pixels, too narrow for two images side by side",
                "Give the second folder too: sources and targets of the same names");
        }
    }

    // Only data sets are replaced, never folders of images.
    private static void Clear(string folder, bool overwrite)
    {
        string[] earlier = [.. ((string[])["source", "target", "fields.csv", "rejected.csv", "manifest.csv", DatasetFile.FileName])
            .Select(name => Path.Combine(folder, name)).Where(Path.Exists)];
        if (earlier.Length == 0) return;
        if (!overwrite)
        {
            throw new TinctorException(folder, "the folder has tiles already", "Use another folder, or replace the data set")
            { Option = nameof(PreparationOptions.Overwrite) };
        }
        if (!DatasetFile.IsDataset(folder))
            throw new TinctorException(folder, "the folder has images, but they are not a data set of Tinctor",
                "Use another folder, or empty it");
        foreach (string path in earlier)
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
    }

    // Fields are named after their source files, with their splits where names repeat.
    private static IEnumerable<(StainedField Field, Pair Pair)> Named(IReadOnlyList<Pair> pairs)
    {
        bool unique = pairs.DistinctBy(pair => pair.Name).Count() == pairs.Count;
        var names = new HashSet<string>();
        foreach (Pair pair in pairs)
        {
            string name = unique ? pair.Name : $"{pair.Split}_{pair.Name}";
            for (int copy = 2; !names.Add(name); copy++) name = $"{pair.Split}_{pair.Name}-{copy}";
            yield return (new(name, pair.SlideId, pair.ReadImages, pair.Mpp), pair);
        }
    }

    private static string Slide(StainedField field) => field.SlideId.Length > 0 ? field.SlideId : field.Name;

    private static T? Try<T>(StainedField field, Dictionary<StainedField, TinctorException> failures, Func<T> work) where T : class
    {
        T? result = PairPreparation.Try(work, out TinctorException? failure);
        if (failure is not null) failures.Add(field, failure);
        return result;
    }

    private static FieldEstimate Estimate(StainedField field, RegistrationOptions? options)
    {
        (Image source, Image target) = field.Read();
        RegistrationTransform found = FieldRegistration.Estimate(source, target, options ?? new() { MaxShift = 0 });
        AffineTransform own = options is null ? AffineTransform.Identity : found.Affine;
        return new(field, (source.Width - 1) / 2.0, (source.Height - 1) / 2.0, own, own, found.Quality.InitialSimilarity);
    }

    private static List<FieldEstimate> MedianPerSlide(List<FieldEstimate> estimates)
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
            ?? throw new TinctorException(null, "source and target do not overlap", "Check whether they show the same field");
        Image fixedPart = source.Crop(common.X, common.Y, common.Width, common.Height),
            movedPart = Warp.Apply(target, estimate.Used, common);
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        var images = new FieldImages(fixedPart, movedPart, options.Channel);
        (Tensor a, Tensor b) = images.Structures();
        TissueMask? sourceTissue = FieldTissue.Detect(fixedPart, images.SourceModality, estimate.Field.Mpp);
        TissueMask? targetTissue = FieldTissue.Detect(movedPart, images.TargetModality, estimate.Field.Mpp);
        var tiles = new List<PreparedTile>();
        var files = new List<KeyValuePair<PreparedTile, (string, string)>>();
        foreach (PixelArea tile in Areas(common.Width, common.Height, options))
        {
            Image sourceTile = fixedPart.Crop(tile.X, tile.Y, tile.Width, tile.Height),
                targetTile = movedPart.Crop(tile.X, tile.Y, tile.Width, tile.Height);
            Tensor Part(Tensor image) => image.narrow(2, tile.Y, tile.Height).narrow(3, tile.X, tile.Width);
            double? sourceShare = sourceTissue?.Share(tile.X, tile.Y, tile.Width, tile.Height);
            double? targetShare = targetTissue?.Share(tile.X, tile.Y, tile.Width, tile.Height);
            TileAlignment? alignment =
                TileRules.HasTissue(sourceShare, targetShare, options) ? TileAlignment.Measure(Part(a), Part(b)) : null;
            PreparedTile prepared = TileRules.Judge(common.X + tile.X, common.Y + tile.Y, sourceShare, targetShare, alignment, options);
            tiles.Add(prepared);
            if (prepared.Status != TileStatus.Kept) continue;
            string name = options.TileSize is null ? estimate.Field.Name : $"{estimate.Field.Name}_{prepared.X:0000}_{prepared.Y:0000}";
            files.Add(new(prepared, (TileFile.Write(sourceTile, Path.Combine(folder, "source"), name),
                TileFile.Write(targetTile, Path.Combine(folder, "target"), name))));
        }
        return new(estimate.Field, estimate, Correlation.Compute(a, b), tiles, files);
    }

    private static IEnumerable<PixelArea> Areas(int width, int height, TilingOptions options)
    {
        if (options.TileSize is not { } tile) return [new(0, 0, width, height)];
        return width >= tile && height >= tile ? TileGrid.Fit(width, height, tile, options.Stride ?? tile)
            : throw new TinctorException(null, $"source and target overlap by only {width}x{height} pixels, but tiles have {tile}x{tile}",
                $"Use tiles of {Math.Min(width, height) / 8 * 8} pixels or less")
            { Option = nameof(TilingOptions.TileSize) };
    }

    private static PreparedPair Prepared(StainedField field, Pair pair, FieldTiles? tiles, TinctorException? failure)
    {
        var prepared = new PreparedPair(field.Name, pair.SlideId, pair.Split, pair.Label) { Mpp = pair.Mpp };
        return tiles is null ? prepared with { Failure = failure!.Message, FailureOption = failure.Option }
            : prepared with { Tiles = tiles.Tiles, Similarity = tiles.Ncc };
    }

    private static SlideSummary Summary(string slide, FieldTiles[] fields)
    {
        (double X, double Y)[] shifts = [.. fields.Select(field => field.Estimate.OwnShift)];
        (double x, double y) = (SampleStatistics.Median(shifts.Select(shift => shift.X)),
            SampleStatistics.Median(shifts.Select(shift => shift.Y)));
        int Count(TileStatus status) => fields.Sum(field => field.Tiles.Count(tile => tile.Status == status));
        return new(slide, fields.Length, x, y, SampleStatistics.Median(shifts.Select(shift => double.Hypot(shift.X - x, shift.Y - y))),
            SampleStatistics.Median(fields.Select(field => field.Estimate.NccBefore)),
                SampleStatistics.Median(fields.Select(field => field.Ncc)),
            Count(TileStatus.Kept), Count(TileStatus.LowCorrelation) + Count(TileStatus.Misaligned), Count(TileStatus.Background));
    }

    private static void WriteTransforms(string path, IReadOnlyList<FieldTiles> fields) =>
        CsvFile.Write(path, ["field", "slide_id", "xx", "xy", "x0", "yx", "yy", "y0", "ncc_before", "ncc_after"], fields.Select(field =>
        {
            AffineTransform t = field.Estimate.Used;
            double[] numbers = [t.Xx, t.Xy, t.X0, t.Yx, t.Yy, t.Y0, field.Estimate.NccBefore, field.Ncc];
            return (object?[])[field.Field.Name, field.Field.SlideId,
                .. numbers.Select(number => number.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture))];
        }));
}

/// <summary>Transform of a field.</summary>
/// <param name="Field">Field.</param>
/// <param name="CentreX">Column of the source's centre.</param>
/// <param name="CentreY">Row of the source's centre.</param>
/// <param name="Own">Transform that was estimated from the field.</param>
/// <param name="Used">Transform that is used: its own, or the median of its slide.</param>
/// <param name="NccBefore">Correlation before registration.</param>
internal sealed record FieldEstimate(StainedField Field, double CentreX, double CentreY, AffineTransform Own, AffineTransform Used,
    double NccBefore)
{
    /// <summary>Translation of the centre by the field's own transform.</summary>
    public (double X, double Y) OwnShift => (Own.Apply(CentreX, CentreY).X - CentreX, Own.Apply(CentreX, CentreY).Y - CentreY);
}

/// <summary>Tiles of a field.</summary>
/// <param name="Field">Field.</param>
/// <param name="Estimate">Transform.</param>
/// <param name="Ncc">Correlation over the overlap of the registered images.</param>
/// <param name="Tiles">All tiles.</param>
/// <param name="Files">Source and target files of the kept tiles.</param>
internal sealed record FieldTiles(StainedField Field, FieldEstimate Estimate, double Ncc, IReadOnlyList<PreparedTile> Tiles,
    IReadOnlyList<KeyValuePair<PreparedTile, (string Source, string Target)>> Files);
