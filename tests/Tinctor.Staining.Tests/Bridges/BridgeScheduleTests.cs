using Tinctor.Staining.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>The bridges' numbers against the official implementations, Bayes' rule and simulated Brownian motion.</summary>
public sealed class BridgeScheduleTests
{
    private const double Exact = 1e-12, Single = 1e-6;

    public static TheoryData<string> Names => ["staining", "official", "bbdm", "exponential", "half", "schrodinger"];

    internal static BridgeSchedule Named(string name, int steps = 1000) => name switch
    {
        "staining" => BridgeSchedule.Staining(steps),
        "official" => BridgeSchedule.Staining(steps, official: true),
        "bbdm" => BridgeSchedule.Bbdm(steps),
        "exponential" => BridgeSchedule.Bbdm(steps, BridgeGrowth.Exponential),
        "half" => BridgeSchedule.Bbdm(steps, maxVariance: 0.5),
        _ => BridgeSchedule.Schrodinger(steps),
    };

    [Theory]
    [InlineData("T1000", 1000), InlineData("T100", 100), InlineData("T10", 10), InlineData("T1000_respace10", 10)]
    public void Schedule_equals_official_staining_code(string name, int steps)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> vectors = SafeTensors.Load(TestVectors.Path("yijie_schedule/io_f64.safetensors"));
        BridgeSchedule official = BridgeSchedule.Staining(steps, official: true), exact = BridgeSchedule.Staining(steps);
        Check("mt", official.SourceWeights);
        Check("sqrt_dt", official.Deviations);
        Check("dt", official.Deviations.Select(s => s * s));
        Check("cx", Enumerable.Repeat(1.0, steps));
        Check("cy", Enumerable.Repeat(0.0, steps));
        Check("ce", Enumerable.Range(0, steps).Select(i => 1 - official.Posterior(i + 1, i).StateWeight));
        // What one step adds to the variance is not in a schedule, but follows from the posterior's: s² = step² s'² / whole².
        Check("betas", Enumerable.Range(0, steps).Select(i => i == 0 ? exact.Deviations[1] * exact.Deviations[1] : i == steps - 1 ? 0
            : exact.Posterior(i + 1, i).Variance * Math.Pow(exact.Deviations[i + 1] / exact.Deviations[i], 2)));
        // The first is infinite there, and never used: the last step adds no noise.
        Check("posterior_variance", Enumerable.Range(1, steps - 1).Select(i => official.Posterior(i + 1, i).Variance), 1);

