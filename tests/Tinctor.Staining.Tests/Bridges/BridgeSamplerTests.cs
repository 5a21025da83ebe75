using Tinctor.Staining.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>
/// Trajectories of the official samplers, state by state, with their noise. Their networks' recorded predictions stand in for the networks.
/// </summary>
public sealed class BridgeSamplerTests
{
    private const double Tolerance = 1e-5;

    [Theory]
    [InlineData("full.clip0", SamplingStrategy.Vanilla, 0), InlineData("full.clip1", SamplingStrategy.Vanilla, 0)]
    [InlineData("mean.te0", SamplingStrategy.Mean, 0), InlineData("mean.te3", SamplingStrategy.Mean, 3)]
    [InlineData("mean.te5", SamplingStrategy.Mean, 5), InlineData("mean.te9", SamplingStrategy.Mean, 9)]
    [InlineData("mean.te10", SamplingStrategy.Mean, 10), InlineData("skip.te0", SamplingStrategy.Skip, 0)]
    [InlineData("skip.te3", SamplingStrategy.Skip, 3), InlineData("skip.te5", SamplingStrategy.Skip, 5)]
    [InlineData("skip.te9", SamplingStrategy.Skip, 9), InlineData("skip.te10", SamplingStrategy.Skip, 10)]
    public void Sample_strategies_equal_official_staining_code(string name, SamplingStrategy strategy, int exit)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_sampling");
        var bridge = new Bridge(BridgeSchedule.Staining(10, official: true), BridgeObjective.Grad);
        Tensor states = vectors[$"{name}.samples"];
        // Recorded there is the state at the exit, but the result is the prediction.
        if (strategy == SamplingStrategy.Skip) states[-1].copy_(vectors[$"{name}.final"]);
        var replay = new Replay(bridge, vectors["y"], vectors[$"{name}.pred_xstart"], states);
        Tensor result = replay.Run(new() { Strategy = strategy, ExitStep = exit, Clip = name == "full.clip1" },
            StepPlan.All(bridge.Schedule), step => vectors["noises"][10 - step]);
        if (name[0] != 'f') vectors.Check($"{name}.final", result, Tolerance);
        // The network is told the index of the step, scaled: one behind the state.
        Assert.Equal(Enumerable.Range(1, replay.TimesTold.Count).Select(k => (10 - k) * 100.0), replay.TimesTold);
        if (strategy == SamplingStrategy.Skip && exit > 0) Assert.Equal(10 - exit + 1, replay.TimesTold.Count);
    }

    [Theory]
    [InlineData(999), InlineData(998), InlineData(500), InlineData(1), InlineData(0)]
    public void Step_equals_official_staining_code(int t)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_sampling");
        var bridge = new Bridge(BridgeSchedule.Staining(official: true), BridgeObjective.Grad);
        Tensor prediction = vectors[$"p_sample_t{t}.pred_xstart"], x = vectors["p1_x"];
        vectors.Check($"p_sample_mean_t{t}.sample", bridge.PSample(prediction, x, t + 1, t, null), Tolerance);
        vectors.Check($"p_sample_t{t}.sample", bridge.PSample(prediction, x, t + 1, t, t == 0 ? null : vectors["p1_noise"]), Tolerance);
    }

    [Fact]
    public void Step_equals_official_bbdm()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_psample");
        int[] steps = [.. StepPlan.BbdmLinear(BridgeSchedule.Bbdm(), 200), 0];
        Assert.Equal(vectors["steps"].ToArray<long>(), steps.SkipLast(1).Select(k => k - 1L));
        foreach ((string objective, BridgeObjective what) in TensorBridge.Objectives)
            foreach (int i in new[] { 0, 1, 100, 197, 198, 199 })
                foreach (int clip in new[] { 0, 1 })
                {
                    string name = $"{objective}.i{i}.clip{clip}";
                    var bridge = new Bridge(BridgeSchedule.Bbdm(), what);
                    Tensor? noise = i == 199 ? null : vectors["noise"];
                    Tensor next = bridge.PSample(vectors[$"{name}.x0"], vectors["x_t"], steps[i], steps[i + 1], noise);
                    vectors.Check($"{name}.sample", next, 5 * Tolerance); // near the source float32 loses digits there
                }
    }

    [Theory]
    [InlineData("loop.grad.s10.eta1.0", BridgeObjective.Grad, 10, 1), InlineData("loop.grad.s10.eta0.0", BridgeObjective.Grad, 10, 0)]
    [InlineData("loop.ysubx.s6.eta1.0", BridgeObjective.SourceMinusImage, 6, 1)]
    public void Sample_equals_official_bbdm(string name, BridgeObjective objective, int evaluations, double eta)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_psample");
        var bridge = new Bridge(BridgeSchedule.Bbdm(), objective);
        int[] plan = StepPlan.BbdmLinear(bridge.Schedule, evaluations);
        var replay = new Replay(bridge, vectors["y"], vectors[$"{name}.x0s"], vectors[$"{name}.imgs"][1..]);
        replay.Run(new() { Eta = eta }, plan, step => vectors[$"{name}.noises"][Array.IndexOf(plan, step)]);
        Assert.Equal(vectors[$"{name}.steps"].ToArray<long>(), replay.TimesTold.Select(time => (long)time));
    }

    [Theory]
    [InlineData("i2sb_unet_uncond", "traj_sde", 1), InlineData("i2sb_unet_uncond", "traj_ot_ode", 0)]
    [InlineData("i2sb_unet_cond", "traj_sde", 1), InlineData("i2sb_unet_cond", "traj_ot_ode", 0)]
    public void Sample_equals_official_i2sb(string network, string name, double eta)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(network);
        var bridge = new Bridge(BridgeSchedule.Schrodinger(), BridgeObjective.ScaledGrad);
        int[] plan = StepPlan.Even(bridge.Schedule, 10);
        Assert.Equal(vectors["steps"].ToArray<long>().Reverse(), plan.Select(k => (long)k).Append(0));
        var replay = new Replay(bridge, vectors["x1"], InOrder("pred_x0"), InOrder("xs"));
        replay.Run(new() { Eta = eta }, plan, step => vectors["sde_noises"][Array.IndexOf(plan, step)]);
        Assert.Equal(plan.Select(k => bridge.Schedule.Times[k]), replay.TimesTold);

        // There the image comes first and the batch outermost.
        Tensor InOrder(string what) => vectors[$"{name}_{what}"].transpose(0, 1).flip([0]);
    }

    [Fact]
    public void Sample_mean_over_exit_steps_equals_official_mean()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_sampling");
        string[] runs = ["mean.te0", "mean.te3", "mean.te5"];
        (Tensor mean, Tensor deviation) = TensorBridge.Repeat(3, run => vectors[$"{runs[run]}.final"]);
        vectors.Check("mean_traj_0_3_5", mean, Tolerance);
        Vectors.Close(torch.stack([.. runs.Select(run => vectors[$"{run}.final"])]).std([0]), deviation, "deviation", Tolerance);
        (_, Tensor single) = TensorBridge.Repeat(1, _ => vectors["mean.te0.final"]);
        Assert.Equal(0, single.abs().max().item());
    }

    [Fact]
    public void Sample_invalid_plan_is_refused()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var sampler = new TensorSampler(new(BridgeSchedule.Staining(10), BridgeObjective.Grad), new());
        Tensor y = torch.zeros([1, 3, 2, 2]);
        foreach (int[] plan in new int[][] { [], [9, 5, 1], [10, 5, 6], [10, 5, 0] })
            Assert.Throws<ArgumentException>(() => sampler.Sample(y, plan, (x, _) => x, _ => y));
    }

    [Theory]
    [InlineData(BridgeSolver.Posterior), InlineData(BridgeSolver.Implicit), InlineData(BridgeSolver.Extrapolated)]
    public void Sample_observes_every_step_and_keeps_source(BridgeSolver solver)
    {
        float[] y = [1, 1, 1, 1];
        var seen = new List<float[]>();
        BridgeSchedule schedule = BridgeSchedule.Staining(20);
        float[] result = new BridgeSampler<float>(schedule, BridgeObjective.Grad, new() { Solver = solver })
            .Sample(y, StepPlan.Even(schedule, 5),
            (x, _) => Array.ConvertAll(x, value => value * 0.5f), _ => [1, 1, 1, 1], (_, state, _) => seen.Add(state));
        Assert.Equal(5, seen.Count);
        Assert.Equal(seen[^1], result);
        Assert.Equal([1, 1, 1, 1], y);
    }

    // Says what makes the sampler understand the recorded predictions, and holds its states against the recorded ones.
    private sealed class Replay(Bridge bridge, Tensor y, Tensor predictions, Tensor states)
    {
        public List<double> TimesTold { get; } = [];

        public Tensor Run(SamplingOptions options, int[] plan, Func<int, Tensor> noise)
        {
            var steps = new Queue<int>(plan);
            int seen = 0;
            Tensor result = new TensorSampler(bridge, options).Sample(y, plan, (x, time) =>
            {
                Tensor output = BridgeTests.Output(bridge, predictions[TimesTold.Count], x, y, [steps.Dequeue()]);
                TimesTold.Add(time);
                return output.to(x.dtype);
            }, noise, (_, state, prediction) =>
            {
                Vectors.Close(predictions[seen], prediction, $"prediction {seen}", Tolerance);
                Vectors.Close(states[seen], state, $"state {seen}", Tolerance);
                seen++;
            });
            Assert.Equal(states.size(0), seen);
            return result;
        }
    }
}
