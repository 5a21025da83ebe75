namespace Tinctor.Torch.Tests;

/// <summary>Gradients by central differences in float64.</summary>
internal static class GradCheck
{
    private const double Step = 1e-6;

    /// <summary>The gradients of every input agree with differences of the function; the result may be complex.</summary>
    public static void Run(Func<Tensor[], Tensor> function, params Tensor[] inputs)
    {
        using var scope = torch.NewDisposeScope();
        Tensor[] leaves = Array.ConvertAll(inputs, input => input.clone().requires_grad_());
        using var random = new Generator().manual_seed(99);
        Tensor? weights = null;

        // Any one number made of all results; fixed random weights leave no error a place to hide.
        Tensor Number()
        {
            Tensor result = function(leaves);
            if (result.dtype == ScalarType.ComplexFloat64) result = torch.view_as_real(result);
            weights ??= torch.randn(result.shape, random, ScalarType.Float64);
            return (result * weights).sum();
        }

        Tensor[] gradients = torch.autograd.grad([Number()], leaves);
        using Guard quiet = torch.no_grad();
        for (int i = 0; i < leaves.Length; i++)
        {
            double[] differences = Differences(leaves[i], () => Number().item());
            double[] gradient = gradients[i].ToArray<double>();
            for (int k = 0; k < differences.Length; k++)
            {
                bool close = Math.Abs(differences[k] - gradient[k]) <= 1e-6 + (1e-5 * Math.Abs(gradient[k]));
                Assert.True(close, $"input {i}, element {k}: gradient {gradient[k]:G8}, difference {differences[k]:G8}");
            }
        }
    }

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
