using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Execution;
using Tinctor.Training.Files;
using Tinctor.Training.Methods;

namespace Tinctor.Training;

/// <summary>Writes trained networks as model folders and loads them for staining on libtorch.</summary>
public static class TrainedModel
{
    private const string LegacyNoveltyFile = "sources.safetensors";

    /// <summary>Writes a model folder. Weights are written last, so a folder with weights is complete.</summary>
    /// <param name="folder">The folder, created if needed.</param>
    /// <param name="config">Method and settings.</param>
    /// <param name="weights">State dictionary of the staining network.</param>
    /// <param name="card">Model card, Markdown.</param>
    /// <param name="novelty">Detector of unfamiliar sources; null for none.</param>
    /// <returns>Reason why the network was not exported to ONNX; null if it was.</returns>
    internal static string? Write(string folder, ModelConfig config, IReadOnlyDictionary<string, Tensor> weights, string card,
        SourceNovelty? novelty = null)
    {
        ModelFolder.Write(folder, Describe(config), novelty);
        AtomicFile.WriteText(Path.Combine(folder, ModelFolder.ConfigFile), ConfigFile.Write(config));
        AtomicFile.WriteText(Path.Combine(folder, ModelFolder.CardFile), card);
        SafeTensors.Save(Path.Combine(folder, ModelFolder.WeightsFile), weights,
            new Dictionary<string, string> { ["format"] = "pt", ["method"] = config.Method });
        try
        {
            Export(folder);
            return null;
        }
        catch (TinctorException e)
        {
            return e.Message;
        }
    }

    /// <summary>Exports a model folder, or the model of a run folder, to ONNX: model.onnx beside the weights.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="tile">
    /// Side of the only source size that the network takes, in pixels, in model-N.onnx; null for any size, in model.onnx.
    /// </param>
    /// <returns>Path of the network's file.</returns>
    /// <exception cref="TinctorException">
    /// The folder holds no model, or its network has an operator without a counterpart in ONNX.
    /// </exception>
    public static string Export(string folder, int? tile = null)
    {
        ModelConfig config = ReadConfig(folder);
        string model = ModelFolder.Resolve(folder);
        using DisposeScope scope = torch.NewDisposeScope();
        using Module<Tensor, Tensor> network = LoadNetwork(folder, config, Device.CPU);
        if (ModelFolder.Read(folder) is null) ModelFolder.Write(model, Describe(config), ReadNovelty(folder));
        return ModelExport.Write(model, config.Model, network, Describe(config), ModelFolder.Sha256(folder), tile);
    }

    /// <summary>Describes a model for staining.</summary>
    public static ModelDescription Describe(ModelConfig config) =>
        config.Model.Describe(config.Method) with { Direction = config.Direction, SourceStains = config.Stains?.Source };

    /// <summary>Reads the description of a model folder, or of the model of a run folder, of any version.</summary>
    /// <exception cref="TinctorException">The folder contains no model.</exception>
    public static ModelDescription ReadDescription(string folder) => ModelFolder.Read(folder) ?? Describe(ReadConfig(folder));

    /// <summary>Loads a model folder, or the model of a run folder, for staining.</summary>
    /// <exception cref="TinctorException">The folder contains no model, or its weights do not fit or are not finite.</exception>
    public static Stainer LoadStainer(string folder, Device device, bool amp = false)
    {
        ModelConfig config = ReadConfig(folder);
        Module<Tensor, Tensor> network = LoadNetwork(folder, config, device);
        TorchExecutor executor = CreateExecutor(network, config.Model, device, amp, owned: true);
        return new(executor, Describe(config), ModelFolder.Sha256(folder), ReadNovelty(folder));
    }

    /// <summary>Creates a stainer for a network in training; the caller keeps the ownership of the network.</summary>
    public static Stainer CreateStainer(Module<Tensor, Tensor> network, MethodConfig config, Device device, bool amp = false) =>
        new(CreateExecutor(network, config, device, amp, owned: false), config.Describe(""));

    /// <summary>Reads the configuration of a model folder, or of the model in a run folder.</summary>
    /// <exception cref="TinctorException">The folder contains no model.</exception>
    public static ModelConfig ReadConfig(string folder)
    {
        ModelFolder.RequireWeights(folder);
        return ConfigFile.LoadModel(Path.Combine(ModelFolder.Resolve(folder), ModelFolder.ConfigFile));
    }

    private static TorchExecutor CreateExecutor(Module<Tensor, Tensor> network, MethodConfig config, Device device, bool amp, bool owned) =>
        new(network, byBatch: config.Inference.Statistics == "batch", device, amp, owned, config.Stains.Count);

    private static Module<Tensor, Tensor> LoadNetwork(string folder, ModelConfig config, Device device)
    {
        Module<Tensor, Tensor> network = config.Model.CreateGenerator();
        string path = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.WeightsFile);
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> weights = SafeTensors.Load(path);
        FiniteWeights.Require(path, weights);
        try
        {
            network.load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            throw new TinctorException(path, $"the weights do not fit {ModelFolder.ConfigFile}: {e.Problem}", e.Remedy, e);
        }
        network.to(device);
        return network;
    }

    // Model folders of older versions keep the detector as tensors.
    private static SourceNovelty? ReadNovelty(string folder)
    {
        string path = Path.Combine(ModelFolder.Resolve(folder), LegacyNoveltyFile);
        if (ModelFolder.ReadNovelty(folder) is { } novelty) return novelty;
        if (!File.Exists(path)) return null;
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> tensors = SafeTensors.Load(path);
        if (!tensors.TryGetValue("mean", out Tensor? mean) || !tensors.TryGetValue("precision", out Tensor? precision)
            || !tensors.TryGetValue("limit", out Tensor? limit))
            throw new TinctorException(path, "the file is damaged", "Remove it to stain without detection of unfamiliar sources");
        return new(Numbers(mean), Numbers(precision), limit.item());

        static double[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float64).contiguous().ToArray<double>();
    }
}
