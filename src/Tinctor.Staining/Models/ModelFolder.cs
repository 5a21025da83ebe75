using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Tinctor.Staining.Models;

/// <summary>
/// Folder of a trained staining model: model.json (<see cref="ModelDescription"/>), the weights, config.yaml of its training, README.md
/// (the model card), novelty.json (<see cref="SourceNovelty"/>) and precision.json (<see cref="PrecisionTest"/>).
/// </summary>
public static class ModelFolder
{
    /// <summary>Name of the file with the weights.</summary>
    public const string WeightsFile = "model.safetensors";

    /// <summary>Name of the file with the network in ONNX.</summary>
    public const string OnnxFile = "model.onnx";

    /// <summary>Name of the file with the network in ONNX whose convolutions are in 8-bit integers.</summary>
    public const string Int8File = "model.int8.onnx";

    /// <summary>Name of the file with the network in ONNX in float16.</summary>
    public const string Float16File = "model.float16.onnx";

    /// <summary>Name of the ONNX file that brings sources of a diffusion bridge to the size and channels of its targets.</summary>
    public const string MatcherFile = "matcher.onnx";

    /// <summary>Name of the file with the method's settings.</summary>
    public const string ConfigFile = "config.yaml";

    /// <summary>Name of the model card.</summary>
    public const string CardFile = "README.md";

    private const string DescriptionFile = "model.json", NoveltyFile = "novelty.json", Format = "tinctor-model";
    private const int Version = 1;

    private static readonly JsonSerializerOptions Json = new(JsonFormat.Readable)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>Gets the model folder itself: a run folder has its finished model in model/.</summary>
    public static string Resolve(string folder) =>
        new[] { WeightsFile, OnnxFile }.Any(file => File.Exists(Path.Combine(folder, "model", file))) ? Path.Combine(folder, "model")
            : folder;

    /// <summary>Writes the description, and the novelty detector where there is one.</summary>
    internal static void Write(string folder, ModelDescription model, SourceNovelty? novelty)
    {
        Directory.CreateDirectory(folder);
        JsonObject json = JsonSerializer.SerializeToNode(model, Json)!.AsObject();
        json.Insert(0, "format", Format);
        json.Insert(1, "version", Version);
        AtomicFile.WriteText(Path.Combine(folder, DescriptionFile), json.ToJsonString(Json) + "\n");
        if (novelty is not null) AtomicFile.WriteText(Path.Combine(folder, NoveltyFile), JsonSerializer.Serialize(novelty, Json) + "\n");
    }

    /// <summary>Reads the description of a model folder, or of the model of a run folder; null if the folder's version has none.</summary>
    /// <exception cref="TinctorException">The folder holds no model, or one of a newer version.</exception>
    public static ModelDescription? Read(string folder)
    {
        RequireModel(folder);
        string path = Path.Combine(Resolve(folder), DescriptionFile);
        if (!File.Exists(path)) return null;
        try
        {
            JsonObject json = JsonNode.Parse(File.ReadAllText(path), documentOptions: StrictJson.Options)!.AsObject();
            if ((string?)json["format"] != Format) throw new TinctorException(path, $"the format is {json["format"]}, expected {Format}");
            if ((int?)json["version"] is not Version)
                throw new TinctorException(path, $"the version is {json["version"]}, this program reads {Version}",
                    "Use the program that wrote it, or a newer one");
            return json.Deserialize<ModelDescription>(Json)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new TinctorException(path, "is no description of a model", "Export or import the model again", e);
        }
    }

    /// <summary>
    /// Checks that a folder, or the model of a run folder, has a model: weights with settings, or a network in ONNX with a description.
    /// </summary>
    /// <exception cref="TinctorException">It has none.</exception>
    public static void RequireModel(string folder)
    {
        string model = Resolve(folder);
        if (!new[] { OnnxFile, DescriptionFile }.All(file => File.Exists(Path.Combine(model, file)))) RequireWeights(folder);
    }

    /// <summary>Checks that a folder, or the model of a run folder, has weights with settings.</summary>
    /// <exception cref="TinctorException">It has none.</exception>
    public static void RequireWeights(string folder)
    {
        string model = Resolve(folder);
        if (!Directory.Exists(folder)) throw new TinctorException(folder, "no such folder");
        foreach (string file in new[] { ConfigFile, WeightsFile })
        {
            if (!File.Exists(Path.Combine(model, file)))
                throw new TinctorException(folder, $"is no model folder, it has no {file}",
                    "A finished training run has one in model/; a checkpoint of another program is imported into one");
        }
    }

    /// <summary>Reads the novelty detector; null if the model has none.</summary>
    /// <exception cref="TinctorException">The file is damaged.</exception>
    internal static SourceNovelty? ReadNovelty(string folder)
    {
        string path = Path.Combine(Resolve(folder), NoveltyFile);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<SourceNovelty>(File.ReadAllText(path), Json)!;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new TinctorException(path, "is damaged", "Remove it to stain without detection of unfamiliar sources", e);
        }
    }

    /// <summary>Whether a model folder, or the model of a run folder, has weights; otherwise it has a network in ONNX only.</summary>
    public static bool HasWeights(string folder) => File.Exists(Path.Combine(Resolve(folder), WeightsFile));

    /// <summary>SHA-256 of a model's weights, or of its network in ONNX where it has no other weights, in hexadecimal.</summary>
    public static string Sha256(string folder) =>
        Fingerprint.OfFile(Path.Combine(Resolve(folder), HasWeights(folder) ? WeightsFile : OnnxFile));
}
