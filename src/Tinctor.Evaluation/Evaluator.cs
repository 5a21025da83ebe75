using Tinctor.Evaluation.Analyses.Datasets;
using Tinctor.Evaluation.Analyses.Densities;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Statistics;
using Tinctor.Slides;

namespace Tinctor.Evaluation;

/// <summary>Compares stained images and trivial baselines with the real images.</summary>
public static class Evaluator
{
    // A smaller share of brown pixels is explained by artefacts.
    private const double LeastDabShare = 0.001;

    /// <summary>
    /// Matches and checks the images, and computes metrics, analyses and statistics. Images are read one by one, and up to 512 MB of them
    /// are kept until they are read again, so memory does not grow with their number.
    /// </summary>
    /// <param name="options">The images and metrics.</param>
    /// <param name="progress">Receives progress, from several threads.</param>
    /// <param name="cancel">Cancels between images.</param>
    /// <exception cref="TinctorException">The inputs do not fit together; lists all files concerned.</exception>
    public static EvaluationResult Run(
        EvaluationOptions options, IProgress<EvaluationProgress>? progress = null, CancellationToken cancel = default)
    {
        options = options.Protocol.Apply(options);
        PairMetric[] chosen = [.. PairMetric.Select(options.Metrics, options.Ssim), .. options.ExtraMetrics];
        RequireDistinctKeys(chosen);
        TrainingRun? run = options.Run is null ? null : TrainingRun.Read(options.Run);
        ImagePairs set = ImagePairs.Match(options.Folders, options.Protocol.Requirements(Ssim.WindowSize(options.Ssim)));
        PairMetric[] metrics = [.. chosen.Where(m => m.NotComputed is null)];
        var cache = new ImageCache();
        MeanColour colour = BaselineColour(set, cache, progress, cancel);
        ScoredMethod[] methods = [.. options.Stained.Select(Model), .. Baselines(set, colour)];
        ScoredMethod[] computed = [.. methods.Where(m => m.NotComputed is null)];
        var flat = new FlatImage(colour);
        var scored = ImagePass.Over(set.Pairs, "scoring", progress, cancel, pair => Score(pair, metrics, computed, flat, cache));
        ImageResult[] images = [.. scored.Select(image => image.Result)];
        var bootstrap = new Bootstrap([.. images.Select(i => i.Pair.SlideId)], options.Resamples, options.Confidence, options.Seed);
        string? notTested = NotTested(bootstrap);
        var testSet = new TestSet(set.Pairs, [.. computed.Where(m => m.Key != ScoredMethod.MeanColour)], set.TrainingTargets, options.Seed);
        return new()
        {
            Options = options,
            Title = options.Title ?? ReportTitle.Create(options, run?.Name),
            Metrics = metrics,
            NotComputed = [.. chosen.Except(metrics)],
            Methods = methods,
            Images = images,
            Skipped = set.Skipped,
            Groups = Groups(images, metrics, computed, bootstrap),
            Comparisons = Compare(images, metrics, computed, bootstrap),
            NotTested = notTested,
            TargetHasDab = scored.Average(image => image.BrownShare) >= LeastDabShare,
            LabelsFrom = set.LabelsFrom,
            Bootstrap = bootstrap,
            Warnings =
            [
                .. ReadingNotes(scored.SelectMany(image => image.Notes)), .. Warnings(set, methods, bootstrap),
                .. options.Protocol.Warnings(options),
            ],
            Run = run,
            TestSet = TestSetIdentity.Create(set.Pairs, options.Labels),
            Sections =
            [
                .. DatasetMeans.Section([.. images.Select(image => (image.Pair.Dataset, image.Scores))], metrics, computed),
                .. DabMeans.Section([.. scored.Select(image => image.Dab).OfType<DabMeans>()], computed),
                .. options.Analyses.Select(analysis => analysis.Run(testSet, progress, cancel)),
            ],
        };
    }

