using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Files;

namespace Tinctor.Training.Supervised;

/// <summary>Model folder of a supervised task: weights in model.safetensors and a description in card.json.</summary>
internal static class SupervisedModel
{
    private const string Weights = "model.safetensors", Card = "card.json";
    private static readonly JsonSerializerOptions Format = new(JsonFormat.Readable)
    {
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes a model folder. Weights are written last, so a folder with weights is complete.</summary>
    public static void Write<TCard>(string folder, TCard card, Module network) where TCard : SupervisedCard
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, Card), JsonSerializer.Serialize(card, Format) + "\n");
        SafeTensors.Save(Path.Combine(folder, Weights), network.state_dict(),
            new Dictionary<string, string> { ["format"] = "pt", ["kind"] = card.Kind });
    }

    /// <summary>Exports the network of a complete model folder to ONNX files beside the weights.</summary>
    /// <param name="folder">Model folder.</param>
    /// <param name="network">The network, in evaluation mode.</param>
    /// <param name="files">The files.</param>
    /// <returns>Reason why the network was not exported; null if it was.</returns>
    public static string? Export(string folder, Module network, IReadOnlyList<OnnxExport> files)
    {
        (string kind, string sha256) = (KindOf(folder)!, Sha256(folder));
        try
        {
            foreach (OnnxExport file in files)
            {
                ModelProto model = OnnxExporter.Export(network, file.Function,
                    new Dictionary<string, string>(file.Metadata) { ["task"] = kind, ["weights_sha256"] = sha256 });
                AtomicFile.Write(Path.Combine(folder, file.Name), stream => model.WriteTo(stream));
            }
            return null;
        }
        catch (Exception e) when (e is TinctorException or TorchException)
        {
            return e.Message.Split('\n')[0];
        }
    }

    /// <summary>Opens an ONNX file of the folder's weights.</summary>
    /// <param name="folder">Model folder, or run folder.</param>
    /// <param name="file">File name.</param>
    /// <param name="device">Device of the computation.</param>
    /// <param name="outputs">Outputs of the network.</param>
    /// <returns>The network; null if the folder has no such file of these weights, or ONNX Runtime does not support the device.</returns>
    /// <exception cref="TinctorException">The file is damaged, or has other outputs.</exception>
    public static OnnxNetwork? OpenOnnx(string folder, string file, Device device, params string[] outputs)
    {
        if (OnnxTensors.DeviceFor(device) is not { } onnxDevice) return null;
        try
        {
            return OnnxNetwork.OpenExported(Path.Combine(ModelIn(folder), file), Sha256(folder), outputs, onnxDevice);
        }
        catch (TinctorException e)
        {
            throw new TinctorException(e.File, e.Problem, $"Delete the file; the network then runs from {Weights}", e);
        }
    }

    /// <summary>Reads the card in a model folder, or of the model in a run folder.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="kind">Required kind of the model, such as "classifier".</param>
    /// <exception cref="TinctorException">The folder contains no model of this kind.</exception>
    public static TCard ReadCard<TCard>(string folder, string kind) where TCard : SupervisedCard
    {
        string? actual = KindOf(folder)
            ?? throw new TinctorException(folder, $"the folder contains no {kind}: {Card} or {Weights} is missing",
                $"Train a {kind} first");
        return actual == kind ? ReadCard<TCard>(folder)
            : throw new TinctorException(folder, $"the model is a {actual}, expected a {kind}", $"Name the folder of a {kind}");
    }

    /// <summary>Reads the kind of the model in a folder from its card; null if there is none.</summary>
    /// <exception cref="TinctorException">The card cannot be read.</exception>
    public static string? KindOf(string folder) =>
        File.Exists(CardOf(folder)) && File.Exists(WeightsOf(folder)) ? ReadCard<SupervisedCard>(folder).Kind : null;

    private static TCard ReadCard<TCard>(string folder)
    {
        string path = CardOf(folder);
        try
        {
            using FileStream file = InputFile.Open(path);
            JsonNode card = JsonNode.Parse(file, documentOptions: StrictJson.Options) ?? throw new JsonException("the file holds null");
            NewerFormatException.ThrowIfNewer(path, (int?)card["version"], SupervisedCard.FormatVersion);
            return card.Deserialize<TCard>(Format)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(path, $"the card is damaged ({e.Message})", "Train the model again.", e);
        }
    }

    /// <summary>Writes the record of a training.</summary>
    public static void WriteRecord(string path, TrainingRecord record) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(record, Format) + "\n");

    /// <summary>Reads the record of a training.</summary>
    /// <exception cref="TinctorException">The file is damaged.</exception>
    public static TrainingRecord ReadRecord(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainingRecord>(InputFile.ReadText(path), Format)
                ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new TinctorException(path, $"the record is damaged ({e.Message})", "Remove the file", e);
        }
    }

    private static string CardOf(string folder) => Path.Combine(ModelIn(folder), Card);

    /// <summary>Loads the weights in a folder into a network.</summary>
    /// <exception cref="TinctorException">The weights do not fit the network, or are not finite.</exception>
    public static void LoadWeights(string folder, Module network)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string path = WeightsOf(folder);
        OrderedDictionary<string, Tensor> weights = SafeTensors.Load(path);
        FiniteWeights.Require(path, weights);
        try
        {
            network.load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            throw new TinctorException(path, $"the weights do not fit {Card}: {e.Problem}", "Train the model again", e);
        }
    }

    /// <summary>Gets the path of the weights in a folder.</summary>
    public static string WeightsOf(string folder) => Path.Combine(ModelIn(folder), Weights);

    /// <summary>Computes the SHA-256 of the weights in a folder, in hexadecimal.</summary>
    public static string Sha256(string folder) => Fingerprint.OfFile(WeightsOf(folder));

    // The finished model of a run folder is in model/.
    private static string ModelIn(string folder)
    {
        string inner = Path.Combine(folder, "model");
        return File.Exists(Path.Combine(inner, Weights)) ? inner : folder;
    }
}

/// <summary>ONNX file of a model folder.</summary>
/// <param name="Name">File name.</param>
/// <param name="Function">Function of the network that the file computes.</param>
/// <param name="Metadata">Properties of the file, besides task and weights_sha256.</param>
internal sealed record OnnxExport(string Name, ExportFunction Function, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Name of the file of a model with one network.</summary>
    public const string ModelName = "model.onnx";
}

/// <summary>Content common to all cards.</summary>
/// <param name="Kind">Kind of the model, such as "classifier" or "segmenter".</param>
/// <param name="Training">Record of the training.</param>
internal record SupervisedCard([property: JsonPropertyOrder(-1)] string Kind, [property: JsonPropertyOrder(1)] TrainingRecord Training)
{
    /// <summary>Version of the file format; files of earlier programs have none.</summary>
    internal const int FormatVersion = 1;

    [JsonInclude, JsonPropertyOrder(-3), JsonPropertyName("format")]
    internal string FileFormat { get; init; } = "tinctor-card";

    [JsonInclude, JsonPropertyOrder(-2), JsonPropertyName("version")]
    internal int FileVersion { get; init; } = FormatVersion;
}
