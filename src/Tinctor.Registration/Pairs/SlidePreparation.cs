using Tinctor.Data;
using Tinctor.Registration.Slides;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Transforms;

namespace Tinctor.Registration.Pairs;

/// <summary>Pair of slides that is prepared.</summary>
/// <param name="Name">Name of the pair in file names.</param>
/// <param name="Source">Path of the source slide.</param>
/// <param name="Target">Path of the target slide.</param>
/// <param name="SourceTissue">GeoJSON file with the source's tissue; null detects it.</param>
/// <param name="TargetTissue">GeoJSON file with the target's tissue; null detects it.</param>
/// <param name="Transform">File of the transform from source to target; null estimates it.</param>
internal sealed record SlidePair(string Name, string Source, string Target, string? SourceTissue = null, string? TargetTissue = null,
    string? Transform = null);

/// <summary>
/// Preparation of a data set from pairs of slides: registers each pair, cuts tiles where both have tissue and rejects misaligned tiles.
/// Complete pairs are kept, so a repeated call resumes an interrupted one and adds new pairs.
/// </summary>
public static class SlidePreparation
{
    private const double RegistrationShare = 0.4; // of the time of a pair
    private const int LargestField = 2048; // pixels

    /// <summary>
    /// Writes source/NAME/ and target/NAME/, pictures, transform and record of each pair in pairs/, and the tables of a data set. A pair
    /// that cannot be read or registered is left out; <see cref="PreparedPair.Failure"/> has the reason.
    /// </summary>
    /// <param name="slides">Pairs of slides.</param>
    /// <param name="folder">Folder of the data set.</param>
    /// <param name="options">Options.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancel">Cancels the current pair, which is prepared again by the next call.</param>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="TinctorException">A pair was prepared with other options, or names of pairs repeat.</exception>
    /// <exception cref="IOException">Files cannot be written.</exception>
    public static PreparedDataset Run(PairManifest slides, string folder, PreparationOptions options,
        IProgress<PreparationProgress>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        if (options.Tiling.TileSize is null)
            throw new OptionException(nameof(TilingOptions.TileSize), "slides cannot be kept whole", "Give the size of the tiles");
        TransformFolder? transforms = options.TransformFolder is null ? null : new(options.TransformFolder);
        SlidePair[] pairs = [.. Names(slides.Pairs).Zip(slides.Pairs, (name, pair) => new SlidePair(name, pair.Source, pair.Target!,
            Annotations(options.SourceTissueFolder, pair.Source), Annotations(options.TargetTissueFolder, pair.Target!),
            transforms?.Find(pair.Source, pair.Target!)))];
        foreach (SlidePair pair in pairs)
        {
            if (options.Overwrite) Delete(folder, pair.Name);
            else ReadComplete(pair, folder, options); // refuses other options before anything is written
        }
        DatasetWriter.Begin(folder, "slides", options.Tiling);
        var records = new Dictionary<string, SlidePairFile>();
        var prepared = new List<PreparedPair>();
        foreach ((int i, SlidePair pair) in pairs.Index())
        {
            cancel.ThrowIfCancellationRequested();
            var part = new DelegateProgress<PreparationProgress>(
                step => progress?.Report(step with { Share = (i + step.Share) / pairs.Length }));
            prepared.Add(Try(pair, slides.Pairs[i], folder, options, records, part, cancel));
        }
        int factor = records.Values.FirstOrDefault()?.Factor ?? 1;
        if (factor > 1) DatasetWriter.Begin(folder, "slides", options.Tiling, factor);
        DatasetWriter.End(folder, prepared, (pair, tile) => Files(folder, pair.Name, tile, records[pair.Name]));
        return new(folder, prepared) { Factor = factor };
    }

    /// <summary>Gets the path of a file of a pair, such as <c>_tiles.jpg</c>, in a data set.</summary>
    public static string PathOf(string folder, string name, string ending) => Path.Combine(folder, "pairs", name + ending);

