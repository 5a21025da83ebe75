using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Tests;

/// <summary>Gradients by central differences in float64.</summary>
internal static class GradientCheck
{
    private const double Step = 1e-6;

    /// <summary>The gradients of every input agree with differences of the function; the result may be complex.</summary>
    public static void Run(Func<Tensor[], Tensor> function, params Tensor[] inputs)
    {
        using var scope = torch.NewDisposeScope();
        Tensor[] leaves = Array.ConvertAll(inputs, input => input.clone().requires_grad_());
        Func<Tensor> number = OneNumber(() => function(leaves));
        Tensor[] gradients = torch.autograd.grad([number()], leaves);
        using Guard quiet = torch.no_grad();
        for (int i = 0; i < leaves.Length; i++)
        {
            double[] differences = Differences(leaves[i], () => number().item());
            double[] gradient = gradients[i].ToArray<double>();
            for (int k = 0; k < differences.Length; k++) Close(differences[k], gradient[k], $"input {i}, element {k}");
        }
    }

    /// <summary>
    /// The gradients of a float64 module's parameters agree with differences of a function of it, each parameter along one random
    /// direction.
    /// </summary>
    public static void Parameters(Module module, Func<Tensor> function)
    {
        using var scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(98);
        Func<Tensor> number = OneNumber(function);
        (string name, Tensor value)[] parameters = [.. module.named_parameters()];
        Tensor[] gradients = torch.autograd.grad([number()], [.. parameters.Select(parameter => parameter.value)]);
        using Guard quiet = torch.no_grad();
        foreach (((string name, Tensor value), Tensor gradient) in parameters.Zip(gradients))
        {
            using var temporaries = torch.NewDisposeScope();
            Tensor direction = torch.randn(value.shape, random, ScalarType.Float64);
            double slope = (gradient * direction).sum().item();
            double above = At(Step), below = At(-2 * Step);
            value.add_(direction, Step);
            Close((above - below) / (2 * Step), slope, name);

            double At(double step)
            {
                value.add_(direction, step);
                return number().item();
            }
        }
    }

    // Any one number made of all results; fixed random weights leave no error a place to hide.
    private static Func<Tensor> OneNumber(Func<Tensor> function)
    {
        Tensor? weights = null;
        return () =>
        {
            Tensor result = function();
            if (result.dtype == ScalarType.ComplexFloat64) result = torch.view_as_real(result);
            using var random = new Generator().manual_seed(99);
            weights ??= torch.randn(result.shape, random, ScalarType.Float64);
            return (result * weights).sum();
        };
    }

    private static void Close(double difference, double gradient, string what) =>
        Assert.True(Math.Abs(difference - gradient) <= 1e-6 + (1e-5 * Math.Abs(gradient)),
            $"{what}: gradient {gradient:G8}, difference {difference:G8}");

    private static double[] Differences(Tensor leaf, Func<double> number)
    {
        var differences = new double[leaf.numel()];
        for (int k = 0; k < differences.Length; k++)
        {
            using var scope = torch.NewDisposeScope();
            double at = leaf.data<double>()[k];
            leaf.data<double>()[k] = at + Step;
            double above = number();
            leaf.data<double>()[k] = at - Step;
            double below = number();
            leaf.data<double>()[k] = at;
            differences[k] = (above - below) / (2 * Step);
        }
        return differences;
    }
}
