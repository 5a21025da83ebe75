using Tinctor.Staining.Bridges;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>Bridges trained from nothing on a small problem.</summary>
[Collection(Alone.Name)]
public sealed class ToyBridgeTests
{
    private const int Batch = 256;

    [Theory]
    [InlineData("staining", BridgeObjective.Grad), InlineData("bbdm", BridgeObjective.Grad)]
    [InlineData("schrodinger", BridgeObjective.ScaledGrad)]
    public void Trained_bridge_reaches_both_points(string name, BridgeObjective objective)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var bridge = new Bridge(BridgeScheduleTests.Named(name), objective);
        using Sequential network = Train(bridge);
        Tensor y = Sources(4000);
        foreach (BridgeSolver solver in Enum.GetValues<BridgeSolver>())
        {
            int[] plan = StepPlan.Angular(bridge.Schedule, solver == BridgeSolver.Posterior ? 100 : 20);
            Tensor result = new TensorSampler(bridge, new() { Solver = solver }).Sample(y, plan,
                (x, time) => network.forward(Seen(x, torch.full([x.size(0)], time))), _ => torch.randn(y.shape));
            Assert.Equal(0.5, (result > 0).@float().mean().item(), 0.1);
            Assert.InRange(((result.abs() - 1).abs() < 0.25).@float().mean().item(), 0.9, 1);
        }
    }

    // x0 is 1 or -1, whatever the source.
    private static Sequential Train(Bridge bridge)
    {
        var network = new Sequential(new Linear(3, 64), new SiLU(), new Linear(64, 64), new SiLU(), new Linear(64, 1));
        using var optimizer = new Adam(network.parameters(), lr: 3e-3);
        var random = new Random(1);
        (int first, int count) = bridge.Schedule.TrainingSteps.GetOffsetAndLength(bridge.Schedule.Last + 1);
        for (int i = 0; i < 1200; i++)
        {
            using DisposeScope step = torch.NewDisposeScope();
            int[] steps = [.. Enumerable.Range(0, Batch).Select(_ => first + random.Next(count))];
            Tensor x0 = torch.randn([Batch, 1]).sign(), y = Sources(Batch), noise = torch.randn([Batch, 1]);
            Tensor x = bridge.QSample(x0, y, steps, noise), target = bridge.Target(x0, y, x, steps, noise);
            optimizer.zero_grad();
            F.mse_loss(network.forward(Seen(x, bridge.Times(steps, Device.CPU))), target).backward();
            optimizer.step();
        }
        return network;
    }

    private static Tensor Sources(int count) => torch.randn([count, 1]) * 0.3;

    // The state and two views of the time, which is 0 to 1000.
    private static Tensor Seen(Tensor x, Tensor time)
    {
        Tensor share = time.view(-1, 1) / 1000;
        return torch.cat([x, share, share.clamp(min: 0).sqrt()], 1);
    }
}