    /// <summary>Registers a pair and writes its tiles, pictures, transform and, if the registration passed, its record.</summary>
    internal static SlidePairFile Prepare(SlidePair pair, string folder, PreparationOptions options,
        IProgress<PreparationProgress>? progress = null, CancellationToken cancel = default)
    {
        if (ReadComplete(pair, folder, options) is { } complete) return complete;
        Delete(folder, pair.Name);
        using Slide source = Slide.Open(pair.Source, options.SourceMpp), target = Slide.Open(pair.Target, options.TargetMpp);
        int factor = SlideTiling.Factor(source, target, options.Tiling),
            side = SlideTiling.SourceSide(source, options.Tiling.TileSize!.Value, factor);
        double downsample = SlideTiling.Downsample(source, options.Tiling, factor);
        void Report(string step, double share) => progress?.Report(new(pair.Name, step, share));
        Report("registering", 0);
        RegistrationTransform transform = pair.Transform is not null ? Registered(pair.Transform, source, target)
            : options.Registration is null ? Aligned(source, target) : SlideRegistration.Estimate(source, target,
            options.Registration, new DelegateProgress<double>(share => Report("registering", RegistrationShare * share)));
        cancel.ThrowIfCancellationRequested();
        var slides = new RegisteredSlides(source, target, Tissue(source, pair.SourceTissue, options),
            Tissue(target, pair.TargetTissue, options), transform)
        { Factor = factor };
        IReadOnlyList<PreparedTile> tiles = transform.IsUsable ? SlideTiling.Write(slides, folder, pair.Name, options.Tiling,
            new DelegateProgress<double>(share => Report("cutting tiles", RegistrationShare + ((1 - RegistrationShare) * share))), cancel)
                : [];
        TransformFile.Write(PathOf(folder, pair.Name, "_transform.json"), transform);
        SlidePairPictures.Write(slides, tiles, side, downsample, ending => PathOf(folder, pair.Name, ending));
        var record = new SlidePairFile(FingerprintOf(pair, options), pair.Source, pair.Target, source.Mpp * downsample,
            TileFile.Extension(source.Channels), TileFile.Extension(target.Channels), transform.Quality.Similarity,
                transform.Refusals, tiles)
        { Factor = factor };
        if (record.Reasons.Count == 0) record.Write(PathOf(folder, pair.Name, ".json"));
        return record;
    }

    /// <summary>Gets the files of a kept tile.</summary>
    internal static (string Source, string Target) Files(string folder, string name, PreparedTile tile, SlidePairFile record)
    {
        string stem = SlideTiling.NameOf(name, tile.X, tile.Y);
        return (Path.Combine(folder, "source", name, stem + record.SourceExtension),
            Path.Combine(folder, "target", name, stem + record.TargetExtension));
    }

    private static PreparedPair Try(SlidePair pair, Pair row, string folder, PreparationOptions options,
        Dictionary<string, SlidePairFile> records,
        IProgress<PreparationProgress> progress, CancellationToken cancel)
    {
        var prepared = new PreparedPair(pair.Name, row.SlideId, row.Split, row.Label);
        bool complete = File.Exists(PathOf(folder, pair.Name, ".json"));
        if (PairPreparation.Try(() => Prepare(pair, folder, options, progress, cancel), out TinctorException? failure) is not { } record)
            return prepared with { Failure = failure!.Message, FailureOption = failure.Option };
        if (records.Values.FirstOrDefault() is { } first && first.Factor != record.Factor)
        {
            return prepared with
            {
                Failure = $"the factor of its pixel sizes is {record.Factor}, but that of other pairs is {first.Factor}. Give one factor",
                FailureOption = nameof(TilingOptions.Factor),
            };
        }
        records[pair.Name] = record;
        prepared = prepared with { Mpp = record.Mpp, Similarity = record.Similarity, IsFromEarlierCall = complete };
        if (record.Reasons.Count == 0) return prepared with { Tiles = record.Tiles };
        prepared = prepared with { Failure = string.Join("; ", record.Reasons) };
        if (options.Registration is null || pair.Transform is not null || !AreSmall(pair)) return prepared;
        // Such fields are published in alignment; their own structure cannot verify a registration.
        return prepared with
        {
            Failure = $"{prepared.Failure}. Fields of view have too little structure for this check: if they are aligned already, say so",
            FailureOption = nameof(PreparationOptions.Registration),
        };
    }

    private static bool AreSmall(SlidePair pair)
    {
        using Slide source = Slide.Open(pair.Source), target = Slide.Open(pair.Target);
        return Side(source) <= LargestField && Side(target) <= LargestField;

        static int Side(Slide slide) => Math.Max(slide.Width, slide.Height);
    }

