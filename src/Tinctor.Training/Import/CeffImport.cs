using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Ceff;

namespace Tinctor.Training.Import;

/// <summary>Imports generators of the official CEFF repository.</summary>
internal static class CeffImport
{
    /// <summary>Imports a checkpoint such as latest_net_G.pth.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="statistics">"running" or "batch", see <see cref="InferenceConfig"/>.</param>
    /// <exception cref="TinctorException">The file contains no such generator.</exception>
    public static ImportedModel Read(string path, string statistics)
    {
        OrderedDictionary<string, Tensor> weights = ImportedModel.ReadWeights(path);
        if (!weights.TryGetValue("encoder.layers.0.1.weight", out Tensor? first)
            || !weights.TryGetValue("encoder_fusion.fc.weight", out Tensor? embedding))
            throw new TinctorException(path, $"no generator of CEFF; the first key is {weights.Keys.FirstOrDefault()}",
                "Name the generator's checkpoint, such as latest_net_G.pth");
        var config = new CeffConfig
        {
            Ngf = (int)first.size(0),
            FeatureDim = (int)embedding.size(0),
            Inference = new InferenceConfig { Statistics = statistics },
        };
        string[] unused = [.. weights.Keys.Where(key => key.StartsWith("encoder_IHC."))];
        foreach (string key in unused) weights.Remove(key);
        return ImportedModel.Create(path, "ceff", config, weights, $"CEFF with ngf {config.Ngf} and embeddings of {config.FeatureDim}",
            unused.Length == 0 ? [] : ["encoder_IHC was not imported; only the training loss uses it"]);
    }
}
