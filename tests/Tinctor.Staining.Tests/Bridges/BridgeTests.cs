using Tinctor.Staining.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>States, targets, predictions and losses against the official implementations; gradients against differences.</summary>
public sealed class BridgeTests
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void States_and_targets_equal_official_staining_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_qsample_losses");
        var bridge = new Bridge(BridgeSchedule.Staining(official: true), BridgeObjective.Grad);
        Tensor x0 = vectors["x0"], y = vectors["y"], noise = vectors["noise"];
        int[] steps = Steps(vectors["t"]);
        Tensor x = bridge.QSample(x0, y, steps, noise);
        vectors.Check("x_t", x, Tolerance);
        vectors.Check("target", bridge.Target(x0, y, x, steps, noise), Tolerance);
        // There the posterior's numbers at index t are those of the step from t + 1 to t.
        for (int i = 0; i < steps.Length; i++)
        {
            Tensor mean = bridge.PSample(x0[i..(i + 1)], x[i..(i + 1)], steps[i] + 1, steps[i], noise: null);
            Vectors.Close(vectors["post_mean"][i..(i + 1)], mean, "post_mean", Tolerance);
            if (steps[i] > 0)
                Assert.Equal(vectors["post_var"][i].item(), bridge.Schedule.Posterior(steps[i] + 1, steps[i]).Variance, 1e-8);
        }
    }

    [Theory]
    [InlineData("linear", BridgeGrowth.Linear), InlineData("sin", BridgeGrowth.Exponential)]
    public void States_targets_predictions_and_losses_equal_official_bbdm(string name, BridgeGrowth growth)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_qsample_losses");
        Tensor x0 = vectors["x0"], y = vectors["y"], noise = vectors["noise"];
        int[] steps = [.. Steps(vectors["t"]).Select(t => t + 1)];
        foreach ((string objective, BridgeObjective what) in TensorBridge.Objectives)
        {
            var bridge = new Bridge(BridgeSchedule.Bbdm(growth: growth), what);
            Tensor x = bridge.QSample(x0, y, steps, noise), target = bridge.Target(x0, y, x, steps, noise);
            vectors.Check($"{name}.{objective}.x_t", x, Tolerance);
            vectors.Check($"{name}.{objective}.objective", target, Tolerance);
            // What the network said follows from the prediction that was made of it.
            Tensor output = Output(bridge, vectors[$"{name}.{objective}.x0_recon"], x, y, steps);
            vectors.Check($"{name}.{objective}.loss_l1", F.l1_loss(output, target), 1e-4);
            vectors.Check($"{name}.{objective}.loss_l2", F.mse_loss(output, target), 1e-4);
        }
    }

    [Fact]
    public void States_labels_predictions_and_posteriors_equal_official_i2sb()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_qp");
        var bridge = new Bridge(BridgeSchedule.Schrodinger(), BridgeObjective.ScaledGrad);
        Tensor x0 = vectors["x0"], x1 = vectors["x1"], noise = vectors["noise"];
        int[] steps = Steps(vectors["step"]);
        Tensor x = bridge.QSample(x0, x1, steps, noise), quiet = bridge.QSample(x0, x1, steps, null);
        vectors.Check("q_sample", x, Tolerance);
        vectors.Check("q_sample_ot_ode", quiet, Tolerance);
        vectors.Check("label", bridge.Target(x0, x1, x, steps, noise), 3 * Tolerance);
        vectors.Check("label_ot_ode", bridge.Target(x0, x1, quiet, steps, null), 3 * Tolerance);
        Tensor prediction = bridge.PredictX0(vectors["net_out"], x, x1, steps);
        vectors.Check("pred_x0", prediction, Tolerance);
        vectors.Check("pred_x0_clip", prediction.clamp(-1, 1), Tolerance);
        foreach ((int to, int from) in new[] { (0, 1), (0, 100), (250, 500), (899, 999), (998, 999) })
        {
            vectors.Check($"p_post_ot_{to}_{from}", bridge.PSample(x0, x, from, to, null), Tolerance);
            vectors.Check($"p_post_{to}_{from}", bridge.PSample(x0, x, from, to, to == 0 ? null : noise), 3 * Tolerance);
        }
    }

    [Fact]
    public void Training_example_and_loss_equal_official_i2sb()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_trainstep");
        var bridge = new Bridge(BridgeSchedule.Schrodinger(), BridgeObjective.ScaledGrad);
        int[] steps = Steps(vectors["step"]);
        Tensor x = bridge.QSample(vectors["x0"], vectors["x1"], steps, vectors["noise"]);
        Tensor target = bridge.Target(vectors["x0"], vectors["x1"], x, steps, vectors["noise"]);
        vectors.Check("xt", x, Tolerance);
        vectors.Check("label", target, 3 * Tolerance);
        vectors.Check("loss", F.mse_loss(vectors["pred"], target), Tolerance);
    }

    [Theory]
    [InlineData("staining", BridgeObjective.Grad), InlineData("bbdm", BridgeObjective.Noise)]
    [InlineData("half", BridgeObjective.SourceMinusImage), InlineData("schrodinger", BridgeObjective.ScaledGrad)]
    public void Objective_of_exact_prediction_recovers_image(string name, BridgeObjective objective)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(1);
        var bridge = new Bridge(BridgeScheduleTests.Named(name), objective);
        foreach (ScalarType type in new[] { ScalarType.Float32, ScalarType.Float64 })
        {
            Tensor x0 = torch.randn([4, 2, 3, 5], random, type), y = torch.randn([4, 2, 3, 5], random, type);
            Tensor noise = torch.randn([4, 2, 3, 5], random, type);
            foreach (int[] steps in new int[][] { [1, 37, 500, 990], [400] })
            {
                Tensor x = bridge.QSample(x0, y, steps, noise), target = bridge.Target(x0, y, x, steps, noise);
                Assert.Equal(type, target.dtype);
                Vectors.Close(x0, bridge.PredictX0(target, x, y, steps), "x0", type == ScalarType.Float64 ? 1e-13 : 1e-4);
            }
        }
    }

    [Theory]
    [InlineData("official", BridgeObjective.Grad), InlineData("bbdm", BridgeObjective.SourceMinusImage)]
    [InlineData("schrodinger", BridgeObjective.ScaledGrad)]
    public void Loss_has_gradients_of_image_and_source(string name, BridgeObjective objective)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(2);
        var bridge = new Bridge(BridgeScheduleTests.Named(name), objective);
        Tensor noise = Random();
        int[] steps = [20, 700];
        GradientCheck.Run(inputs =>
        {
            Tensor x = bridge.QSample(inputs[0], inputs[1], steps, noise);
            Tensor target = bridge.Target(inputs[0], inputs[1], x, steps, noise);
            return target * target + x;
        }, Random(), Random());

        Tensor Random() => torch.randn([2, 3, 2], random, ScalarType.Float64);
    }

    [Fact]
    public void Timestep_inputs_equal_official_codes()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Assert.Equal([0f, 300, 900], Times(BridgeSchedule.Staining(10, official: true), 0, 3, 9));
        Assert.Equal([0f, 436, 999], Times(BridgeSchedule.Bbdm(), 1, 437, 1000));
        Assert.Equal([0.1f, 1000], Times(BridgeSchedule.Schrodinger(), 0, 999));
        Assert.Equal(0..1000, BridgeSchedule.Staining(official: true).TrainingSteps);
        Assert.Equal(1..1001, BridgeSchedule.Staining().TrainingSteps);
        Assert.Equal(1..1001, BridgeSchedule.Bbdm().TrainingSteps);
        Assert.Equal(0..1000, BridgeSchedule.Schrodinger().TrainingSteps);

        static float[] Times(BridgeSchedule schedule, params int[] steps) =>
            new Bridge(schedule, BridgeObjective.Grad).Times(steps, Device.CPU).ToArray<float>();
    }

    [Fact]
    public void Objective_singular_at_either_end_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Bridge(BridgeSchedule.Staining(), BridgeObjective.Noise));
        Assert.Throws<ArgumentException>(() => new Bridge(BridgeSchedule.Staining(official: true), BridgeObjective.ScaledGrad));
    }

    /// <summary>What a network must have said to be understood as this prediction, in float64.</summary>
    internal static Tensor Output(Bridge bridge, Tensor prediction, Tensor x, Tensor y, int[] steps)
    {
        Tensor zero = torch.zeros_like(x, ScalarType.Float64), wide = x.to(ScalarType.Float64), source = y.to(ScalarType.Float64);
        // Predictions are affine in the output.
        Tensor at0 = bridge.PredictX0(zero, wide, source, steps), slope = bridge.PredictX0(zero + 1, wide, source, steps) - at0;
        return (prediction.to(ScalarType.Float64) - at0) / slope;
    }

    private static int[] Steps(Tensor t) => Array.ConvertAll(t.ToArray<long>(), step => (int)step);
}
