using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Methods;

namespace Tinctor.Training.Import;

/// <summary>Generator imported from a checkpoint of an official repository; its architecture is inferred from the weights.</summary>
/// <param name="Config">Configuration of the model.</param>
/// <param name="Weights">State dictionary of the generator.</param>
/// <param name="Description">Description of the architecture.</param>
/// <param name="Notes">Notes for the user, such as weights that were not imported.</param>
internal sealed record ImportedModel(ModelConfig Config, IReadOnlyDictionary<string, Tensor> Weights, string Description,
    IReadOnlyList<string> Notes)
{
    /// <summary>Reads the state dictionary of a .pth file and removes the key prefix of nn.DataParallel.</summary>
    internal static OrderedDictionary<string, Tensor> ReadWeights(string path)
    {
        const string parallel = "module.";
        OrderedDictionary<string, Tensor> weights = PthReader.LoadStateDict(path);
        return weights.Keys.All(key => key.StartsWith(parallel))
            ? new(weights.Select(pair => KeyValuePair.Create(pair.Key[parallel.Length..], pair.Value)))
            : weights;
    }

    /// <summary>Creates the model after a check that its weights are finite and fit the inferred network.</summary>
    /// <exception cref="TinctorException">They are not finite or do not fit; the message names a weight.</exception>
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
            throw new TinctorException(path, $"the architecture appears to be {description}, but {e.Problem}", null, e);
        }
        return new(new ModelConfig { Method = method, Model = config }, weights, description, notes);
    }
}
