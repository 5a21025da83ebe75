using Tinctor.Tests;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;

namespace Tinctor.Torch.Tests;

[Collection(Alone.Name)]
public class MemoryTests
{
    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
    }

    // A leak grows in every round; the runtime itself may grow in one.
    private static void AssertFlat(int iterations, Action iteration)
    {
        for (int i = 0; i < iterations / 4; i++) iteration();
        var growth = new List<string>();
        for (int round = 0; round < 3; round++)
        {
            long before = Resident();
            for (int i = 0; i < iterations; i++) iteration();
            long after = Resident();
            if (after <= before * 1.02) return;
            growth.Add($"from {before >> 10} KiB to {after >> 10} KiB");
        }
        Assert.Fail($"resident memory went {string.Join(", ", growth)}");
    }

    [Fact]
    public void Train_ten_thousand_steps_keeps_memory_constant()
    {
        torch.manual_seed(0);
        using var net = new Sequential(
            new ReflectionPad2d(1), new Conv2d(3, 8, 3), new BatchNorm2d(8), new ReLU(true),
            new SpectralNorm(new Conv2d(8, 1, 3, padding: 1)));
        using var adam = new Adam(net.parameters(), lr: 1e-3);
        using var average = new ExponentialMovingAverage(net.parameters(), 0.99);
        double last = 0;
        AssertFlat(10_000, () =>
        {
            using var scope = torch.NewDisposeScope();
            Tensor x = torch.randn([1, 3, 12, 12]);
            adam.zero_grad();
            Tensor loss = F.mse_loss(net.forward(x), x.mean([1], keepdim: true));
            loss.backward();
            utils.clip_grad_norm_(net.parameters(), 1);
            adam.step();
            average.update();
            last = loss.item();
        });
        Assert.InRange(last, 0, 0.2);
    }

    [Fact]
    public void Operator_ten_thousand_failing_calls_keep_memory_constant()
    {
        using Tensor a = torch.zeros([64, 64]), b = torch.zeros([63, 64]);
        using var conv = new Conv2d(3, 4, 3);
        var sort = new Operator("aten::sort");
        AssertFlat(10_000, () =>
        {
            using var scope = torch.NewDisposeScope();
            Assert.Throws<TorchException>(() => a.matmul(b));
            Assert.Throws<TorchException>(() => torch.cat([a, b], 1));
            Assert.Throws<TorchException>(() => a[70]);
            Assert.Throws<TorchException>(() => conv.forward(a));
            Assert.Throws<TorchException>(() => sort.Call(a));
        });
    }

    [Fact]
    public void Collector_frees_undisposed_tensors()
    {
        AssertFlat(400, () =>
        {
            for (int i = 0; i < 10; i++) torch.zeros([256, 256]);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        });
    }
}
