using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation;

/// <summary>How far an evaluation is.</summary>
/// <param name="Stage">What it does now.</param>
/// <param name="Done">Images done.</param>
/// <param name="Total">Images in this stage.</param>
public readonly record struct EvaluationProgress(string Stage, int Done, int Total);

/// <summary>Scores stained images and the trivial baselines against the real ones.</summary>
public static class Evaluator
{
    /// <summary>Matches, checks, scores and summarises. Memory does not grow with the images: each is read, scored and dropped.</summary>
    /// <param name="options">What to evaluate.</param>
    /// <param name="progress">Called from several threads.</param>
    /// <param name="cancel">Stops between images.</param>
    /// <exception cref="TinctorException">The inputs do not fit together; names every file concerned.</exception>
    /// <exception cref="IOException">A folder or file is not there.</exception>
    public static EvaluationResult Evaluate(
        EvaluationOptions options, IProgress<EvaluationProgress>? progress = null, CancellationToken cancel = default)
    {
        var run = options.Run is null ? null : TrainingRun.Read(options.Run);
        var set = ImagePairs.Match(options);
        PairMetric[] asked = [.. PairMetric.Chosen(options.Metrics, options.Ssim), .. options.ExtraMetrics];
        PairMetric[] metrics = [.. asked.Where(m => m.NotComputed is null)];
        var colour = BaselineColour(set, progress, cancel);
        Method[] methods = [.. options.Stained.Select(Model), .. Baselines(set, colour)];
        Method[] computed = [.. methods.Where(m => m.NotComputed is null)];
        var images = ImagePass.Over(set.Pairs, "scoring", progress, cancel, pair => ScoreOne(pair, metrics, computed, colour));
        var bootstrap = new Bootstrap([.. images.Select(i => i.Pair.SlideId)], options.Resamples, options.Confidence, options.Seed);
        var testSet = new TestSet(set.Pairs, [.. computed.Where(m => m.Key != Method.MeanColour)], set.TrainingTargets, options.Seed);
        Section[] sections = [.. options.Analyses.Select(analysis => analysis.Run(testSet, progress, cancel))];
        string title = options.Title ?? run?.Name
            ?? string.Join(", ", options.Stained.Select(m => m.Name == Method.Model ? FolderName(m.Path) : m.Name));
        return new(options, title, metrics, [.. asked.Except(metrics)], methods, images, Groups(images, metrics, computed, bootstrap),
            Compare(images, metrics, computed, bootstrap), set.LabelsFrom, bootstrap, Warnings(set, methods, bootstrap), run, sections);
    }

