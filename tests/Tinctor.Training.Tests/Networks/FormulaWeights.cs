using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Weights by tests/vectors/formula.py, and its check of names and shapes.</summary>
internal static class FormulaWeights
{
    /// <summary>Gives every tensor of the state dictionary the numbers of the formula, by its place.</summary>
    public static T Fill<T>(T network) where T : Module
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach ((int number, (string name, Tensor value)) in network.state_dict().Index())
        {
            if (name.EndsWith("num_batches_tracked")) continue;
            double fan = value.ndim > 1 ? value.numel() / value.size(0) : 0;
            var numbers = new double[value.numel()];
            for (int i = 0; i < numbers.Length; i++)
            {
                double s = Math.Sin((12.9898 * i) + number);
                numbers[i] = fan > 0 ? s * 1.4 / Math.Sqrt(fan)
                    : name.EndsWith("weight") || name.EndsWith("running_var") ? 1 + (0.2 * s) : 0.1 * s;
            }
            value.copy_(torch.tensor(numbers, value.shape));
        }
        return network;
    }

    /// <summary>The state dictionary as .keys files have it: a line a tensor, name and shape.</summary>
    public static IEnumerable<string> Keys(Module network) =>
        network.state_dict().Select(pair => $"{pair.Key} {string.Join(',', pair.Value.shape)}");

    /// <summary>sin(speed * place), float64.</summary>
    public static Tensor Wave(double speed, params long[] shape) =>
        torch.tensor([.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(i => Math.Sin(speed * i))], shape);
}
