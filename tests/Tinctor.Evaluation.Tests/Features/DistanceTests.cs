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
        var expected = SafeTensors.Load(TestVectors.Path("metrics_fid_kid_is/io_f64.safetensors"));
        double Value(string key, int at = 0) => expected[key].to(ScalarType.Float64).ToArray<double>()[at];
        Tensor first = expected["feat1"].to(ScalarType.Float64), second = expected["feat2"].to(ScalarType.Float64);
        FeatureStatistics a = Streamed(first, 37), b = Streamed(second, 64);
        Vectors.Close(expected["mu1"], Mean(a), "mu1", 1e-12);
        Vectors.Close(expected["sigma2"], ToTensor(b.Covariance()), "sigma2", 1e-12);
        Relative(Value("fid"), FrechetDistance.Compute(a, b), 1e-9);
        Relative(Value("tr_sqrtm"), FrechetDistance.TraceOfRoot(a.Covariance(), b.Covariance()), 1e-9);
        FeatureStatistics fewA = Streamed(first[..40], 40), fewB = Streamed(second[..40], 7);
        Relative(Value("fid_first40_singular"), FrechetDistance.Compute(fewA, fewB), 1e-3);

        for (int subset = 0; subset < 10; subset++)
        {
            double mmd = KernelDistance.MmdSquared(
                ToMatrix(first.index_select(0, vectors["kid_idx1"][subset])),
                ToMatrix(second.index_select(0, vectors["kid_idx2"][subset])));
            Relative(Value("kid_mmd2", subset), mmd, 1e-9);
        }
        Relative(Value("kid_full500"), KernelDistance.MmdSquared(ToMatrix(first), ToMatrix(second)), 1e-9);

        Tensor probabilities = expected["is_probs"].to(ScalarType.Float64);
        foreach ((string key, int splits) in new[] { ("is_1split", 1), ("is_10split", 10) })
        {
            var score = new InceptionScore(500, splits);
            foreach (Tensor batch in probabilities.split(33)) score.Add(ToMatrix(batch));
            Relative(Value(key), score.Result().Mean, 1e-9);
            Assert.Equal(Value(key, 1), score.Result().Std, 1e-9);
        }
    }

    [Fact]
    public void FeatureStatistics_streamed_equal_one_batch()
    {
        Tensor x = Random(1, 200, 12) + 1000;
        FeatureStatistics whole = Streamed(x, 200), parts = Streamed(x, 13);
        Assert.Equal(200, parts.Count);
        Vectors.Close(Mean(whole), Mean(parts), "mean", 1e-13);
        Vectors.Close(ToTensor(whole.Covariance()), ToTensor(parts.Covariance()), "covariance", 1e-10);
    }

    [Fact]
    public void FrechetDistance_of_shift_is_its_squared_length()
    {
        Tensor x = Random(2, 300, 10);
        FeatureStatistics a = Streamed(x, 50), b = Streamed(x + 0.5, 50);
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
        FeatureStatistics a = Streamed(x, 400), b = Streamed(x * 2, 400);
        Assert.Equal(ToTensor(a.Covariance()).trace().item(), FrechetDistance.Compute(a, b), 1e-9);
    }

    [Fact]
    public void KernelDistance_of_one_distribution_is_near_zero()
    {
        FeatureMatrix a = ToMatrix(Random(4, 600, 16)), b = ToMatrix(Random(5, 600, 16)), far = ToMatrix(Random(6, 600, 16) + 1);
        double near = KernelDistance.Compute(a, b, 0).Mean, apart = KernelDistance.Compute(a, far, 0).Mean;
        Assert.InRange(near, -0.05 * apart, 0.05 * apart);
        Assert.Equal(KernelDistance.Compute(a, far, 7), KernelDistance.Compute(a, far, 7));
    }

    [Fact]
    public void PrecisionRecall_separates_quality_from_diversity()
    {
        Tensor real = Random(7, 400, 4);
        Assert.Equal((1, 1), PrecisionRecall.Compute(ToMatrix(real), ToMatrix(real)));
        Assert.Equal((0, 0), PrecisionRecall.Compute(ToMatrix(real + 100), ToMatrix(real)));
        // Few modes: good images, but most of the real ones are out of their reach.
        Tensor few = real[..5].repeat([20, 1]) + (Random(8, 100, 4) * 1e-3);
        (double precision, double recall) = PrecisionRecall.Compute(ToMatrix(few), ToMatrix(real));
        Assert.InRange(precision, 0.95, 1);
        Assert.InRange(recall, 0, 0.1);
    }

    [Fact]
    public void InceptionScore_of_balanced_certain_classes_is_their_number()
    {
        var score = new InceptionScore(40, 1);
        score.Add(ToMatrix(torch.eye(8).repeat([5, 1])));
        Assert.Equal(8, score.Result().Mean, 1e-12);
        var same = new InceptionScore(40, 4);
        same.Add(ToMatrix(torch.full([40, 8], 0.125)));
        Assert.Equal(1, same.Result().Mean, 1e-12);
    }

    [Fact]
    public void FeatureSample_keeps_all_up_to_capacity_then_uniform_share()
    {
        var all = new FeatureSample(100, 0);
        all.Add(Enumerable.Range(0, 60).Select(i => new float[] { i }));
        Assert.Equal(Enumerable.Range(0, 60).Select(i => (double)i), all.ToMatrix().Values);
        var some = new FeatureSample(500, 0);
        for (int start = 0; start < 5000; start += 50) some.Add(Enumerable.Range(start, 50).Select(i => new float[] { i }));
        Assert.Equal(500, some.Count);
        Assert.InRange(some.ToMatrix().Values.Average(), 2300, 2700);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(17), InlineData(120)]
    public void SymmetricEigenvalues_equal_libtorch(int size)
    {
        Tensor x = Random((ulong)size, size, size), symmetric = x + x.t();
        double[] expected = torch.linalg.eigh(symmetric).Item1.ToArray<double>();
        double[] actual = [.. SymmetricEigenvalues.Compute(ToMatrix(symmetric)).Order()];
        for (int i = 0; i < size; i++) Assert.Equal(expected[i], actual[i], 1e-12 * size);
    }

    [Theory]
    [InlineData("zero"), InlineData("diagonal"), InlineData("equal"), InlineData("graded")]
    public void SymmetricEigenvalues_special_matrices(string kind)
    {
        double[] diagonal = kind switch
        {
            "zero" => new double[6],
            "diagonal" => [3, -1, 0, 7, 2, 5],
            "equal" => [4, 4, 4, 4, 4, 4],
            _ => [1e-12, 1e-8, 1e-4, 1, 1e4, 1e8],
        };
        var matrix = new FeatureMatrix(6, 6, new double[36]);
        for (int i = 0; i < 6; i++) matrix.Row(i)[i] = diagonal[i];
        Assert.Equal(diagonal.Order(), SymmetricEigenvalues.Compute(matrix).Order());
    }

    [Theory]
    [InlineData(20, 20), InlineData(20, 5), InlineData(20, 1), InlineData(20, 0)]
    public void PivotedCholesky_finds_rank_and_factor(int size, int rank)
    {
        Tensor x = Random(9, size, Math.Max(1, rank)) * (rank == 0 ? 0 : 1), product = x.mm(x.t());
        FeatureMatrix factor = PivotedCholesky.Factor(ToMatrix(product));
        Assert.Equal((size, rank), (factor.Rows, factor.Columns));
        if (rank > 0) Vectors.Close(product, ToTensor(factor.TimesTransposed(factor)), "product", 1e-12);
    }

    [Fact]
    public void FeatureMatrix_products_equal_libtorch()
    {
        Tensor a = Random(10, 7, 5), b = Random(11, 5, 3), c = Random(12, 4, 5);
        Vectors.Close(a.mm(b), ToTensor(ToMatrix(a).Times(ToMatrix(b))), "a b", 1e-13);
        Vectors.Close(a.mm(c.t()), ToTensor(ToMatrix(a).TimesTransposed(ToMatrix(c))), "a c'", 1e-13);
        Vectors.Close(a[2..6].mm(c.t()), ToTensor(ToMatrix(a).RowsTimesTransposed(2, 4, ToMatrix(c))), "rows of a c'", 1e-13);
        Vectors.Close(a.t(), ToTensor(ToMatrix(a).Transpose()), "a'", 0);
    }

    [Fact]
    public void KernelDistance_of_several_blocks_equals_definition()
    {
        Tensor a = Random(13, 300, 6), b = Random(14, 270, 6);
        Tensor Kernel(Tensor x, Tensor y) => ((x.mm(y.t()) / 6) + 1).pow(3);
        double Within(Tensor x) => (Kernel(x, x).sum().item() - Kernel(x, x).trace().item()) / (x.size(0) * (x.size(0) - 1.0));
        double expected = Within(a) + Within(b) - (2 * Kernel(a, b).mean().item());
        Assert.Equal(expected, KernelDistance.MmdSquared(ToMatrix(a), ToMatrix(b)), 1e-9);
    }

    private static FeatureMatrix ToMatrix(Tensor x) =>
        new((int)x.size(0), (int)x.size(1), x.to(ScalarType.Float64).contiguous().ToArray<double>());

    private static Tensor ToTensor(FeatureMatrix x) => torch.tensor<double>(x.Values, x.Rows, x.Columns);

    private static Tensor Mean(FeatureStatistics statistics) => torch.tensor<double>(statistics.Mean, statistics.Dimension);

    private static FeatureStatistics Streamed(Tensor features, int batch)
    {
        var statistics = new FeatureStatistics();
        foreach (Tensor rows in features.split(batch)) statistics.Add(ToMatrix(rows));
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
