using Tinctor.Evaluation.Features;
using Tinctor.Evaluation.Metrics;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Evaluation.Tests.Features;

/// <summary>FID, KID, IS, precision and recall of features.</summary>
public sealed class DistanceTests : IDisposable
{
    private readonly DisposeScope scope = torch.NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Distances_equal_reference_implementations()
    {
        Vectors vectors = Vectors.Read("metrics_fid_kid_is");
        var expected = SafeTensors.Load(Path.Combine(SharedFiles.Path("vectors/metrics_fid_kid_is"), "io_f64.safetensors"));
        double Value(string key, int at = 0) => expected[key].to(ScalarType.Float64).ToArray<double>()[at];
        Tensor first = expected["feat1"].to(ScalarType.Float64), second = expected["feat2"].to(ScalarType.Float64);
        using FeatureStatistics a = Streamed(first, 37), b = Streamed(second, 64);
        Vectors.Close(expected["mu1"], a.Mean, "mu1", 1e-12);
        Vectors.Close(expected["sigma2"], b.Covariance, "sigma2", 1e-12);
        Relative(Value("fid"), FrechetDistance.Compute(a, b), 1e-9);
        Relative(Value("tr_sqrtm"), FrechetDistance.TraceOfRoot(a.Covariance, b.Covariance), 1e-9);
        using FeatureStatistics fewA = Streamed(first[..40], 40), fewB = Streamed(second[..40], 7);
        Relative(Value("fid_first40_singular"), FrechetDistance.Compute(fewA, fewB), 1e-3);

        for (int subset = 0; subset < 10; subset++)
        {
            double mmd = KernelDistance.MmdSquared(
                first.index_select(0, vectors["kid_idx1"][subset]), second.index_select(0, vectors["kid_idx2"][subset]));
            Relative(Value("kid_mmd2", subset), mmd, 1e-9);
        }
        Relative(Value("kid_full500"), KernelDistance.MmdSquared(first, second), 1e-9);

        Tensor probabilities = expected["is_probs"].to(ScalarType.Float64);
        foreach ((string key, int splits) in new[] { ("is_1split", 1), ("is_10split", 10) })
        {
            var score = new InceptionScore(500, splits);
            foreach (Tensor batch in probabilities.split(33)) score.Add(batch);
            Relative(Value(key), score.Result().Mean, 1e-9);
            Assert.Equal(Value(key, 1), score.Result().Std, 1e-9);
        }
    }

    [Fact]
    public void FeatureStatistics_streamed_equal_one_batch()
    {
        Tensor x = Random(1, 200, 12) + 1000;
        using FeatureStatistics whole = Streamed(x, 200), parts = Streamed(x, 13);
        Assert.Equal(200, parts.Count);
        Vectors.Close(whole.Mean, parts.Mean, "mean", 1e-13);
        Vectors.Close(whole.Covariance, parts.Covariance, "covariance", 1e-10);
    }

    [Fact]
    public void FrechetDistance_of_shift_is_its_squared_length()
    {
        Tensor x = Random(2, 300, 10);
        using FeatureStatistics a = Streamed(x, 50), b = Streamed(x + 0.5, 50);
        Assert.Equal(0, FrechetDistance.Compute(a, a), 1e-9);
        Assert.Equal(10 * 0.25, FrechetDistance.Compute(a, b), 1e-9);
        Assert.Equal(FrechetDistance.Compute(b, a), FrechetDistance.Compute(a, b), 1e-9);
    }

    [Fact]
    public void FrechetDistance_of_scaling_equals_formula()
    {
        // Gaussians with one mean and covariances S and 4 S: tr(S + 4 S - 2 (4 S^2)^(1/2)) = tr S.
        Tensor x = Random(3, 400, 6);
        x -= x.mean([0]);
        using FeatureStatistics a = Streamed(x, 400), b = Streamed(x * 2, 400);
        Assert.Equal(a.Covariance.trace().item(), FrechetDistance.Compute(a, b), 1e-9);
    }

    [Fact]
    public void KernelDistance_of_one_distribution_is_near_zero()
    {
        Tensor a = Random(4, 600, 16), b = Random(5, 600, 16), far = Random(6, 600, 16) + 1;
        double near = KernelDistance.Compute(a, b, 0).Mean, apart = KernelDistance.Compute(a, far, 0).Mean;
        Assert.InRange(near, -0.05 * apart, 0.05 * apart);
        Assert.Equal(KernelDistance.Compute(a, far, 7), KernelDistance.Compute(a, far, 7));
    }

    [Fact]
    public void PrecisionRecall_separates_quality_from_diversity()
    {
        Tensor real = Random(7, 400, 4);
        Assert.Equal((1, 1), PrecisionRecall.Compute(real, real));
        Assert.Equal((0, 0), PrecisionRecall.Compute(real + 100, real));
        // Few modes: good images, but most of the real ones are out of their reach.
        (double precision, double recall) = PrecisionRecall.Compute(real[..5].repeat([20, 1]) + (Random(8, 100, 4) * 1e-3), real);
        Assert.InRange(precision, 0.95, 1);
        Assert.InRange(recall, 0, 0.1);
    }

    [Fact]
    public void InceptionScore_of_balanced_certain_classes_is_their_number()
    {
        var score = new InceptionScore(40, 1);
        score.Add(torch.eye(8).repeat([5, 1]));
        Assert.Equal(8, score.Result().Mean, 1e-12);
        var same = new InceptionScore(40, 4);
        same.Add(torch.full([40, 8], 0.125));
        Assert.Equal(1, same.Result().Mean, 1e-12);
    }

    [Fact]
    public void FeatureSample_keeps_all_up_to_capacity_then_uniform_share()
    {
        var all = new FeatureSample(100, 0);
        all.Add(torch.arange(0, 60).view(60, 1));
        Assert.Equal(Enumerable.Range(0, 60).Select(i => (double)i), all.ToTensor().ToArray<double>());
        var some = new FeatureSample(500, 0);
        for (int start = 0; start < 5000; start += 50) some.Add(torch.arange(start, start + 50).view(50, 1));
        Assert.Equal(500, some.Count);
        Assert.InRange(some.ToTensor().mean().item(), 2300, 2700);
    }

    private static FeatureStatistics Streamed(Tensor features, int batch)
    {
        var statistics = new FeatureStatistics();
        foreach (Tensor rows in features.split(batch)) statistics.Add(rows);
        return statistics;
    }

    private static Tensor Random(ulong seed, long rows, long columns)
    {
        using var random = new Generator().manual_seed(seed);
        return torch.randn([rows, columns], random).to(ScalarType.Float64);
    }

    private static void Relative(double expected, double actual, double tolerance) =>
        Assert.Equal(expected, actual, tolerance * Math.Abs(expected));
}
