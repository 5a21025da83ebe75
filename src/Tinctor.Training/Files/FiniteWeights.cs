using Tinctor.Torch;

namespace Tinctor.Training.Files;

/// <summary>Check of weights read from files.</summary>
internal static class FiniteWeights
{
    /// <summary>Checks that all weights are finite numbers.</summary>
    /// <param name="path">File of the weights.</param>
    /// <param name="weights">Weights by name.</param>
    /// <exception cref="TinctorException">A weight is NaN or infinite; the message names the tensor.</exception>
    public static void Require(string path, IReadOnlyDictionary<string, Tensor> weights)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        foreach ((string key, Tensor weight) in weights)
        {
            // x - x is 0 for finite numbers and NaN for others.
            if (weight.is_floating_point() && weight.numel() > 0 && (weight - weight).abs().max().item() is not 0)
                throw new TinctorException(path, $"the weight {key} contains values that are not finite numbers",
                    "Use an earlier checkpoint");
        }
    }
}