    private static SlidePairFile? ReadComplete(SlidePair pair, string folder, PreparationOptions options)
    {
        string path = PathOf(folder, pair.Name, ".json");
        SlidePairFile? complete = SlidePairFile.Read(path);
        return complete is null || complete.Fingerprint == FingerprintOf(pair, options) ? complete
            : throw new TinctorException(path, "the pair was prepared from other slides or with other options",
                "Use another folder, or replace the data set")
            { Option = nameof(PreparationOptions.Overwrite) };
    }

    // The record goes first, so that a pair with missing tiles never counts as complete.
    private static void Delete(string folder, string name)
    {
        string record = PathOf(folder, name, ".json");
        if (File.Exists(record)) File.Delete(record);
        foreach (string side in (string[])["source", "target"])
        {
            string tiles = Path.Combine(folder, side, name);
            if (Directory.Exists(tiles)) Directory.Delete(tiles, recursive: true);
        }
    }

    // Slides are identified by name and length, so that they can be moved.
    private static string FingerprintOf(SlidePair pair, PreparationOptions options)
    {
        using var fingerprint = new Fingerprint();
        foreach (string slide in ((string[])[pair.Source, pair.Target]).SelectMany(SlideFormats.FilesOf))
        {
            fingerprint.Add("slide", Path.GetFileName(slide));
            fingerprint.Add<long>("length", File.Exists(slide) ? new FileInfo(slide).Length : null);
        }
        foreach (string? tissue in (string?[])[pair.SourceTissue, pair.TargetTissue])
            fingerprint.Add("tissue", tissue is null ? null : Fingerprint.OfFile(tissue));
        if (pair.Transform is not null)
        {
            fingerprint.Add("transform", Fingerprint.OfFile(pair.Transform));
            if (TransformFile.DisplacementOf(pair.Transform) is string field) fingerprint.Add("displacement", Fingerprint.OfFile(field));
        }
        fingerprint.Add("registered", options.Registration is not null);
        if (options.Registration is { } registration) fingerprint.AddOptions("registration", registration);
        return fingerprint.AddOptions("tiling", options.Tiling).AddOptions("tissue", options.Tissue)
            .Add("source mpp", options.SourceMpp).Add("target mpp", options.TargetMpp).ToHex();
    }

    // Names of the sources, with those of the targets where sources repeat.
    private static string[] Names(IReadOnlyList<Pair> pairs)
    {
        string[] names = [.. pairs.Select(pair => Slide.NameOf(pair.Source))];
        if (names.Distinct().Count() < names.Length)
            names = [.. names.Zip(pairs, (name, pair) => $"{name}_{Slide.NameOf(pair.Target!)}")];
        return names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is not { } twice ? names
            : throw new TinctorException(null, $"two pairs have the name {twice.Key}", "Rename slides, or list each pair once");
    }

    private static string? Annotations(string? folder, string slide) =>
        folder is not null && Path.Combine(folder, Slide.NameOf(slide) + ".geojson") is var path && File.Exists(path) ? path : null;

    private static TissueMask Tissue(Slide slide, string? geoJson, PreparationOptions options) =>
        geoJson is null ? TissueMask.Detect(slide, options.Tissue) : TissueMask.FromGeoJson(geoJson, slide, options.Tissue);

    private static RegistrationTransform Registered(string path, Slide source, Slide target)
    {
        RegistrationTransform transform = TransformFile.Read(path);
        (ImageFrame from, ImageFrame to) = (ImageFrame.From(source), ImageFrame.From(target));
        return (from.Width, from.Height, to.Width, to.Height)
            == (transform.Source.Width, transform.Source.Height, transform.Target.Width, transform.Target.Height)
            ? transform with { Source = from, Target = to }
            : throw new TinctorException(path, $"the transform is for slides of {transform.Source.Width}x{transform.Source.Height} and "
                + $"{transform.Target.Width}x{transform.Target.Height} pixels, but they have {from.Width}x{from.Height} and "
                + $"{to.Width}x{to.Height}", "Register them again");
    }

    // By the resolutions alone, with the upper left corners on each other.
    private static RegistrationTransform Aligned(Slide source, Slide target)
    {
        double scale = source.Mpp is double a && target.Mpp is double b ? a / b : 1;
        return new(ImageFrame.From(source), ImageFrame.From(target), new(scale, 0, (scale - 1) / 2, 0, scale, (scale - 1) / 2), null,
            new() { Metric = SimilarityMetric.LocalNcc, Similarity = double.NaN });
    }
}