        void Check(string what, IEnumerable<double> values, int from = 0)
        {
            double[] numbers = [.. values];
            Vectors.Close(vectors[$"{name}.{what}"][from..], torch.tensor(numbers, numbers.Length), what, Exact, Exact);
        }
    }

    [Fact]
    public void Official_staining_noise_differs_from_exact_posterior()
    {
        BridgeSchedule official = BridgeSchedule.Staining(official: true), exact = BridgeSchedule.Staining();
        Assert.Equal([2.0, 1.1, 1.02, 1.0, 0.9, 0.5], new[] { 1, 10, 50, 500, 990, 998 }.Select(Ratio), (a, b) => Math.Abs(a - b) < 0.01);
        Assert.Equal(1, Ratio(999), 1e-12);
        // Exact is told the time of the state it is in.
        Assert.Equal([999.0, 1000], [official.SamplingTimes[1000], exact.SamplingTimes[1000]]);
        Assert.Equal(official.Times, exact.Times);

        double Ratio(int to) => Math.Sqrt(official.Posterior(to + 1, to).Variance / exact.Posterior(to + 1, to).Variance);
    }

    [Theory]
    [InlineData("linear_var1.0", BridgeGrowth.Linear, 1.0), InlineData("linear_var0.5", BridgeGrowth.Linear, 0.5)]
    [InlineData("sin_var1.0", BridgeGrowth.Exponential, 1.0), InlineData("sin_var0.5", BridgeGrowth.Exponential, 0.5)]
    public void Schedule_equals_official_bbdm(string name, BridgeGrowth growth, double maxVariance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_schedule");
        BridgeSchedule schedule = BridgeSchedule.Bbdm(1000, growth, maxVariance);
        double[] variance = [.. schedule.Deviations.Select(s => s * s)];
        double[] posterior = [.. Enumerable.Range(0, 1000).Select(k => schedule.Posterior(k + 1, k).Variance)];
        Check("m_t", schedule.SourceWeights.Skip(1));
        Check("m_tminus", schedule.SourceWeights.SkipLast(1));
        Check("variance_t", variance[1..]);
        Check("variance_tminus", variance[..^1]);
        Check("posterior_variance_t", posterior);
        Check("variance_t_tminus", posterior.Select((p, k) => k == 0 ? variance[1] : p * variance[k + 1] / variance[k]));
        Assert.Equal(Enumerable.Range(0, 1000).Select(t => (double)t), schedule.Times.Skip(1));

        void Check(string what, IEnumerable<double> values)
        {
            double[] numbers = [.. values];
            vectors.Check($"{name}.{what}", torch.tensor(numbers, numbers.Length), Single);
        }
    }

    [Theory]
    [InlineData(1000, "0.3"), InlineData(1000, "1.0"), InlineData(100, "0.3")]
    public void Schedule_equals_official_i2sb(int steps, string betaMax)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_schedule");
        BridgeSchedule schedule = BridgeSchedule.Schrodinger(steps, double.Parse(betaMax));
        Check("std_fwd", schedule.Clock.Select(Math.Sqrt));
        Check("std_bwd", schedule.Clock.Reverse().Select(Math.Sqrt));
        Check("mu_x0", schedule.SourceWeights.Select(m => 1 - m));
        Check("mu_x1", schedule.SourceWeights);
        Check("std_sb", schedule.Deviations);
        Check("noise_levels", schedule.Times);
        Tensor betas = SafeTensors.Load(TestVectors.Path("i2sb_schedule/io_f64.safetensors"))[$"i{steps}_b{betaMax}.betas_double"];
        Vectors.Close(betas.cumsum(0), torch.tensor(schedule.Clock.ToArray(), steps), "betas", Exact);

        void Check(string what, IEnumerable<double> values)
        {
            double[] numbers = [.. values];
            vectors.Check($"i{steps}_b{betaMax}.{what}", torch.tensor(numbers, numbers.Length), Single);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void States_equal_pinned_brownian_motion(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(5);
        // I2SB counts a state's own step on both sides, which is little if steps are many.
        (int paths, int steps) = name == "schrodinger" ? (5000, 500) : (40_000, 20);
        BridgeSchedule schedule = Named(name, steps);
        // The whole path from its steps; then the straight line to what it misses the source by.
        double whole = schedule.Clock[^1] / schedule.SourceWeights[^1];
        double[] clock = [0, .. schedule.Clock.Where(v => v > 0 && v < whole), whole];
        Tensor increments = torch.randn([clock.Length - 1, paths], random, ScalarType.Float64)
            * torch.tensor(clock.Skip(1).Zip(clock, (v, u) => Math.Sqrt(v - u)).ToArray(), clock.Length - 1, 1);
        Tensor path = increments.cumsum(0), shares = torch.tensor(clock[1..], clock.Length - 1, 1) / whole;
        Tensor pinned = path + (shares * (3 - path[-1]));
        for (int k = 0; k < schedule.SourceWeights.Count; k++)
        {
            int place = Array.IndexOf(clock, schedule.Clock[k]) - 1;
            if (place < 0) continue;
            Assert.Equal(3 * schedule.SourceWeights[k], pinned[place].mean().item(), 0.02);
            Assert.Equal(schedule.Deviations[k], pinned[place].std().item(), 0.015);
        }
    }

    [Theory]
    [InlineData("staining"), InlineData("bbdm"), InlineData("exponential"), InlineData("half")]
    public void Exact_posteriors_obey_bayes_rule(string name)
    {
        BridgeSchedule schedule = Named(name, 50);
        const double x0 = -0.4, y = 1.3, x = 0.9;
        for (int from = 2; from <= 50; from++)
            for (int to = 1; to < from; to++)
            {
                double m = schedule.SourceWeights[from], s2 = Square(schedule.Deviations[from]);
                double n = schedule.SourceWeights[to], r2 = Square(schedule.Deviations[to]);
                double slope = (1 - m) / (1 - n), step2 = s2 - (slope * slope * r2); // x = slope x' + (m - slope n) y + noise
                double prior = ((1 - n) * x0) + (n * y), gain = slope * r2 / s2;
                double mean = prior + (gain * (x - ((1 - m) * x0) - (m * y))), variance = r2 * step2 / s2;
                if (s2 == 0) (mean, variance) = (prior, r2); // the source itself tells nothing more
                BridgePosterior posterior = schedule.Posterior(from, to);
                double at = s2 == 0 ? y : x;
                Assert.Equal(mean, x0 + (posterior.StateWeight * (at - x0)), 1e-10);
                Assert.Equal(variance, posterior.Variance, 1e-10);
            }

        static double Square(double v) => v * v;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Posteriors_in_sequence_give_state_distributions(string name)
    {
        if (name == "official") return; // its variances are not the posteriors'
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(6);
        int stride = name == "schrodinger" ? 50 : 3;
        BridgeSchedule schedule = Named(name, 10 * stride);
        var bridge = new Bridge(schedule, BridgeObjective.SourceMinusImage);
        Tensor x0 = torch.full([40_000, 1], 0.25, ScalarType.Float64), y = torch.full_like(x0, -1);
        Tensor x = bridge.QSample(x0, y, [schedule.Last], Noise());
        for (int from = schedule.Last; from > stride; from -= stride)
        {
            int to = from - stride;
            x = bridge.PSample(x0, x, from, to, Noise());
            Assert.Equal(0.25 - (1.25 * schedule.SourceWeights[to]), x.mean().item(), 0.02);
            Assert.Equal(schedule.Deviations[to], x.std().item(), 0.01);
        }

        Tensor Noise() => torch.randn(x0.shape, random, ScalarType.Float64);
    }

    [Fact]
    public void Plans_equal_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors bbdm = Vectors.Read("bbdm_schedule"), i2sb = Vectors.Read("i2sb_schedule");
        foreach ((int count, int steps) in new[] { (200, 1000), (50, 1000), (10, 1000), (1000, 1000), (5, 100) })
            Assert.Equal(bbdm[$"steps_linear_{count}_of_{steps}"].ToArray<long>(),
                StepPlan.BbdmLinear(BridgeSchedule.Bbdm(steps), count).Select(k => k - 1L));
        Assert.Equal(bbdm["steps_noskip_50"].ToArray<long>(), StepPlan.All(BridgeSchedule.Bbdm(50)).Select(k => k - 1L));
        foreach ((int steps, int count) in new[] { (1000, 11), (1000, 2), (1000, 3), (1000, 101), (1000, 1000), (100, 6) })
            Assert.Equal(i2sb[$"space_indices_{steps}_{count}"].ToArray<long>(),
                StepPlan.Even(BridgeSchedule.Schrodinger(steps), count - 1).Append(0).Reverse().Select(k => (long)k));
    }

    [Fact]
    public void Plans_descend_strictly_with_requested_steps()
    {
        foreach (BridgeSchedule schedule in Names.Select(row => Named(row.Data)))
            foreach (int count in new[] { 1, 2, 3, 5, 10, 200, 997, schedule.Last })
                foreach (Func<BridgeSchedule, int, int[]> plan in new[] { StepPlan.Even, StepPlan.Cosine, StepPlan.Angular })
                {
                    int[] steps = plan(schedule, count);
                    Assert.Equal(count, steps.Length);
                    Assert.Equal(schedule.Last, steps[0]);
                    Assert.True(steps[^1] >= 1 && steps.Zip(steps.Skip(1), (a, b) => a > b).All(descends => descends));
                }
        foreach (int count in new[] { 3, 10, 200, 999, 1000 })
        {
            int[] linear = new BridgeSampling { Evaluations = count, Spacing = StepSpacing.Linear }.CreatePlan(BridgeSchedule.Bbdm());
            Assert.Equal((1000, 2, 1), (linear[0], linear[^2], linear[^1]));
            Assert.True(linear.Zip(linear.Skip(1), (above, below) => above > below).All(descends => descends));
        }
        Assert.Throws<TinctorException>(() =>
            new BridgeSampling { Evaluations = 2, Spacing = StepSpacing.Linear }.CreatePlan(BridgeSchedule.Bbdm()));
        // The official cosine, rounded into range, wherever its ends leave room.
        int[] cosine = StepPlan.Cosine(BridgeSchedule.Bbdm(), 200);
        Assert.Equal([1000, 1], [cosine[0], cosine[^1]]);
        Assert.Equal(1 + (999 * (1 + Math.Cos(Math.PI * 80 / 199)) / 2), cosine[80], 0.5);
        Assert.Throws<ArgumentException>(() => StepPlan.Even(BridgeSchedule.Bbdm(10), 11));
        Assert.Throws<ArgumentException>(() => StepPlan.BbdmLinear(BridgeSchedule.Bbdm(10), 2));
        Assert.Throws<ArgumentException>(() => BridgeSchedule.Schrodinger(7));
        Assert.Throws<ArgumentOutOfRangeException>(() => BridgeSchedule.Staining(0));
    }
}
