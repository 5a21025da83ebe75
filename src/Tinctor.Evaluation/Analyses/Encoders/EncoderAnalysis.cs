using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Encoders;

/// <summary>
/// Separation of paired and unpaired patches by encoders (Jia et al., CEFF, Fig. 2): similarities of both, the best threshold between
/// them, its accuracy, and the ROC curve.
/// </summary>
/// <param name="openSource">Opens the encoder of source images; null uses the other for both.</param>
/// <param name="openTarget">Opens the encoder of real and stained images.</param>
/// <param name="patch">Side of the square patches in pixels; 0 for whole images.</param>
internal sealed class EncoderAnalysis(Func<FeatureExtractor>? openSource, Func<FeatureExtractor> openTarget, int patch) : IAnalysis
{
    private const int MostPatches = 16;
    private const int Bins = 40;
    private static readonly ReportSection Empty = new("encoder", "Encoder similarity",
        "Whether an encoder puts patches of the same place close to each other and others apart. Of source and real images it says how "
        + "good the encoder is; of real and stained images how much of what the encoder sees is preserved.");

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        if (set.Pairs.Count < 2) return Empty with { NotComputed = "unpaired patches need two images or more" };
        using FeatureExtractor target = openTarget();
        using FeatureExtractor? other = openSource?.Invoke();
        bool sources = set.Methods.Any(method => method.Key == ScoredMethod.Identity);
        ScoredMethod[] models = [.. set.Methods.Where(method => method.IsModel)];
        int done = 0, total = set.Pairs.Count * (1 + models.Length + (sources ? 1 : 0));
        Action step = () => progress?.Report(new("encoder", ++done, total));
        int[] order = PairSeparation.Derangement(set.Pairs.Count, set.Seed);

        float[][][] real = Encode(target, set.Pairs, pair => pair.Real, step, cancel);
        var found = new List<Couple>();
        if (sources)
        {
            float[][][] source = Encode(other ?? target, set.Pairs, pair => pair.Source!, step, cancel);
            Add("source_real", "Source and real", source);
        }
        foreach (ScoredMethod model in models)
        {
            float[][][] stained = Encode(target, set.Pairs, pair => pair.PathOf(model.Key), step, cancel);
            Add($"{model.Key}_real", $"{model.Title} and real", stained);
        }
        return Empty with
        {
            Tables = [Table(found)],
            Charts = [.. found.Select(Histogram), Curves(found)],
            Definitions = Definitions,
            Warnings = sources ? [] : ["Source images were not given, or are not colour images of the target's size: "
                + "source and real are not compared."],
            Provenance =
            [
                .. other is null ? [] : Named("Source encoder", other), .. Named("Target encoder", target),
                new("Patches", (patch == 0 ? "whole images" : $"{patch}x{patch} pixels on a grid, at most {MostPatches} an image")
                    + $"; unpaired ones from other images, one cycle through all of them, seed {set.Seed}"),
            ],
        };

