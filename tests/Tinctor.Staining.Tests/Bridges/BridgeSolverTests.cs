using Tinctor.Staining.Bridges;
using Tinctor.Torch;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>
/// Samplers where the best network is known in closed form: x0 normal about a mean, or one of two points, whatever the source. What they
/// give is held against the distribution that it must have.
/// </summary>
public sealed class BridgeSolverTests
{
    private const int Samples = 5000;

    [Theory]
    [InlineData("staining", 0.3), InlineData("staining", 0.1), InlineData("bbdm", 0.3), InlineData("half", 0.1)]
    [InlineData("schrodinger", 0.1)]
    public void Sample_with_all_steps_has_mean_and_spread_of_data(string name, double deviation)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeScheduleTests.Named(name), Mean: 0.4, deviation);
        Tensor result = data.Sample(new(), StepPlan.All(data.Schedule));
        double expected = data.DeviationOf(SamplingStrategy.Vanilla, exit: 50);
        Assert.Equal(0.4, result.mean().item(), 0.01);
        Assert.Equal(1, result.std().item() / expected, 0.04);
        Assert.InRange(expected / deviation, 0.85, 1);
    }

    [Theory]
    [InlineData("staining", 0.05, 0.698, 0.152, 0.152), InlineData("official", 0.05, 2.029, 0.338, 0.157)]
    [InlineData("staining", 0.1, 0.855, 0.294, 0.294), InlineData("official", 0.1, 1.447, 0.422, 0.303)]
    [InlineData("staining", 0.3, 0.965, 0.678, 0.678), InlineData("official", 0.3, 1.099, 0.735, 0.691)]
    public void Sample_strategies_give_known_share_of_spread(string name, double deviation, double vanilla, double mean, double skip)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeScheduleTests.Named(name), Mean: 0, deviation);
        double[] shares = [vanilla, mean, skip];
        foreach (SamplingStrategy strategy in Enum.GetValues<SamplingStrategy>())
        {
            double expected = data.DeviationOf(strategy, exit: 50);
            Tensor result = data.Sample(new() { Strategy = strategy }, StepPlan.All(data.Schedule));
            Assert.Equal(1, result.std().item() / expected, 0.04);
            Assert.Equal(0, result.mean().item(), 0.01);
            Assert.Equal(shares[(int)strategy], expected / deviation, 0.001);
        }
    }

    [Fact]
    public void Sample_vanilla_with_more_steps_approaches_full_spread()
    {
        // The prediction stands for a draw of what is possible, so that something of the spread is lost at each step.
        var data = new NormalData(BridgeSchedule.Staining(1_000_000), Mean: 0, Deviation: 0.05);
        Assert.Equal(1, data.DeviationOf(SamplingStrategy.Vanilla, exit: 50) / data.Deviation, 0.01);
    }

    [Fact]
    public void Sample_average_divides_variance_by_runs()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeSchedule.Staining(100), Mean: 0.2, Deviation: 0.3);
        (Tensor mean, Tensor deviation) = TensorBridge.Repeat(5, run => data.Sample(new(), StepPlan.All(data.Schedule), (ulong)run));
        double single = data.DeviationOf(SamplingStrategy.Vanilla, exit: 50);
        Assert.Equal(single / Math.Sqrt(5), mean.std().item(), 0.003);
        Assert.Equal(single * single, deviation.square().mean().item(), 0.003);
    }

    [Theory]
    [InlineData(BridgeSolver.Implicit, 0.2, 0.97), InlineData(BridgeSolver.Extrapolated, 0.2, 2)]
    [InlineData(BridgeSolver.Implicit, 0.5, 0.97), InlineData(BridgeSolver.Extrapolated, 0.5, 2)]
    [InlineData(BridgeSolver.Implicit, 1, 0.97), InlineData(BridgeSolver.Extrapolated, 1, 1.7)]
    public void Implicit_solvers_converge_with_their_order(BridgeSolver solver, double deviation, double order)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeSchedule.Staining(1_000_000), Mean: 0, deviation);
        double measured = Math.Log2(Error(30) / Error(120)) / 2;
        Assert.True(measured >= order, $"{measured}");

        double Error(int evaluations) => Math.Abs(data.Spread(solver, evaluations) - deviation);
    }

    [Theory]
    [InlineData("staining", 0.05, 0.08), InlineData("staining", 0.1, 0.01), InlineData("staining", 0.3, 0.01)]
    [InlineData("staining", 0.5, 0.01), InlineData("staining", 1, 0.01), InlineData("bbdm", 0.2, 0.01)]
    [InlineData("schrodinger", 0.1, 0.01), InlineData("schrodinger", 0.3, 0.01)]
    public void Second_order_solver_with_ten_evaluations_has_spread_of_data(string name, double deviation, double tolerance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeScheduleTests.Named(name), Mean: 0, deviation);
        double first = data.Spread(BridgeSolver.Implicit, 10) / deviation, second = data.Spread(BridgeSolver.Extrapolated, 10) / deviation;
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}, {deviation}: {first:F4} by the first order, {second:F4} by the second");
        Assert.Equal(1, second, tolerance);
        Assert.True(Math.Abs(first - 1) > 3 * Math.Abs(second - 1), $"{first}");
    }

    [Fact]
    public void Sample_without_noise_follows_means_with_expected_evaluations()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeSchedule.Staining(), Mean: 0.4, Deviation: 0.3);
        foreach (BridgeSolver solver in Enum.GetValues<BridgeSolver>())
            foreach (SamplingStrategy strategy in Enum.GetValues<SamplingStrategy>())
                foreach (double eta in new[] { 0, 0.5, 1 })
                    foreach (Func<BridgeSchedule, int, int[]> plan in new[] { StepPlan.Even, StepPlan.Cosine, StepPlan.Angular })
                    {
                        int[] steps = plan(data.Schedule, 12);
                        var options = new SamplingOptions { Solver = solver, Strategy = strategy, ExitStep = 300, Eta = eta, Clip = true };
                        (double result, int asked) = data.Quiet(options, steps);
                        Assert.Equal(0.4, result, 1e-12);
                        Assert.Equal(strategy == SamplingStrategy.Skip ? steps.Count(step => step > 300) + 1 : 12, asked);
                    }
    }

    [Theory]
    [InlineData(BridgeSolver.Posterior), InlineData(BridgeSolver.Implicit), InlineData(BridgeSolver.Extrapolated)]
    public void Sample_intermediate_states_are_distributed_as_in_training(BridgeSolver solver)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var data = new NormalData(BridgeSchedule.Staining(), Mean: 0.4, Deviation: 0.3);
        data.Sample(new() { Solver = solver }, StepPlan.Angular(data.Schedule, 200), observe: (step, state, _) =>
        {
            double m = data.Schedule.SourceWeights[step], s = data.Schedule.Deviations[step];
            Assert.Equal(((1 - m) * 0.4) + (m * NormalData.Source), state.mean().item(), 0.04);
            Assert.Equal(Math.Sqrt(Math.Pow((1 - m) * 0.3, 2) + (s * s)), state.std().item(), 0.03);
        });
    }

    [Theory]
    [InlineData(BridgeSolver.Posterior, 200), InlineData(BridgeSolver.Implicit, 20), InlineData(BridgeSolver.Extrapolated, 20)]
    public void Sample_two_points_reaches_each_by_half(BridgeSolver solver, int evaluations)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(9);
        BridgeSchedule schedule = BridgeSchedule.Staining();
        Tensor y = torch.full([Samples, 1], 0.3, ScalarType.Float64);
        Tensor result = new TensorSampler(new(schedule, BridgeObjective.Grad), new() { Solver = solver }).Sample(
            y, StepPlan.Angular(schedule, evaluations), (x, time) =>
            {
                double m = schedule.SourceWeights[(int)time], variance = Math.Pow(schedule.Deviations[(int)time], 2);
                return variance == 0 ? x : x - ((x - (m * y)) * ((1 - m) / variance)).tanh();
            }, _ => torch.randn(y.shape, random, ScalarType.Float64));
        Assert.Equal(0.5, (result > 0).to(ScalarType.Float64).mean().item(), 0.02);
        Assert.Equal(1, ((result.abs() - 1).abs() < 0.1).to(ScalarType.Float64).mean().item(), 0.03);
    }

    /// <summary>x0 ~ N(Mean, Deviation²) whatever the source; the best prediction of x0 from a state is linear.</summary>
    private sealed record NormalData(BridgeSchedule Schedule, double Mean, double Deviation)
    {
        public const double Source = -0.5;
        private readonly double[] times = [.. Schedule.Times];

        public Tensor Sample(SamplingOptions options, int[] plan, ulong seed = 0, TensorObserver? observe = null)
        {
            using var random = new Generator().manual_seed(seed);
            Tensor y = torch.full([Samples, 1], Source, ScalarType.Float64);
            return Run(y, options, plan, _ => torch.randn(y.shape, random, ScalarType.Float64), observe);
        }

        /// <summary>The result without any noise, and how often the network was asked.</summary>
        public (double Result, int Asked) Quiet(SamplingOptions options, int[] plan)
        {
            int asked = 0;
            Tensor y = torch.full([1, 1], Source, ScalarType.Float64);
            return (Run(y, options, plan, _ => torch.zeros_like(y), (_, _, _) => asked++).item(), asked);
        }

        /// <summary>The standard deviation of a deterministic solver's results, exactly: they are linear in the one noise.</summary>
        public double Spread(BridgeSolver solver, int evaluations)
        {
            Tensor y = torch.full([2, 1], Source, ScalarType.Float64), noise = torch.tensor([0.0, 1], 2, 1);
            double[] results = Run(y, new() { Solver = solver }, StepPlan.Angular(Schedule, evaluations), _ => noise).ToArray<double>();
            return results[1] - results[0];
        }

        /// <summary>
        /// The standard deviation of sampling all steps: each adds to the variance what its posterior has. The network takes the state for
        /// one at the time that it is told.
        /// </summary>
        public double DeviationOf(SamplingStrategy strategy, int exit)
        {
            double variance = 0;
            for (int step = Schedule.Last; step > 0; step--)
            {
                double gain = Gain(Told(step));
                if (strategy == SamplingStrategy.Skip && step == exit) return Math.Sqrt(variance) * gain;
                BridgePosterior posterior = Schedule.Posterior(step, step - 1);
                double keep = posterior.StateWeight + ((1 - posterior.StateWeight) * gain);
                variance = (keep * keep * variance) + (Quiet(step) ? 0 : posterior.Variance);
            }
            return Math.Sqrt(variance);

            bool Quiet(int step) => step == 1 || (strategy == SamplingStrategy.Mean && step <= exit);
        }

        private Tensor Run(Tensor y, SamplingOptions options, int[] plan, Func<int, Tensor> noise, TensorObserver? observe = null)
        {
            var bridge = new Bridge(Schedule, BridgeObjective.SourceMinusImage);
            return new TensorSampler(bridge, options).Sample(y, plan, (x, time) => y - Best(x, y, StepAt(time)),
                noise, observe);
        }

        private int Told(int step) => StepAt(Schedule.SamplingTimes[step]);

        private int StepAt(double time) => Array.BinarySearch(times, time);

        private Tensor Best(Tensor x, Tensor y, int step)
        {
            double m = Schedule.SourceWeights[step];
            return Mean + (Gain(step) * (x - ((1 - m) * Mean) - (m * y)));
        }

        private double Gain(int step)
        {
            // The source tells nothing; the last state is it, even where the schedule has it only nearly so.
            if (step == Schedule.Last) return 0;
            if (step == 0) return 1;
            double rest = 1 - Schedule.SourceWeights[step], s = Schedule.Deviations[step];
            return Deviation * Deviation * rest / ((rest * rest * Deviation * Deviation) + (s * s));
        }
    }
}
