using System.Text.Json.Nodes;
using Tinctor.Tests;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Serialization;

namespace Tinctor.Torch.Tests.Optim;

public class LRSchedulerTests
{
    private static SGD Optimiser(double lr = 0.3) => new([torch.zeros([1]).requires_grad_()], lr);

    private static double[] Expected(string name)
    {
        using var scope = torch.NewDisposeScope();
        return SafeTensors.Load(Vectors.Path("schedules.safetensors"))[name].ToArray<double>();
    }

    private static List<double> Rates<T>(Optimizer optimiser, T schedule, int epochs, Action<T, int> step)
    {
        var rates = new List<double>();
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            rates.Add(optimiser.param_groups[0].lr);
            step(schedule, epoch);
        }
        return rates;
    }

    private static void AssertRates(double[] expected, List<double> rates) =>
        Assert.All(expected.Zip(rates), pair => Assert.Equal(pair.First, pair.Second, 1e-14));

    [Fact]
    public void Step_and_cosine_schedules_equal_PyTorch()
    {
        using SGD a = Optimiser(), b = Optimiser();
        AssertRates(Expected("step"), Rates(a, new StepLR(a, 7, 0.5), 30, (schedule, _) => schedule.step()));
        AssertRates(Expected("cosine_warmup"), Rates(b, new CosineWarmupLR(b, 5, 28), 30, (schedule, _) => schedule.step()));
    }

    [Fact]
    public void ReduceLROnPlateau_equals_PyTorch()
    {
        double[] metrics = Expected("metrics");
        using SGD a = Optimiser(), b = Optimiser();
        var min = new ReduceLROnPlateau(a, patience: 2, factor: 0.5);
        AssertRates(Expected("plateau"), Rates(a, min, 30, (schedule, epoch) => schedule.step(metrics[epoch])));
        var max = new ReduceLROnPlateau(b, "max", patience: 1, cooldown: 2, threshold: 0.5, threshold_mode: "abs", min_lr: 0.001);
        AssertRates(Expected("plateau_max"), Rates(b, max, 30, (schedule, epoch) => schedule.step(metrics[epoch])));
    }

    [Theory]
    [InlineData(100, 100), InlineData(60, 40), InlineData(30, 10)]
    public void LinearDecayLR_equals_pix2pix(int constant, int decaying)
    {
        using var scope = torch.NewDisposeScope();
        Tensor rates32 = SafeTensors.Load(TestVectors.Path("p2p_lr_linear/io.safetensors"))[$"lr_{constant}_{decaying}"];
        double[] expected = rates32.@double().ToArray<double>();
        using SGD end = Optimiser(2e-4), start = Optimiser(2e-4);
        List<double> rates = Rates(end, new LinearDecayLR(end, constant, decaying), expected.Length, (schedule, _) => schedule.step());
        Assert.All(expected.Zip(rates), pair => Assert.Equal(pair.First, pair.Second, 1e-10));

        // Stepped at the start of an epoch, everything happens one epoch earlier.
        var schedule = new LinearDecayLR(start, constant, decaying);
        for (int epoch = 1; epoch < expected.Length; epoch++)
        {
            schedule.step();
            Assert.Equal(expected[epoch], start.param_groups[0].lr, 1e-10);
        }
    }

    [Fact]
    public void Load_schedule_state_resumes()
    {
        double[] metrics = Expected("metrics");
        using SGD a = Optimiser(), b = Optimiser();
        ReduceLROnPlateau first = new(a, patience: 2, factor: 0.5), second = new(b, patience: 2, factor: 0.5);
        Rates(a, first, 7, (schedule, epoch) => schedule.step(metrics[epoch]));
        second.load_state_dict(JsonNode.Parse(first.state_dict().ToJsonString())!.AsObject());
        b.load_state_dict(a.state_dict());
        Assert.Equal(Rates(a, first, 20, (schedule, epoch) => schedule.step(metrics[7 + epoch])),
            Rates(b, second, 20, (schedule, epoch) => schedule.step(metrics[7 + epoch])));

        using SGD c = Optimiser(), d = Optimiser();
        StepLR third = new(c, 3), fourth = new(d, 3);
        Rates(c, third, 5, (schedule, _) => schedule.step());
        d.load_state_dict(c.state_dict());
        // Made after the optimiser was restored, it must still start from the first learning rate.
        fourth = new StepLR(d, 3);
        fourth.load_state_dict(third.state_dict());
        d.load_state_dict(c.state_dict());
        Assert.Equal(Rates(c, third, 9, (schedule, _) => schedule.step()), Rates(d, fourth, 9, (schedule, _) => schedule.step()));
    }
}
