using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Analyses.Distribution;

/// <summary>
/// Distances between the set of stained images and the set of real ones: FID, KID, Inception Score, precision and recall.
/// </summary>
/// <param name="open">Opens the feature network; null where no weights were given.</param>
/// <param name="sampleSize">The most images whose features KID, precision and recall keep in memory.</param>
public sealed class DistributionAnalysis(Func<FeatureExtractor>? open, int sampleSize = DistributionAnalysis.DefaultSample) : IAnalysis
{
    /// <summary>Features kept by default: 80 MB a set with Inception.</summary>
    public const int DefaultSample = 10_000;

    private const int BatchSize = 16;
    private const int Splits = 10;
    private static readonly ReportSection Empty = new("distribution", "Distance between the sets",
        "Whether stained images as a whole look like real ones to a network that was trained on other images. "
        + "Pairs do not matter here: a model can score well and still put the stain in the wrong place.");

    ReportSection IAnalysis.Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        if (open is null)
            return Empty with { NotComputed = "no Inception weights were given (those of pytorch-fid or StyleGAN)" };
        using FeatureExtractor network = open();
        int done = 0, total = set.Pairs.Count * (set.Methods.Count + 1);
        Action step = () => progress?.Report(new("features", ++done, total));
        FeatureSet real = Extract(network, set.Pairs, pair => pair.Real, set.Seed, step, cancel);
        var rows = new List<IReadOnlyList<object?>>();
        foreach (ScoredMethod method in set.Methods)
        {
            FeatureSet stained = Extract(network, set.Pairs, pair => pair.PathOf(method.Key), set.Seed, step, cancel);
            rows.Add(Row(method.Title, stained, real, set.Seed));
        }
        rows.Add(["Real images", null, null, null, real.Score?.Mean, real.Score?.Std, null, null]);
        return Empty with
        {
            Tables = [new("distances", $"Distances to the {set.Pairs.Count} real images, features by {network.Name}", Columns, rows)],
            Definitions = Definitions,
            Warnings = Warnings(set.Pairs.Count, real.Statistics.Dimension),
            Provenance =
            [
                .. network.Provenance,
                new("Images", $"{set.Pairs.Count} a set; KID, precision and recall from {Math.Min(sampleSize, set.Pairs.Count)} of them"),
            ],
        };
    }

    private static readonly SectionColumn[] Columns =
    [
        new("method", "Images"),
        new("fid", "FID", 2, false),
        new("kid", "KID", 5, false), new("kid_std", "KID, sd of subsets", 5),
        new("is", "Inception Score", 3, true), new("is_std", "IS, sd of splits", 3),
        new("precision", "Precision", 3, true), new("recall", "Recall", 3, true),
    ];

    private static readonly Definition[] Definitions =
    [
        new("FID", "|m1 - m2|² + tr(S1 + S2 - 2(S1 S2)^½) of means and covariances of features, in float64 (Heusel et al. 2017)."),
        new("KID", $"unbiased squared MMD with the kernel (x·y/D + 1)³, mean over {KernelDistance.Subsets} subsets of at most "
            + $"{KernelDistance.SubsetSize} images (Bińkowski et al. 2018); not scaled by 1000."),
        new("Inception Score", $"exp E KL(p(y|x) || p(y)) over {Splits} contiguous splits, logits without bias as in its own code "
            + "(Salimans et al. 2016); says nothing about the real stain."),
        new("Precision, recall", "share of stained images within the manifold of the real ones, and the reverse; "
            + "balls reach to the third nearest neighbour (Kynkäänniemi et al. 2019)."),
    ];

    private static IReadOnlyList<object?> Row(string title, FeatureSet stained, FeatureSet real, int seed)
    {
        FeatureMatrix a = stained.Sample.ToMatrix(), b = real.Sample.ToMatrix();
        bool two = a.Rows > 1;
        (double Mean, double Std)? kernel = two ? KernelDistance.Compute(a, b, seed) : null;
        (double Precision, double Recall)? manifold = a.Rows > 3 ? PrecisionRecall.Compute(a, b) : null;
        return
        [
            title, two ? FrechetDistance.Compute(stained.Statistics, real.Statistics) : null, kernel?.Mean, kernel?.Std,
            stained.Score?.Mean, stained.Score?.Std, manifold?.Precision, manifold?.Recall,
        ];
    }

    private static IReadOnlyList<string> Warnings(int images, long dimension)
    {
        string enough = "FID depends on the number of images and needs thousands to be compared between papers; "
            + "compare only values from the same number of images, and prefer KID for small sets.";
        if (images <= dimension)
            return [$"{images} images are fewer than the {dimension} dimensions of the features: the covariances are singular "
                + $"and FID is far too large. {enough}"];
        return images < 10_000 ? [$"{images} images are few. {enough}"] : [];
    }

    private FeatureSet Extract(FeatureExtractor network, IReadOnlyList<ImagePair> pairs, Func<ImagePair, string> path, int seed,
        Action step, CancellationToken cancel)
    {
        var statistics = new FeatureStatistics();
        var sample = new FeatureSample(sampleSize, seed);
        InceptionScore? score = null;
        foreach (ImagePair[] batch in pairs.Chunk(BatchSize))
        {
            cancel.ThrowIfCancellationRequested();
            FeatureBatch features = network.Extract(batch.Select(pair => pair.ReadRgb(path(pair))));
            statistics.Add(FeatureMatrix.FromRows(features.Values));
            sample.Add(features.Values);
            if (features.Probabilities is { } probabilities)
                (score ??= new InceptionScore(pairs.Count, Splits)).Add(FeatureMatrix.FromRows(probabilities));
            foreach (ImagePair _ in batch) step();
        }
        return new(statistics, sample, score?.Result());
    }

    /// <summary>Features kept of a set of images.</summary>
    private sealed record FeatureSet(FeatureStatistics Statistics, FeatureSample Sample, (double Mean, double Std)? Score);
}
