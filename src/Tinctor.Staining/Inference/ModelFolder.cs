using Tinctor.Staining.Training;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;

namespace Tinctor.Staining.Inference;

/// <summary>A model on disk: model.safetensors, config.yaml and README.md, the model card.</summary>
public static class ModelFolder
{
    private const string Weights = "model.safetensors", Config = "config.yaml", Card = "README.md", Sources = "sources.safetensors";

    /// <summary>Writes a model folder; the weights come last, so that a folder with weights is whole.</summary>
    /// <param name="folder">The folder, made if need be.</param>
    /// <param name="config">The method and its settings.</param>
    /// <param name="weights">The staining network's state dictionary.</param>
    /// <param name="card">The model card, Markdown.</param>
    /// <param name="novelty">What training sources look like, where known.</param>
    public static void Write(string folder, ModelConfig config, IReadOnlyDictionary<string, Tensor> weights, string card,
        SourceNovelty? novelty = null)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, Config), ConfigFile.Write(config));
        AtomicFile.WriteText(Path.Combine(folder, Card), card);
        novelty?.Save(Path.Combine(folder, Sources));
        SafeTensors.Save(Path.Combine(folder, Weights), weights,
            new Dictionary<string, string> { ["format"] = "pt", ["method"] = config.Method });
    }

    /// <summary>Reads a model folder, or the model of a run folder, onto a device.</summary>
    /// <exception cref="TinctorException">The folder is no model, or its weights do not fit its configuration.</exception>
    public static (ModelConfig config, Module<Tensor, Tensor> network) Read(string folder, Device device)
    {
        ModelConfig config = ReadConfig(folder);
        Module<Tensor, Tensor> network = config.Model.CreateGenerator();
        Load(network, Path.Combine(ModelIn(folder), Weights));
        network.to(device);
        return (config, network);
    }

    /// <summary>Reads what the model of a model folder, or of a run folder, is.</summary>
    /// <exception cref="TinctorException">The folder is no model.</exception>
    public static ModelConfig ReadConfig(string folder)
    {
        folder = ModelIn(folder);
        foreach (string file in new[] { Config, Weights })
        {
            if (!File.Exists(Path.Combine(folder, file)))
                throw new TinctorException($"{folder}: is no model folder, it has no {file}; "
                    + "a finished training run has one in model/, and 'tinctor import' makes one from a checkpoint");
        }
        return ConfigFile.LoadModel(Path.Combine(folder, Config));
    }

    /// <summary>What the model's training sources look like; null where it is not known.</summary>
    /// <exception cref="TinctorException">The file is damaged.</exception>
    public static SourceNovelty? ReadNovelty(string folder) => SourceNovelty.Load(Path.Combine(ModelIn(folder), Sources));

    /// <summary>SHA-256 of a model's weights, in hexadecimal.</summary>
    public static string Sha256(string folder) => SupervisedModel.HashOf(Path.Combine(ModelIn(folder), Weights));

    // A run folder holds its finished model in model/.
    private static string ModelIn(string folder) =>
        File.Exists(Path.Combine(folder, "model", Weights)) ? Path.Combine(folder, "model") : folder;

    private static void Load(Module<Tensor, Tensor> network, string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        try
        {
            network.load_state_dict(SafeTensors.Load(path));
        }
        catch (TinctorException e)
        {
            throw new TinctorException($"{path}: does not fit its config.yaml: {e.Message}");
        }
    }
}
