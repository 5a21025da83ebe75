using Tinctor.Registration.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Registration.Pairs;

/// <summary>How pairs of slides become tiles.</summary>
public sealed record PreparationOptions
{
    /// <summary>How slides are registered; null where they lie on each other already.</summary>
    public SectionOptions? Registration { get; init; } = new();

    /// <summary>Which tiles are cut and kept.</summary>
    public SlideTilingOptions Tiling { get; init; } = new();

    /// <summary>What counts as tissue.</summary>
    public TissueOptions Tissue { get; init; } = new();

    /// <summary>Micrometres per pixel of the sources, where their files do not tell or are wrong.</summary>
    public double? SourceMpp { get; init; }

    /// <summary>The same of the targets.</summary>
    public double? TargetMpp { get; init; }
}

/// <summary>One pair that is to be prepared.</summary>
/// <param name="Name">Its name in file names.</param>
/// <param name="Source">Path of the slide that stays.</param>
/// <param name="Target">Path of the slide that is brought onto it.</param>
/// <param name="SourceTissue">A GeoJSON file of the source's tissue; null where it is looked for.</param>
/// <param name="TargetTissue">The same of the target.</param>
public sealed record SlidePair(string Name, string Source, string Target, string? SourceTissue = null, string? TargetTissue = null);

/// <summary>Prepares pairs of slides one by one: what is done stays, what was interrupted is made again.</summary>
public static class PairPreparation
{
    private const double RegistrationShare = 0.4; // of the time, for the progress

    /// <summary>The files that say how a pair went, below the folder of the data set.</summary>
    public static string FileOf(string folder, string name, string what) => Path.Combine(folder, "pairs", name + what);

    /// <summary>
    /// Registers a pair and writes source/NAME/ and target/NAME/, pictures of it, its transform, and at last pairs/NAME.json. Without tiles
    /// and that file if the registration failed.
    /// </summary>
    /// <param name="pair">The slides.</param>
    /// <param name="folder">The data set.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told what is being done, and the share that is done, 0 to 1.</param>
    /// <param name="cancel">Stops; the pair is made again the next time.</param>
    /// <exception cref="TinctorException">A slide or mask cannot be read, or the pair was made with other settings.</exception>
    /// <exception cref="IOException">Files cannot be written.</exception>
    public static PreparedPair Prepare(SlidePair pair, string folder, PreparationOptions options, Action<string, double>? progress = null,
        CancellationToken cancel = default)
    {
        if (Done(pair, folder, options) is { } done) return done;
        Delete(folder, pair.Name);
        using Slide source = Slide.Open(pair.Source, options.SourceMpp), target = Slide.Open(pair.Target, options.TargetMpp);
        double downsample = SlidePairTiling.Downsample(source, options.Tiling);
        progress?.Invoke("registering", 0);
        SlideTransform transform = options.Registration is null ? Aligned(source, target) : SlideRegistration.Estimate(source, target,
            options.Registration, new Progress(share => progress?.Invoke("registering", RegistrationShare * share)));
        cancel.ThrowIfCancellationRequested();
        var slides = new RegisteredSlides(source, target, Tissue(source, pair.SourceTissue, options), Tissue(target, pair.TargetTissue, options),
            transform);
        IReadOnlyList<SlideTile> tiles = transform.Quality.Passed ? SlidePairTiling.Write(slides, folder, pair.Name, options.Tiling,
            new Progress(share => progress?.Invoke("cutting tiles", RegistrationShare + ((1 - RegistrationShare) * share))), cancel) : [];
        SlideTransformFile.Write(FileOf(folder, pair.Name, "_transform.json"), transform);
        SlidePairPictures.Write(slides, tiles, options.Tiling.Tile, downsample, what => FileOf(folder, pair.Name, what));
        var prepared = new PreparedPair(pair.Name, pair.Source, pair.Target, Settings(pair, options), source.Mpp * downsample,
            TileFiles.Extension(source.Channels), TileFiles.Extension(target.Channels), transform.Quality.Similarity, transform.Quality.Reasons, tiles);
        if (prepared.Passed) prepared.Write(FileOf(folder, pair.Name, ".json"));
        return prepared;
    }

    /// <summary>What became of a pair that is done; null if it is not.</summary>
    /// <exception cref="TinctorException">It was made with other settings, or its file is damaged.</exception>
    public static PreparedPair? Done(SlidePair pair, string folder, PreparationOptions options)
    {
        string path = FileOf(folder, pair.Name, ".json");
        PreparedPair? done = PreparedPair.Read(path);
        return done is null || done.Settings == Settings(pair, options) ? done
            : throw new TinctorException($"{path}: was made with other settings; choose another folder, or make all again with "
                + "--overwrite");
    }

    /// <summary>Removes all of a pair from a data set; first that which says that it is whole.</summary>
    public static void Delete(string folder, string name)
    {
        string done = FileOf(folder, name, ".json");
        if (File.Exists(done)) File.Delete(done);
        foreach (string side in (string[])["source", "target"])
        {
            string tiles = Path.Combine(folder, side, name);
            if (Directory.Exists(tiles)) Directory.Delete(tiles, recursive: true);
        }
    }

    private static string Settings(SlidePair pair, PreparationOptions options) => $"{pair} {options}";

    private static TissueMask Tissue(Slide slide, string? geoJson, PreparationOptions options) =>
        geoJson is null ? TissueMask.Of(slide, options.Tissue) : TissueMask.FromGeoJson(geoJson, slide, options.Tissue);

    // By their resolutions alone, the upper left corners on each other.
    private static SlideTransform Aligned(Slide source, Slide target)
    {
        double scale = source.Mpp is double a && target.Mpp is double b ? a / b : 1;
        return new(SlideFrame.Of(source), SlideFrame.Of(target), new(scale, 0, (scale - 1) / 2, 0, scale, (scale - 1) / 2), null, new()
        {
            Measure = Similarity.LocalNcc,
            Similarity = double.NaN,
            AffineSimilarity = double.NaN,
            Chance = double.NaN,
            Distinctness = double.NaN,
            Overlap = 1,
            Scale = 1,
            Stretch = 1,
            SmallestDeterminant = 1,
            Folded = 0,
        });
    }

    // Reports where it is called, unlike System.Progress.
    private sealed class Progress(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