        void Add(string key, string title, float[][][] left)
        {
            found.Add(new(key, title, Separate(left, real, image => real[order[image]])));
            if (SameSlide(set.Pairs, set.Seed) is { } near)
                found.Add(new($"{key}_same_slide", $"{title}, unpaired of the same slide",
                    Separate(left, real, image => near[image] < 0 ? null : real[near[image]])));
        }
    }

    // Another image of the same slide for each image, in one cycle through the slide; -1 for the only image of a slide. Null without any.
    private static int[]? SameSlide(IReadOnlyList<ImagePair> pairs, int seed)
    {
        int[] others = [.. Enumerable.Repeat(-1, pairs.Count)];
        foreach (int[] slide in pairs.Index().Where(each => each.Item.SlideId is { Length: > 0 }).GroupBy(each => each.Item.SlideId)
            .Select(group => group.Select(each => each.Index).ToArray()).Where(images => images.Length > 1))
        {
            int[] order = PairSeparation.Derangement(slide.Length, seed);
            for (int i = 0; i < slide.Length; i++) others[slide[i]] = slide[order[i]];
        }
        return others.All(other => other < 0) ? null : others;
    }

    // [image][patch][feature]
    private float[][][] Encode(FeatureExtractor encoder, IReadOnlyList<ImagePair> pairs, Func<ImagePair, string> path, Action step,
        CancellationToken cancel) =>
        [.. pairs.Select(pair =>
        {
            cancel.ThrowIfCancellationRequested();
            float[][] features = encoder.Extract(Patches(pair.ReadRgb(path(pair)), path(pair))).Values;
            step();
            return features;
        })];

    private IEnumerable<Image> Patches(Image image, string path)
    {
        if (patch == 0) return [image];
        int columns = image.Width / patch, rows = image.Height / patch, count = columns * rows;
        if (count == 0)
            throw new TinctorException(path, $"{image.Width}x{image.Height} pixels, but a patch has {patch}x{patch}",
                "Choose smaller patches");
        int chosen = Math.Min(count, MostPatches);
        return Enumerable.Range(0, chosen).Select(i => i * count / chosen)
            .Select(place => image.Crop(place % columns * patch, place / columns * patch, patch, patch));
    }

    // Images without others are left out.
    private static PairSeparation Separate(float[][][] left, float[][][] right, Func<int, float[][]?> othersOf)
    {
        if (left[0][0].Length != right[0][0].Length)
            throw new TinctorException(null, $"the source encoder returns {left[0][0].Length} features, but the target encoder "
                + $"{right[0][0].Length}", "Use two encoders that were trained together");
        var paired = new List<double>();
        var unpaired = new List<double>();
        for (int image = 0; image < left.Length; image++)
        {
            if (othersOf(image) is not { } others) continue;
            for (int place = 0; place < left[image].Length; place++)
            {
                paired.Add(Cosine(left[image][place], right[image][place]));
                unpaired.Add(Cosine(left[image][place], others[place % others.Length]));
            }
        }
        return PairSeparation.Compute(paired, unpaired);
    }

    private static double Cosine(float[] a, float[] b)
    {
        double product = 0, left = 0, right = 0;
        for (int i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            left += (double)a[i] * a[i];
            right += (double)b[i] * b[i];
        }
        return product / Math.Max(Math.Sqrt(left) * Math.Sqrt(right), 1e-12);
    }

    private static SectionTable Table(IEnumerable<Couple> found) =>
        new("similarity", "Cosine similarity of patches",
            [
                new("couple", "Images"), new("pairs", "Pairs", 0), new("paired", "Paired, mean"), new("unpaired", "Unpaired, mean"),
                new("threshold", "Best threshold"), new("accuracy", "Accuracy at it", 4, true), new("auroc", "AUROC", 4, true),
            ],
            [.. found.Select(f => (IReadOnlyList<object?>)
                [f.Title, f.Separation.Paired.Count, f.Separation.Paired.Average(), f.Separation.Unpaired.Average(),
                    f.Separation.Threshold, f.Separation.Accuracy, f.Separation.Roc.Auroc])]);

    private static HistogramChart Histogram(Couple found)
    {
        double[] all = [.. found.Separation.Paired, .. found.Separation.Unpaired];
        double low = all.Min(), width = Math.Max((all.Max() - low) / Bins, 1e-9);
        double[] Shares(IReadOnlyList<double> values)
        {
            var shares = new double[Bins];
            foreach (double value in values) shares[Math.Min((int)((value - low) / width), Bins - 1)] += 1.0 / values.Count;
            return shares;
        }
        return new($"similarity_{found.Key}", $"Similarity: {found.Title}", "The less the two overlap, the better.", "Cosine similarity",
            [.. Enumerable.Range(0, Bins + 1).Select(edge => low + (edge * width))],
            [new("Paired", [], Shares(found.Separation.Paired)), new("Unpaired", [], Shares(found.Separation.Unpaired))])
        { Lines = [new("Best threshold", found.Separation.Threshold)] };
    }

    private static CurveChart Curves(IEnumerable<Couple> found) =>
        new("roc", "ROC of pairs", "The closer to the upper left, the better; the diagonal is chance.",
            "False positive rate", "True positive rate",
            [.. found.Select(f => new ChartSeries(f.Title, [.. f.Separation.Roc.Points.Select(p => p.FalsePositiveRate)],
                [.. f.Separation.Roc.Points.Select(p => p.TruePositiveRate)]))])
        { Diagonal = true };

    private static readonly Definition[] Definitions =
    [
        new("Paired, unpaired", "patches of the same place in both images; a patch and one of another image, of any slide or of the same "
            + "slide. Stain and scanner tell slides apart, so couples of one slide are the harder test of content."),
        new("Best threshold, accuracy", "the similarity that tells most couples right, chosen on these couples themselves (so its accuracy "
            + "is a little optimistic), and the share that it tells right. There are as many unpaired couples as paired ones: chance is "
            + "0.5. CEFF reports 0.44 and 92.37% for its encoders on BCI."),
        new("AUROC", "the chance that a paired couple is more similar than an unpaired one."),
    ];

    private static IEnumerable<Definition> Named(string what, FeatureExtractor encoder) =>
        encoder.Provenance.Select((line, i) => i == 0 ? line with { Term = what } : line);

    private sealed record Couple(string Key, string Title, PairSeparation Separation);
}