    private static string FolderName(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    private static Method Model(StainedFolder folder) =>
        new(folder.Name, folder.Name == Method.Model ? "Stained" : folder.Name, $"the images in {FolderName(folder.Path)}");

    private static Method[] Baselines(ImagePairs set, MeanColour colour) =>
    [
        new(Method.Identity, "Identity", "the source image itself, unstained by any model", set.NoIdentity),
        new(Method.MeanColour, "Mean colour", $"one flat colour, rgb({string.Join(", ", colour.Rgb)}): the mean over "
            + (set.TrainingTargets.Count == 0
                ? $"the {colour.Images} evaluated real images themselves, as no training images were given (this favours the baseline)"
                : $"the {colour.Images} real images of the training set")),
    ];

    private static MeanColour BaselineColour(ImagePairs set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        string[] tested = [.. set.Pairs.Select(p => p.Real)], training = [.. set.TrainingTargets.Select(t => t.Path)];
        MeanColour.RefuseLeak(training, tested);
        return MeanColour.Of(training.Length > 0 ? training : tested, progress, cancel);
    }

    private static ImageResult ScoreOne(ImagePair pair, PairMetric[] metrics, Method[] methods, MeanColour colour)
    {
        var real = new ScoredImage(RgbReader.Read(pair.Real));
        var scores = new Dictionary<string, double[]>();
        foreach (var method in methods)
        {
            var image = new ScoredImage(method.Key == Method.MeanColour
                ? colour.Flat(real.Width, real.Height)
                : RgbReader.Read(pair.PathOf(method.Key)));
            scores[method.Key] = [.. metrics.Select(m => m.Compute(image, real))];
        }
        return new(pair, real.Width, real.Height, scores);
    }

    private static List<Group> Groups(ImageResult[] images, PairMetric[] metrics, Method[] methods, Bootstrap bootstrap)
    {
        int[] all = [.. Enumerable.Range(0, images.Length)];
        var byLabel = all.Where(i => images[i].Pair.Label is not null).GroupBy(i => images[i].Pair.Label!)
            .OrderBy(g => g.Key, StringComparer.Ordinal);
        return [OfGroup(null, all), .. byLabel.Select(g => OfGroup(g.Key, [.. g]))];

        Group OfGroup(string? label, int[] members)
        {
            Summary Summarise(Func<ImageResult, double> value)
            {
                double[] values = Array.ConvertAll(images, i => value(i));
                return Summary.Of(Array.ConvertAll(members, i => values[i]), bootstrap.OfMean(members, values));
            }
            Summary[] PerMetric(Func<ImageResult, int, double> value) => [.. metrics.Select((_, m) => Summarise(i => value(i, m)))];

            string?[] slides = [.. members.Select(i => images[i].Pair.SlideId).Distinct()];
            return new(label, members.Length, slides.Contains(null) ? null : slides.Length,
                methods.ToDictionary(m => m.Key, m => PerMetric((i, k) => i.Scores[m.Key][k])));
        }
    }

    private static Comparison[] Compare(ImageResult[] images, PairMetric[] metrics, Method[] methods, Bootstrap bootstrap)
    {
        (Method A, Method B)[] couples =
        [
            .. from a in methods.Index()
               where a.Item.IsModel
               from b in methods.Skip(a.Index + 1)
               select (a.Item, b),
        ];
        return [.. metrics.Index().SelectMany(m => CompareBy(m.Item, m.Index, couples, images, bootstrap))];
    }

    private static IEnumerable<Comparison> CompareBy(
        PairMetric metric, int index, (Method A, Method B)[] couples, ImageResult[] images, Bootstrap bootstrap)
    {
        int[] all = [.. Enumerable.Range(0, images.Length)];
        var tested = couples.Select(couple =>
        {
            double[] differences = Array.ConvertAll(
                images, i => metric.Advantage(i.Scores[couple.A.Key][index], i.Scores[couple.B.Key][index]));
            double[] defined = [.. differences.Where(d => !double.IsNaN(d))];
            return (couple.A, couple.B, defined.Length, Mean: defined.Length == 0 ? double.NaN : defined.Average(),
                Bootstrap: bootstrap.Test(all, differences), Wilcoxon: Wilcoxon.SignedRank(bootstrap.UnitMeans(all, differences)));
        }).ToArray();
        double?[] adjusted = Holm.Adjust([.. tested.Select(t => t.Wilcoxon)]);
        return tested.Select((t, i) => new Comparison(t.A.Key, t.B.Key, metric.Key, t.Length, t.Mean, t.Bootstrap?.Ci,
            t.Wilcoxon, t.Bootstrap?.P, adjusted[i], adjusted[i] < 1 - bootstrap.Confidence));
    }

    private static List<string> Warnings(ImagePairs set, Method[] methods, Bootstrap bootstrap)
    {
        var warnings = new List<string>();
        foreach (var method in methods.Where(m => m.NotComputed is not null))
            warnings.Add($"{method.Title} baseline not computed: {method.NotComputed}.");
        if (set.TrainingTargets.Count == 0)
            warnings.Add("The mean colour comes from the evaluated real images, since the training images were not given (--train-real).");
        if (!bootstrap.BySlide)
            warnings.Add("Slides are not known, so intervals resample single images. Images of one slide resemble each other: "
                + "the true uncertainty is larger. Give slide ids (--labels with a column slide_id).");
        if (bootstrap.Units == 1)
            warnings.Add($"A single {bootstrap.Unit} has no confidence interval.");
        else if (bootstrap.Units < 10)
            warnings.Add($"Intervals rest on {bootstrap.Units} {bootstrap.Unit}s only and are likely too narrow.");
        return warnings;
    }
}
