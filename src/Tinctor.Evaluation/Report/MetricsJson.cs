using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Statistics;
using Tinctor.Slides.Native;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Reads and writes metrics.json. Numbers are JSON numbers; an infinite PSNR is the string "Infinity" (which Python's float() reads);
/// undefined values, NaN included, are null. The version changes when a field changes its meaning.
/// </summary>
internal static class MetricsJson
{
    /// <summary>Value of the field <c>format</c>.</summary>
    public const string Format = "tinctor.evaluation";

    /// <summary>Value of the field <c>version</c>.</summary>
    public const int Version = 3;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Version of the program.</summary>
    internal static readonly string? Program =
        typeof(MetricsJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>Formats the document.</summary>
    public static string Text(EvaluationResult result) => Of(result).ToJsonString(Indented) + "\n";

    /// <summary>Reads the file of an evaluation.</summary>
    /// <exception cref="TinctorException">The file is missing, damaged, or of another format or version.</exception>
    public static JsonNode Read(string path)
    {
        JsonNode? json;
        try
        {
            json = JsonNode.Parse(InputFile.ReadText(path), documentOptions: StrictJson.Options);
        }
        catch (JsonException e)
        {
            throw new TinctorException(path, "is damaged JSON", "Repeat the evaluation", e);
        }
        string found = $"{json?["format"]?.ToString() ?? "no format"}, version {json?["version"]?.ToString() ?? "unknown"}";
        return found == $"{Format}, version {Version}" ? json!
            : throw new TinctorException(path, $"its format is {found}; {Format}, version {Version} is expected", "Repeat the evaluation");
    }

    /// <summary>Creates the document.</summary>
    public static JsonObject Of(EvaluationResult result)
    {
        var options = result.Options;
        return new()
        {
            ["format"] = Format,
            ["version"] = Version,
            ["title"] = result.Title,
            ["created"] = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ"),
            ["versions"] = new JsonObject
            {
                ["tinctor"] = Program,
                ["dotnet"] = Environment.Version.ToString(),
                ["os"] = RuntimeInformation.OSDescription,
                ["onnxruntime"] = OrtEnv.Instance().GetVersionString(),
                ["libvips"] = VipsLibrary.Version.ToString(),
            },
            ["protocol"] = Protocol(options),
            ["inputs"] = new JsonObject
            {
                ["stained"] = new JsonObject(options.Stained.Select(m => KeyValuePair.Create(m.Name, (JsonNode?)m.Path))),
                ["real"] = options.Real,
                ["source"] = options.Source,
                ["labels"] = options.Labels,
                ["train_real"] = options.TrainReal,
                ["run"] = options.Run,
            },
            ["test_set"] = new JsonObject
            {
                ["names_sha256"] = result.TestSet?.NamesSha256,
                ["manifest"] = result.TestSet?.Manifest,
                ["manifest_sha256"] = result.TestSet?.ManifestSha256,
            },
            ["n"] = result.Images.Count,
            ["skipped"] = Array(result.Skipped, image => new JsonObject { ["name"] = image.Name, ["reason"] = image.Reason }),
            ["target_has_dab"] = result.TargetHasDab,
            ["slides"] = result.Groups[0].Slides,
            ["labels_from"] = result.LabelsFrom,
            ["metrics"] = Array(result.Metrics.Concat(result.NotComputed), m => new JsonObject
            {
                ["key"] = m.Key,
                ["group"] = m.Group,
                ["title"] = m.Title,
                ["unit"] = m.Unit,
                ["digits"] = m.Digits,
                ["higher_is_better"] = m.HigherIsBetter,
                ["definition"] = m.Definition,
                ["not_computed"] = m.NotComputed,
            }),
            ["methods"] = Array(result.Methods, m => new JsonObject
            {
                ["key"] = m.Key,
                ["kind"] = m.IsModel ? "model" : "baseline",
                ["title"] = m.Title,
                ["definition"] = m.Definition,
                ["not_computed"] = m.NotComputed,
            }),
            ["bootstrap"] = new JsonObject
            {
                ["method"] = "percentile",
                ["confidence"] = result.Bootstrap.Confidence,
                ["resamples"] = result.Bootstrap.Resamples,
                ["unit"] = result.Bootstrap.Unit,
                ["units"] = result.Bootstrap.Units,
                ["seed"] = result.Bootstrap.Seed,
                ["description"] = result.Bootstrap.Description,
            },
            ["beats_baselines"] = new JsonObject(
                result.Models.Select(m => KeyValuePair.Create(m.Key, (JsonNode?)result.BeatsBaselines(m)))),
            ["not_tested"] = result.NotTested,
            ["comparisons"] = Array(result.Comparisons, c => new JsonObject
            {
                ["a"] = c.A,
                ["b"] = c.B,
                ["metric"] = c.Metric,
                ["n"] = c.N,
                ["difference"] = Number(c.Difference),
                ["ci"] = Of(c.Ci),
                ["wilcoxon_p"] = c.WilcoxonP,
                ["bootstrap_p"] = c.BootstrapP,
                ["p_adjusted"] = c.AdjustedP,
                ["significant"] = c.Significant,
                ["better"] = c.Difference > 0 ? c.A : c.Difference < 0 ? c.B : null,
            }),
            ["groups"] = Array(result.Groups, g => new JsonObject
            {
                ["label"] = g.Label,
                ["n"] = g.N,
                ["slides"] = g.Slides,
                ["summary"] = ByMethod(result, g.Summaries),
            }),
            ["sections"] = Array(result.Sections, s => SectionJson.Of(s, withPictures: false)),
            ["warnings"] = Array(result.Warnings, w => JsonValue.Create(w)),
            ["images"] = Array(result.Images, i => Of(result, i)),
        };
    }

    private static JsonObject Protocol(EvaluationOptions options)
    {
        EvaluationProtocol protocol = options.Protocol;
        return new()
        {
            ["name"] = protocol.Name,
            ["description"] = protocol.Description,
            ["crop"] = protocol.Crop > 0 ? protocol.Crop : null,
            ["required_size"] = protocol.RequiredSize > 0 ? protocol.RequiredSize : null,
            ["colour_space"] = "8-bit sRGB",
            ["ssim"] = Ssim.NameOf(options.Ssim),
            ["lpips_network"] = protocol.LpipsNetwork?.ToString().ToLowerInvariant(),
            ["selection"] = protocol.Selection,
            ["aggregation"] = protocol.Aggregation,
            ["seed"] = options.Seed,
        };
    }

    /// <summary>A number that may be infinite, or not defined.</summary>
    internal static JsonValue? Number(double value) => double.IsNaN(value) ? null
        : double.IsFinite(value) ? JsonValue.Create(value) : JsonValue.Create(value.ToString(CultureInfo.InvariantCulture));

    private static JsonObject Of(EvaluationResult result, ImageResult image) => new()
    {
        ["name"] = image.Pair.Name,
        ["label"] = image.Pair.Label,
        ["slide_id"] = image.Pair.SlideId,
        ["width"] = image.Width,
        ["height"] = image.Height,
        ["scores"] = Dictionary(image.Scores, values => ByMetric(result, values, Number)),
    };

    private static JsonObject ByMethod(EvaluationResult result, IReadOnlyDictionary<string, Summary[]> summaries) =>
        Dictionary(summaries, values => ByMetric(result, values, s => new JsonObject
        {
            ["n"] = s.N,
            ["mean"] = Number(s.Mean),
            ["ci"] = Of(s.Ci),
            ["std"] = s.Std,
            ["median"] = Number(s.Median),
            ["min"] = Number(s.Min),
            ["max"] = Number(s.Max),
            ["infinite"] = s.Infinite,
        }));

    private static JsonArray? Of(Interval? ci) => ci is null ? null : [ci.Low, ci.High];

    private static JsonObject ByMetric<T>(EvaluationResult result, T[] values, Func<T, JsonNode?> node) =>
        new(result.Metrics.Zip(values, (m, v) => KeyValuePair.Create(m.Key, (JsonNode?)node(v))));

    private static JsonObject Dictionary<T>(IReadOnlyDictionary<string, T> items, Func<T, JsonNode> node) =>
        new(items.Select(i => KeyValuePair.Create(i.Key, (JsonNode?)node(i.Value))));

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode?> node) => new([.. items.Select(node)]);
}
