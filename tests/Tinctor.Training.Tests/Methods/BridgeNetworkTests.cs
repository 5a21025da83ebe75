using Tinctor.Staining.Bridges;
using Tinctor.Staining.Tests.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Optim;
using Tinctor.Training.Bridges;
using Tinctor.Training.Networks;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

/// <summary>Bridge and network together against the official implementations: trajectories, losses, gradients, a training step.</summary>
public sealed class BridgeNetworkTests
{
    private const double Tolerance = 1e-5, GradientTolerance = 1e-4;

    [Theory]
    [InlineData("full.clip0", SamplingStrategy.Vanilla, 0), InlineData("full.clip1", SamplingStrategy.Vanilla, 0)]
    [InlineData("mean.te3", SamplingStrategy.Mean, 3), InlineData("mean.te10", SamplingStrategy.Mean, 10)]
    [InlineData("skip.te5", SamplingStrategy.Skip, 5), InlineData("skip.te9", SamplingStrategy.Skip, 9)]
    public void Sample_equals_official_staining_code(string name, SamplingStrategy strategy, int exit)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_sampling");
        using DiffusionUnet network = DiffusionUnetTests.Official(Vectors.Read("yijie_unet"), "yijie_unet");
        var bridge = new Bridge(BridgeSchedule.Staining(10, official: true), BridgeObjective.Grad);
        Tensor[] predictions = [.. Sample(bridge, network, vectors["y"], vectors["y"],
            new() { Strategy = strategy, ExitStep = exit, Clip = name == "full.clip1" }, StepPlan.All(bridge.Schedule), vectors["noises"])
            .Select(step => step.Prediction)];
        vectors.Check($"{name}.pred_xstart", torch.stack(predictions), Tolerance);
    }

    [Theory]
    [InlineData("loop.grad.s10.eta1.0", BridgeObjective.Grad, 10, 1), InlineData("loop.grad.s10.eta0.0", BridgeObjective.Grad, 10, 0)]
    [InlineData("loop.ysubx.s6.eta1.0", BridgeObjective.SourceMinusImage, 6, 1)]
    public void Sample_equals_official_bbdm(string name, BridgeObjective objective, int evaluations, double eta)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_psample");
        using DiffusionUnet network = BbdmNetwork();
        var bridge = new Bridge(BridgeSchedule.Bbdm(), objective);
        List<(Tensor State, Tensor Prediction)> steps = Sample(bridge, network, vectors["y"], vectors["y"], new() { Eta = eta },
            StepPlan.BbdmLinear(bridge.Schedule, evaluations), vectors[$"{name}.noises"]);
        vectors.Check($"{name}.x0s", torch.stack([.. steps.Select(step => step.Prediction)]), Tolerance);
        Vectors.Close(vectors[$"{name}.imgs"][1..], torch.stack([.. steps.Select(step => step.State)]), "imgs", Tolerance);
    }

    [Theory]
    [InlineData("i2sb_unet_uncond", "traj_sde", 1), InlineData("i2sb_unet_cond", "traj_sde", 1)]
    [InlineData("i2sb_unet_uncond", "traj_ot_ode", 0), InlineData("i2sb_unet_cond", "traj_ot_ode", 0)]
    [InlineData("i2sb_unet_uncond", "traj_ot_ode_clip", 0), InlineData("i2sb_unet_cond", "traj_ot_ode_clip", 0)]
    public void Sample_equals_official_i2sb(string name, string trajectory, double eta)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using DiffusionUnet network = DiffusionUnetTests.Official(vectors, name);
        var bridge = new Bridge(BridgeSchedule.Schrodinger(), BridgeObjective.ScaledGrad);
        Tensor source = vectors["x1"];
        List<(Tensor State, Tensor Prediction)> steps = Sample(bridge, network, source, name == "i2sb_unet_cond" ? source : null,
            new() { Eta = eta, Clip = trajectory.EndsWith("clip") }, StepPlan.Even(bridge.Schedule, 10), vectors["sde_noises"]);
        Vectors.Close(vectors[$"{trajectory}_xs"][0], Reversed(steps.Select(step => step.State)), "states", Tolerance);
        if (vectors.Keys.Contains($"{trajectory}_pred_x0"))
            Vectors.Close(vectors[$"{trajectory}_pred_x0"][0], Reversed(steps.Select(step => step.Prediction)), "predictions", Tolerance);

        static Tensor Reversed(IEnumerable<Tensor> images) => torch.cat([.. images.Reverse()]);
    }

    [Fact]
    public void Loss_and_gradient_equal_official_staining_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_qsample_losses");
        using DiffusionUnet network = DiffusionUnetTests.Official(Vectors.Read("yijie_unet"), "yijie_unet");
        var bridge = new Bridge(BridgeSchedule.Staining(official: true), BridgeObjective.Grad);
        (Tensor output, Tensor target, _) = Train(bridge, network, vectors, Steps(vectors, 0), vectors["y"]);
        Tensor losses = (output - target).square().mean([1, 2, 3]);
        vectors.Check("loss_per_sample", losses, Tolerance);
        losses.mean().backward();
        vectors.Check("grad.out.2.weight", Gradient(network), GradientTolerance);
    }

    [Theory]
    [InlineData("linear", BridgeGrowth.Linear), InlineData("sin", BridgeGrowth.Exponential)]
    public void Losses_predictions_and_gradients_equal_official_bbdm(string growth, BridgeGrowth kind)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("bbdm_qsample_losses");
        foreach ((string objective, BridgeObjective what) in TensorBridge.Objectives)
        {
            using DiffusionUnet network = BbdmNetwork();
            var bridge = new Bridge(BridgeSchedule.Bbdm(growth: kind), what);
            int[] steps = Steps(vectors, 1);
            (Tensor output, Tensor target, Tensor x) = Train(bridge, network, vectors, steps, vectors["y"]);
            string name = $"{growth}.{objective}";
            // Near the source, noise tells the image a thousandfold enlarged; there float32 has three digits less.
            double tolerance = what == BridgeObjective.Noise ? 1e-4 : Tolerance;
            vectors.Check($"{name}.x0_recon", bridge.PredictX0(output, x, vectors["y"], steps), tolerance);
            vectors.Check($"{name}.loss_l2", F.mse_loss(output, target), Tolerance);
            Tensor loss = F.l1_loss(output, target);
            vectors.Check($"{name}.loss_l1", loss, Tolerance);
            loss.backward();
            if (kind == BridgeGrowth.Linear) vectors.Check($"{name}.grad_denoise_fn.out.2.weight", Gradient(network), GradientTolerance);
        }
    }

    [Fact]
    public void Training_step_equals_official_i2sb()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_trainstep");
        using DiffusionUnet network = DiffusionUnetTests.Official(Vectors.Read("i2sb_unet_uncond"), "i2sb_unet_uncond");
        using var optimizer = new AdamW(network.parameters(), lr: 5e-5, weight_decay: 0);
        var bridge = new Bridge(BridgeSchedule.Schrodinger(), BridgeObjective.ScaledGrad);
        int[] steps = Array.ConvertAll(vectors["step"].ToArray<long>(), step => (int)step);
        Tensor x = bridge.QSample(vectors["x0"], vectors["x1"], steps, vectors["noise"]);
        Tensor output = network.forward(x, bridge.Times(steps, Device.CPU), null);
        vectors.Check("pred", output, Tolerance);
        Tensor loss = F.mse_loss(output, bridge.Target(vectors["x0"], vectors["x1"], x, steps, vectors["noise"]));
        vectors.Check("loss", loss, Tolerance);
        loss.backward();
        vectors.Check("grad.out.2.weight", Gradient(network), GradientTolerance);
        vectors.Check("grad.input_blocks.0.0.weight", Gradient(network, "input_blocks.0.0.weight"), GradientTolerance);
        optimizer.step();
        foreach (string key in new[] { "out.2.weight", "input_blocks.0.0.weight" })
            vectors.Check($"after.{key}", network.state_dict()[key], Tolerance);
    }

    private static DiffusionUnet BbdmNetwork() => DiffusionUnetTests.Official(Vectors.Read("bbdm_unet"), "bbdm_unet", "denoise_fn.");

    private static int[] Steps(Vectors vectors, int offset) => Array.ConvertAll(vectors["t"].ToArray<long>(), t => (int)t + offset);

    private static (Tensor Output, Tensor Target, Tensor State) Train(Bridge bridge, DiffusionUnet network, Vectors vectors, int[] steps,
        Tensor y)
    {
        Tensor x = bridge.QSample(vectors["x0"], y, steps, vectors["noise"]);
        return (network.forward(x, bridge.Times(steps, Device.CPU), y), bridge.Target(vectors["x0"], y, x, steps, vectors["noise"]), x);
    }

    private static Tensor Gradient(DiffusionUnet network, string key = "out.2.weight") =>
        network.named_parameters().ToDictionary()[key].grad!;

    // States and predictions of every step, with the k-th noise for the k-th.
    private static List<(Tensor State, Tensor Prediction)> Sample(Bridge bridge, DiffusionUnet network, Tensor y, Tensor? condition,
        SamplingOptions options, int[] plan, Tensor noises)
    {
        var seen = new List<(Tensor, Tensor)>();
        new TensorSampler(bridge, options).Sample(y, plan, (x, time) => network.forward(x, torch.full([1], time), condition),
            step => noises[Array.IndexOf(plan, step)], (_, state, prediction) => seen.Add((state.clone(), prediction.clone())));
        return seen;
    }
}
