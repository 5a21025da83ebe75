using System.Text.Json.Nodes;
using Tinctor.Torch.Optim;

namespace Tinctor.Torch.Tests.Optim;

public class ExponentialMovingAverageTests
{
    // What the average of 1, 2, 3, ... must be, started at 0.
    private static double Expected(int updates, Func<int, double> decay)
    {
        double average = 0;
        for (int n = 1; n <= updates; n++) average += (1 - decay(n)) * (n - average);
        return average;
    }

    private static double Average(int updates, double decay, Func<long, double>? warm_up)
    {
        using Tensor weight = torch.zeros([1], ScalarType.Float64).requires_grad_();
        using var ema = new ExponentialMovingAverage([weight], decay, warm_up);
        for (int n = 1; n <= updates; n++)
        {
            using Guard quiet = torch.no_grad();
            weight.add_(1);
            ema.update();
        }
        ema.copy_to();
        return weight.item();
    }

    [Fact]
    public void Update_follows_formula()
    {
        Assert.Equal(Expected(50, _ => 0.9), Average(50, 0.9, null), 1e-12);
        Assert.Equal(Expected(50, n => Math.Min(0.6, (1.0 + n) / (10.0 + n))), Average(50, 0.6, ExponentialMovingAverage.Ratio), 1e-12);
        Assert.Equal(Expected(50, n => n == 1 ? 0 : Math.Min(0.9, 1 - Math.Pow(1 + ((n - 1) / 2.0), -0.75))),
            Average(50, 0.9, ExponentialMovingAverage.Power(2, 0.75)), 1e-12);
    }

    [Fact]
    public void Average_parameters_restores_parameters()
    {
        using Tensor weight = torch.zeros([2]).requires_grad_();
        using var ema = new ExponentialMovingAverage([weight], 0.5);
        using (torch.no_grad()) weight.fill_(4);
        ema.update();
        using (ema.average_parameters()) Assert.Equal([2f, 2], weight.ToArray<float>());
        Assert.Equal([4f, 4], weight.ToArray<float>());
        Assert.True(weight.requires_grad);
        Assert.Throws<InvalidOperationException>(ema.restore);
    }

    [Fact]
    public void Load_average_state_resumes()
    {
        using Tensor weight = torch.ones([2]).requires_grad_(), other = torch.zeros([2]).requires_grad_(), wrong = torch.zeros([3]);
        using var first = new ExponentialMovingAverage([weight], 0.9, ExponentialMovingAverage.Ratio);
        using var second = new ExponentialMovingAverage([other], 0.1, ExponentialMovingAverage.Ratio);
        using (torch.no_grad()) weight.fill_(4);
        first.update();
        OptimizerState state = first.state_dict();
        second.load_state_dict(new(state.tensors, JsonNode.Parse(state.numbers.ToJsonString())!.AsObject()));
        Assert.Equal((0.9, 1), (second.decay, second.num_updates));
        second.copy_to();
        Assert.Equal(state.tensors["0"].ToArray<float>(), other.ToArray<float>());
        using var misfit = new ExponentialMovingAverage([wrong], 0.9);
        Assert.Throws<TinctorException>(() => misfit.load_state_dict(state));
    }
}
