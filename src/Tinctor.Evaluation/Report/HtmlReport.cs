using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Report;

/// <summary>Self-contained HTML report: one file that needs no network access.</summary>
internal static partial class HtmlReport
{
    /// <summary>Formats the report of an evaluation.</summary>
    /// <param name="result">Result of the evaluation.</param>
    /// <param name="viewer">Address of the viewer that images link to; null for no links.</param>
    public static string Text(EvaluationResult result, string? viewer = null)
    {
        var evaluation = MetricsJson.Of(result);
        evaluation.Remove("sections"); // they follow with their pictures
        var data = new JsonObject
        {
            ["evaluation"] = evaluation,
            ["sections"] = new JsonArray([.. result.Sections.Select(s => SectionJson.Of(s, withPictures: true))]),
            ["gallery"] = Gallery.Of(result, viewer),
            ["run"] = Run(result),
        };
        return Filled("report.html", data, result.Title, "evaluation report", "",
            " The same numbers are in metrics.json, metrics.csv and tables/ beside it.");
    }

    /// <summary>Formats a page that consists of sections only, for reports other than evaluations.</summary>
    /// <param name="title">The heading.</param>
    /// <param name="kind">Kind of report, shown beside the name of the program.</param>
    /// <param name="meta">Line of numbers below the heading.</param>
    /// <param name="sections">Sections in their order on the page.</param>
    public static string Text(string title, string kind, string meta, IEnumerable<ReportSection> sections)
    {
        var data = new JsonObject
        {
            ["evaluation"] = new JsonObject
            {
                ["images"] = new JsonArray(),
                ["groups"] = new JsonArray(),
                ["comparisons"] = new JsonArray(),
                ["metrics"] = new JsonArray(),
                ["methods"] = new JsonArray(),
                ["bootstrap"] = new JsonObject(),
            },
            ["sections"] = new JsonArray([.. sections.Select(section => SectionJson.Of(section, withPictures: true))]),
        };
        return Filled("sections.html", data, title, kind, meta, "");
    }

    private static string Filled(string main, JsonObject data, string title, string kind, string meta, string elsewhere)
    {
        var parts = new Dictionary<string, string>
        {
            ["css"] = Resource("theme.css") + Resource("components.css") + Resource("report.css"),
            ["js"] = Resource("report.js"),
            // The default encoder escapes <, > and &, so that no file name or label can end the script element.
            ["data"] = data.ToJsonString(),
            ["main"] = Resource(main),
            ["title"] = WebUtility.HtmlEncode(title),
            ["kind"] = WebUtility.HtmlEncode(kind),
            ["meta"] = WebUtility.HtmlEncode(meta),
            ["elsewhere"] = elsewhere,
        };
        return Placeholder().Replace(Resource("frame.html"), match => parts[match.Groups[1].Value]);
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Placeholder();

    private static JsonObject? Run(EvaluationResult result)
    {
        if (result.Run is not { } run)
            return null;
        return new()
        {
            ["name"] = run.Name,
            ["steps"] = new JsonArray([.. run.Steps.Select(s => JsonValue.Create(s))]),
            ["curves"] = new JsonObject(run.Curves.Select(c =>
                KeyValuePair.Create(c.Key, (JsonNode?)new JsonArray([.. c.Value.Select(v => (JsonNode?)v)])))),
            ["documents"] = new JsonObject(run.Documents.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value))),
        };
    }

    private static string Resource(string name)
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"resource {name} is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
