using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Files;

namespace Tinctor.Training.Supervised;

/// <summary>The model folder of a supervised task: model.safetensors, and card.json, which says what it is and how it came about.</summary>
public static class SupervisedModel
{
    private const string Weights = "model.safetensors", Card = "card.json";
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes a model folder; the weights come last, so that a folder with weights is whole.</summary>
    public static void Write<TCard>(string folder, TCard card, Module network) where TCard : SupervisedCard
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(Path.Combine(folder, Card), JsonSerializer.Serialize(card, Format) + "\n");
        SafeTensors.Save(Path.Combine(folder, Weights), network.state_dict(),
            new Dictionary<string, string> { ["format"] = "pt", ["kind"] = card.Kind });
    }

    /// <summary>Reads the card of a model folder, or of the model of a run folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="kind">What the model must be: "classifier".</param>
    /// <exception cref="TinctorException">It is no model, or one of another kind.</exception>
    public static TCard ReadCard<TCard>(string folder, string kind) where TCard : SupervisedCard
    {
        string? actual = KindOf(folder)
            ?? throw new TinctorException(folder, $"is no {kind}, it has no {Card} and {Weights}", $"Train a {kind} first");
        return actual == kind ? ReadCard<TCard>(folder) : throw new TinctorException($"{folder}: is a {actual}, not a {kind}");
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
            JsonNode card = JsonNode.Parse(file) ?? throw new JsonException("the file holds null");
            NewerFormatException.ThrowIfNewer(path, (int?)card["version"], SupervisedCard.FormatVersion);
            return card.Deserialize<TCard>(Format)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(path, $"is no card of a model ({e.Message})", "Train the model again.", e);
        }
    }

    private static string CardOf(string folder) => Path.Combine(ModelIn(folder), Card);

    /// <summary>Puts a folder's weights into a network.</summary>
    /// <exception cref="TinctorException">They do not fit it, or are not finite.</exception>
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
            throw new TinctorException($"{path}: does not fit its {Card}: {e.Message}", e);
        }
    }

    /// <summary>The file of a folder's weights.</summary>
    public static string WeightsOf(string folder) => Path.Combine(ModelIn(folder), Weights);

    /// <summary>SHA-256 of a folder's weights, in hexadecimal.</summary>
    public static string Sha256(string folder) => HashOf(WeightsOf(folder));

    /// <summary>SHA-256 of a file, in hexadecimal.</summary>
    public static string HashOf(string path) => Fingerprint.OfFile(path);

    // A run folder holds its finished model in model/.
    private static string ModelIn(string folder)
    {
        string inner = Path.Combine(folder, "model");
        return File.Exists(Path.Combine(inner, Weights)) ? inner : folder;
    }
}

/// <summary>Content common to all cards.</summary>
/// <param name="Kind">"classifier", "segmenter".</param>
/// <param name="Training">How the model came about.</param>
public record SupervisedCard([property: JsonPropertyOrder(-1)] string Kind, [property: JsonPropertyOrder(1)] TrainingRecord Training)
{
    /// <summary>Newest version of the file that this program reads; files from before have none.</summary>
    internal const int FormatVersion = 1;

    [JsonInclude, JsonPropertyOrder(-3), JsonPropertyName("format")]
    internal string FileFormat { get; init; } = "tinctor-card";

    [JsonInclude, JsonPropertyOrder(-2), JsonPropertyName("version")]
    internal int FileVersion { get; init; } = FormatVersion;
}
