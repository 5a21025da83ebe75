using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>Variance of results that average several runs, measured on one image that is stained repeatedly.</summary>
/// <param name="Image">The image's name.</param>
/// <param name="Strategy">Sampling strategy of the runs.</param>
/// <param name="Average">N: how many runs make one result.</param>
/// <param name="Variation">
/// Coefficient of variation: mean over pixels and channels of standard deviation / mean over the results, 0 if the mean is 0.
/// </param>
/// <param name="Psnr">PSNR in dB of a result against the target, mean over the results; null without a target.</param>
/// <param name="Ssim">SSIM of a result against the target, mean over the results; null without a target.</param>
public sealed record VarianceResult(string Image, string Strategy, int Average, double Variation, double? Psnr, double? Ssim)
{
    /// <summary>Exit step t_e of the strategy; null for strategies without one, and in studies of a single exit step.</summary>
    public int? ExitStep { get; init; }
}

/// <summary>Variation of results that are means of N runs, as in the variance table of Zhang et al. 2024.</summary>
/// <param name="Averages">The values of N.</param>
/// <param name="Repeats">Number of results for each N, at least 2; no two share a run.</param>
public sealed record VarianceStudy(IReadOnlyList<int> Averages, int Repeats)
{
    /// <summary>Number of runs per image: those for the largest N; smaller N use the first of them.</summary>
    public int Runs => Repeats * Averages.Max();

    /// <summary>Measures one image with one strategy.</summary>
    /// <param name="image">The image's name.</param>
    /// <param name="strategy">The strategy's name.</param>
    /// <param name="run">Stains it, 8-bit RGB; called with 0 to <see cref="Runs"/> - 1, each once and with noise of its own.</param>
    /// <param name="target">Reference image of the same size; null if there is none.</param>
    /// <returns>A result for each N.</returns>
    public IReadOnlyList<VarianceResult> Measure(string image, string strategy, Func<int, Image> run, Image? target)
    {
        ScoredImage? reference = target is null ? null : new(RgbReader.ToRgb(target));
        var measures = Averages.Distinct().ToDictionary(n => n, n => new Results(n, reference));
        int most = Averages.Max();
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            int[] sums = [];
            for (int k = 1; k <= most; k++)
            {
                Image stained = run((repeat * most) + k - 1);
                if (k == 1) sums = new int[stained.Data.Length];
                for (int i = 0; i < sums.Length; i++) sums[i] += stained.Data[i];
                if (measures.TryGetValue(k, out Results? results)) results.Add(sums, stained.Width, stained.Height);
            }
        }
        return [.. measures.Select(pair => new VarianceResult(image, strategy, pair.Key, pair.Value.Variation,
            reference is null ? null : pair.Value.Psnr.Average(), reference is null ? null : pair.Value.Ssim.Average()))];
    }

    // The coefficient has no unit, so sums serve as means; as integers they give equal results a coefficient of exactly 0.
    private sealed class Results(int runs, ScoredImage? target)
    {
        private long[] sums = [], squares = [];
        private int count;

        public List<double> Psnr { get; } = [];

        public List<double> Ssim { get; } = [];

        public double Variation => sums.Zip(squares, Of).Average();

        public void Add(int[] ofRuns, int width, int height)
        {
            if (count++ == 0) (sums, squares) = (new long[ofRuns.Length], new long[ofRuns.Length]);
            for (int i = 0; i < ofRuns.Length; i++)
            {
                sums[i] += ofRuns[i];
                squares[i] += (long)ofRuns[i] * ofRuns[i];
            }
            if (target is null) return;
            var mean = new Image(width, height, 3, SampleType.UInt8, Array.ConvertAll(ofRuns, sum => (byte)Math.Round(sum / (double)runs)));
            Psnr.Add(PixelErrors.Psnr(new ScoredImage(mean).Pixels, target.Pixels));
            Ssim.Add(Metrics.Ssim.Compute(new ScoredImage(mean).Pixels, target.Pixels));
        }

        private double Of(long sum, long square) =>
            sum == 0 ? 0 : Math.Sqrt(((count * square) - (sum * sum)) * count / (count - 1.0)) / sum;
    }
}