    private static void RequireDistinctKeys(PairMetric[] metrics)
    {
        if (metrics.GroupBy(m => m.Key).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new OptionException(nameof(EvaluationOptions.ExtraMetrics), $"two metrics have the key \"{twice.Key}\"",
                "Give each its own key");
    }

    private static ScoredMethod Model(StainedFolder folder) =>
        new(folder.Name, folder.Title,
            $"the images in {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path)))}");

    private static ScoredMethod[] Baselines(ImagePairs set, MeanColour colour) =>
    [
        new(ScoredMethod.Identity, "Identity", "the source image itself, not stained by any model", set.NoIdentity),
        new(ScoredMethod.MeanColour, "Mean colour", $"one flat colour, rgb({string.Join(", ", colour.Rgb)}): the mean over "
            + (set.TrainingTargets.Count == 0
                ? $"the {colour.Images} evaluated real images themselves, as no training images were given (this favours the baseline)"
                : $"the {colour.Images} real images of the training set")),
    ];

    // The real images of the test set are kept for the scores.
    private static MeanColour BaselineColour(
        ImagePairs set, ImageCache cache, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        string[] tested = [.. set.Pairs.Select(p => p.Real)], training = [.. set.TrainingTargets.Select(t => t.Path)];
        MeanColour.RefuseLeak(training, tested);
        return training.Length > 0 ? MeanColour.Compute(training, path => Image.Read(path), progress, cancel)
            : MeanColour.Compute(tested, cache.Keep, progress, cancel);
    }

    private static (ImageResult Result, double BrownShare, DabMeans? Dab, (string Path, string Note)[] Notes) Score(
        ImagePair pair, PairMetric[] metrics, ScoredMethod[] methods, FlatImage flat, ImageCache cache)
    {
        var notes = new List<(string Path, string Note)>();
        var real = new ScoredImage(Read(pair.Real));
        var scores = new Dictionary<string, double[]>();
        DabMeans? dab = metrics.Contains(StainHistograms.DabMean) ? new(pair.Name, real) : null;
        foreach (ScoredMethod method in methods)
        {
            ScoredImage image = method.Key == ScoredMethod.MeanColour ? flat.OfSize(real.Width, real.Height)
                : new(Read(pair.PathOf(method.Key)));
            scores[method.Key] = [.. metrics.Select(m => m.Compute(image, real))];
            dab?.Add(method, image);
        }
        return (new(pair, real.Width, real.Height, scores), StainMetrics.BrownShare(real), dab, [.. notes]);

        Image Read(string path)
        {
            Image image = cache.Take(path);
            notes.AddRange(image.Notes.Select(note => (path, note)));
            return pair.CropCentre(RgbReader.ToRgb(image));
        }
    }

    /// <summary>Groups the notes on how images were read, such as transparency that was composited: one warning for each kind.</summary>
    private static IEnumerable<string> ReadingNotes(IEnumerable<(string Path, string Note)> notes) =>
        notes.Distinct().GroupBy(note => note.Note, note => note.Path).Select(kind =>
        {
            string[] paths = [.. kind];
            string others = paths.Length == 1 ? "" : $" and {paths.Length - 1} other {(paths.Length == 2 ? "image" : "images")}";
            return $"{paths[0]}{others}: {kind.Key}.";
        });

    private static List<ImageGroup> Groups(ImageResult[] images, PairMetric[] metrics, ScoredMethod[] methods, Bootstrap bootstrap)
    {
        int[] all = [.. Enumerable.Range(0, images.Length)];
        var byLabel = all.Where(i => images[i].Pair.Label is not null).GroupBy(i => images[i].Pair.Label!)
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        return [Summarise(null, all), .. byLabel.Select(g => Summarise(g.Key, [.. g]))];

        ImageGroup Summarise(string? label, int[] members)
        {
            Summary Column(Func<ImageResult, double> value)
            {
                double[] values = Array.ConvertAll(images, i => value(i));
                return Summary.Compute(Array.ConvertAll(members, i => values[i]), bootstrap.OfMean(members, values));
            }
            string?[] slides = [.. members.Select(i => images[i].Pair.SlideId).Distinct()];
            return new(label, members.Length, slides.Contains(null) ? null : slides.Length, methods.ToDictionary(
                method => method.Key, method => metrics.Select((_, m) => Column(image => image.Scores[method.Key][m])).ToArray()));
        }
    }

    // Reason if even differences of equal sign would not be significant.
    private static string? NotTested(Bootstrap bootstrap)
    {
        if (PairedTests.ArePossible(bootstrap)) return null;
        double level = 1 - bootstrap.Confidence;
        int needed = bootstrap.Units;
        while (Wilcoxon.SmallestP(needed) >= level) needed++;
        string units = bootstrap.Units == 1 ? $"1 {bootstrap.Unit}" : $"{bootstrap.Units} {bootstrap.Unit}s";
        return FormattableString.Invariant($"With {units} no significance test is possible; p < {level:0.###} needs at least {needed}");
    }

    private static Comparison[] Compare(
        ImageResult[] images, PairMetric[] metrics, ScoredMethod[] methods, Bootstrap bootstrap)
    {
        (ScoredMethod A, ScoredMethod B)[] couples =
        [
            .. from a in methods.Index()
               where a.Item.IsModel
               from b in methods.Skip(a.Index + 1)
               select (a.Item, b),
        ];
        return [.. metrics.Index().SelectMany(m => PairedTests.Run(m.Item.Key,
            [.. couples.Select(couple => (couple.A.Key, couple.B.Key, Array.ConvertAll(images, image =>
                m.Item.Advantage(image.Scores[couple.A.Key][m.Index], image.Scores[couple.B.Key][m.Index]))))], bootstrap))];
    }

    private static List<string> Warnings(ImagePairs set, ScoredMethod[] methods, Bootstrap bootstrap)
    {
        var warnings = new List<string>();
        if (set.Skipped.Count > 0)
        {
            warnings.Add($"{set.Skipped.Count} of {set.Skipped.Count + set.Pairs.Count} images were not scored: "
                + string.Join("; ", set.Skipped.Take(3).Select(image => $"{image.Name} ({image.Reason})"))
                + (set.Skipped.Count > 3 ? $"; and {set.Skipped.Count - 3} more." : "."));
        }
        if (SourceResemblance.Warning(set.Pairs, methods[0]) is { } swapped) warnings.Add(swapped);
        foreach (ScoredMethod method in methods.Where(m => m.NotComputed is not null))
            warnings.Add($"{method.Title} baseline not computed: {method.NotComputed}.");
        if (set.TrainingTargets.Count == 0)
            warnings.Add("The mean colour comes from the evaluated real images, since no training images were given.");
        if (!bootstrap.BySlide)
        {
            warnings.Add("Slides are unknown, so intervals resample single images. Images of one slide resemble each other: "
                + "the true uncertainty is larger. Give a label table with slide ids.");
        }
        if (bootstrap.Units == 1)
            warnings.Add($"A single {bootstrap.Unit} has no confidence interval.");
        else if (bootstrap.Units < 10)
            warnings.Add($"Intervals are based on only {bootstrap.Units} {bootstrap.Unit}s and are probably too narrow.");
        return warnings;
    }

    // Baseline of one colour, which images of one size share with its planes.
    private sealed class FlatImage(MeanColour colour)
    {
        private volatile ScoredImage? last;

        public ScoredImage OfSize(int width, int height) =>
            last is { } flat && (flat.Width, flat.Height) == (width, height) ? flat : last = new(colour.Flat(width, height));
    }
}
