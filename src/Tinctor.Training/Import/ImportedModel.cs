using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Methods;

namespace Tinctor.Training.Import;

/// <summary>A generator of an official repository, its architecture read off its weights.</summary>
/// <param name="Config">The model's configuration.</param>
/// <param name="Weights">The state dictionary, without what the network does not use.</param>
/// <param name="Description">The architecture in words.</param>
/// <param name="Notes">What was left out of the checkpoint, and why.</param>
public sealed record ImportedModel(ModelConfig Config, IReadOnlyDictionary<string, Tensor> Weights, string Description,
    IReadOnlyList<string> Notes)
{
    /// <summary>The state dictionary of a .pth file, without the prefix that nn.DataParallel puts before every key.</summary>
    internal static OrderedDictionary<string, Tensor> ReadWeights(string path)
    {
        const string parallel = "module.";
        OrderedDictionary<string, Tensor> weights = PthReader.LoadStateDict(path);
        return weights.Keys.All(key => key.StartsWith(parallel))
            ? new(weights.Select(pair => KeyValuePair.Create(pair.Key[parallel.Length..], pair.Value)))
            : weights;
    }

    /// <summary>Checks that weights are finite and fit the network that they seem to be of.</summary>
    /// <exception cref="TinctorException">They are not, or do not; the message names a weight.</exception>
    internal static ImportedModel Create(string path, string method, MethodConfig config, IReadOnlyDictionary<string, Tensor> weights,
        string description, IReadOnlyList<string> notes)
    {
        FiniteWeights.Require(path, weights);
        try
        {
            using Module<Tensor, Tensor> network = config.CreateGenerator();
            network.load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            throw new TinctorException($"{path}: looks like {description}, but {e.Message}");
        }
        return new(new ModelConfig { Method = method, Model = config }, weights, description, notes);
    }
}
