using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Evaluation.Report;

namespace Tinctor.Evaluation.Tests;

/// <summary>metrics.json against its published schema.</summary>
public sealed class SchemaTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "metrics.schema.json")))!;

    [Fact]
    public void MetricsJson_with_all_analyses_fits_schema()
    {
        using var set = new ExampleImages(bciNames: true);
        var options = set.Options with { Stained = set.TwoModels, Analyses = ExampleAnalysis.All };
        Assert.Empty(Problems(MetricsJson.Text(Evaluator.Run(options, cancel: TestContext.Current.CancellationToken))));
    }

    [Fact]
    public void MetricsJson_perfect_images_without_source_fit_schema()
    {
        using var set = new ExampleImages(images: 1);
        var options = set.Options with { Stained = ExampleImages.Model(set.Real), Source = null };
        string json = MetricsJson.Text(Evaluator.Run(options, cancel: TestContext.Current.CancellationToken));
        Assert.Contains("\"Infinity\"", json);
        Assert.Empty(Problems(json));
    }

    [Theory]
    [InlineData("format", "\"other\"")]
    [InlineData("version", "2")]
    [InlineData("n", "\"many\"")]
    [InlineData("n", "0")]
    [InlineData("unknown", "1")]
    [InlineData("methods", "[{}]")]
    [InlineData("bootstrap", "null")]
    public void Schema_refuses_wrong_field(string field, string value)
    {
        using var set = new ExampleImages(images: 2);
        var json = MetricsJson.Of(Evaluator.Run(set.Options, cancel: TestContext.Current.CancellationToken));
        json[field] = JsonNode.Parse(value);
        Assert.NotEmpty(Problems(json.ToJsonString()));
    }

    [Fact]
    public void Documentation_names_every_field_of_schema()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Tinctor.slnx")))
            folder = Path.GetDirectoryName(folder);
        Assert.SkipWhen(folder is null, "needs the repository around the tests");
        string text = File.ReadAllText(Path.Combine(folder!, "docs", "evaluate.md"));
        var missing = Schema["properties"]!.AsObject().Select(p => p.Key)
            .Concat(Schema["properties"]!["comparisons"]!["items"]!["properties"]!.AsObject().Select(p => p.Key))
            .Concat(Schema["$defs"]!["summary"]!["properties"]!.AsObject().Select(p => p.Key))
            .Where(field => !text.Contains($"`{field}"));
        Assert.Empty(missing);
    }

    private static List<string> Problems(string json)
    {
        var problems = new List<string>();
        Check(JsonNode.Parse(json), Schema.AsObject(), "$", problems);
        return problems;
    }

    /// <summary>The keywords that the schema uses; any other keyword but an annotation is a mistake here.</summary>
    private static void Check(JsonNode? node, JsonObject schema, string at, List<string> problems)
    {
        foreach (var (keyword, value) in schema)
        {
            switch (keyword)
            {
                case "type":
                    string[] types = value is JsonArray several ? [.. several.Select(t => (string)t!)] : [(string)value!];
                    if (!types.Any(t => IsOf(node, t)))
                        problems.Add($"{at}: is not {string.Join(" or ", types)}");
                    break;
                case "const":
                    if (!JsonNode.DeepEquals(node, value))
                        problems.Add($"{at}: is not {value}");
                    break;
                case "enum":
                    if (!value!.AsArray().Any(v => JsonNode.DeepEquals(node, v)))
                        problems.Add($"{at}: is none of {value.ToJsonString()}");
                    break;
                case "anyOf":
                    if (!value!.AsArray().Any(option => Fits(node, option!.AsObject(), at)))
                        problems.Add($"{at}: fits no alternative");
                    break;
                case "$ref":
                    Check(node, Schema["$defs"]![((string)value!)["#/$defs/".Length..]]!.AsObject(), at, problems);
                    break;
                case "required" when node is JsonObject o:
                    problems.AddRange(value!.AsArray().Where(k => !o.ContainsKey((string)k!)).Select(k => $"{at}: lacks {k}"));
                    break;
                case "minProperties" when node is JsonObject o && o.Count < (int)value!:
                case "minItems" when node is JsonArray few && few.Count < (int)value!:
                    problems.Add($"{at}: too few");
                    break;
                case "maxItems" when node is JsonArray many && many.Count > (int)value!:
                    problems.Add($"{at}: too many");
                    break;
                case "minimum" when IsOf(node, "number") && (double)node! < (double)value!:
                    problems.Add($"{at}: below {value}");
                    break;
                case "items" when node is JsonArray array:
                    foreach (var (i, item) in array.Index())
                        Check(item, value!.AsObject(), $"{at}[{i}]", problems);
                    break;
                case "properties" when node is JsonObject o:
                    foreach (var (key, property) in value!.AsObject())
                        if (o.ContainsKey(key))
                            Check(o[key], property!.AsObject(), $"{at}.{key}", problems);
                    break;
                case "additionalProperties" when node is JsonObject o:
                    foreach (var (key, item) in o.Where(p => schema["properties"]?[p.Key] is null))
                        if (value is JsonObject more)
                            Check(item, more, $"{at}.{key}", problems);
                        else
                            problems.Add($"{at}: {key} is not in the schema");
                    break;
                case "$schema" or "$defs" or "title" or "description":
                case "required" or "minProperties" or "minItems" or "maxItems" or "minimum" or "items"
                    or "properties" or "additionalProperties":
                    break;
                default:
                    throw new InvalidOperationException($"the schema uses {keyword}, which this check does not know");
            }
        }
    }

    private static bool Fits(JsonNode? node, JsonObject schema, string at)
    {
        var problems = new List<string>();
        Check(node, schema, at, problems);
        return problems.Count == 0;
    }

    private static bool IsOf(JsonNode? node, string type) => type switch
    {
        "null" => node is null,
        "object" => node is JsonObject,
        "array" => node is JsonArray,
        "integer" => node is JsonValue v && v.GetValueKind() == JsonValueKind.Number && (double)v % 1 == 0,
        _ => node is JsonValue v && v.GetValueKind() switch
        {
            JsonValueKind.String => type == "string",
            JsonValueKind.Number => type == "number",
            JsonValueKind.True or JsonValueKind.False => type == "boolean",
            _ => false,
        },
    };
}
