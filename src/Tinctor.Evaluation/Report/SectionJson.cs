using System.Text.Json.Nodes;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Report;

/// <summary>A section as JSON, for metrics.json and for the report.</summary>
internal static class SectionJson
{
    /// <param name="section">The section.</param>
    /// <param name="withPictures">Whether pictures are embedded as JPEG; metrics.json only names them.</param>
    public static JsonObject Of(ReportSection section, bool withPictures)
    {
        JsonObject json = Common(section, withPictures);
        // metrics.json is not a page.
        if (withPictures) json["links"] = Array(section.Links, link => new JsonObject { ["text"] = link.Text, ["address"] = link.Address });
        return json;
    }

    private static JsonObject Common(ReportSection section, bool withPictures) => new()
    {
        ["key"] = section.Key,
        ["title"] = section.Title,
        ["lead"] = section.Lead,
        ["not_computed"] = section.NotComputed,
        ["tables"] = Array(section.Tables, Of),
        ["charts"] = Array(section.Charts, Of),
        ["pictures"] = Array(section.Pictures, p => Of(p, withPictures)),
        ["definitions"] = Array(section.Definitions, Of),
        ["warnings"] = Array(section.Warnings, w => JsonValue.Create(w)),
        ["provenance"] = Array(section.Provenance, Of),
    };

    private static JsonObject Of(SectionTable table) => new()
    {
        ["key"] = table.Key,
        ["title"] = table.Title,
        ["columns"] = Array(table.Columns, c => new JsonObject
        {
            ["key"] = c.Key,
            ["title"] = c.Title,
            ["digits"] = c.Digits,
            ["higher_is_better"] = c.HigherIsBetter,
        }),
        ["rows"] = Array(table.Rows, row => Array(row, Cell)),
    };

    private static JsonNode? Cell(object? cell) => cell switch
    {
        null => null,
        double number => MetricsJson.Number(number),
        int number => JsonValue.Create(number),
        string text => JsonValue.Create(text),
        Swatch swatch => Of(swatch),
        _ => throw new ArgumentException($"a table's cell is a {cell.GetType().Name}; it must be a string, double, int or null",
            nameof(cell)),
    };

    private static JsonObject Of(SectionChart chart)
    {
        JsonObject json = chart switch
        {
            ScatterChart c => new()
            {
                ["kind"] = "scatter",
                ["x_title"] = c.XTitle,
                ["y_title"] = c.YTitle,
                ["series"] = Array(c.Series, Of),
                ["lines"] = Array(c.Lines, Of),
                ["diagonal"] = c.Diagonal,
            },
            CurveChart c => new()
            {
                ["kind"] = "curve",
                ["x_title"] = c.XTitle,
                ["y_title"] = c.YTitle,
                ["series"] = Array(c.Series, Of),
                ["diagonal"] = c.Diagonal,
            },
            HistogramChart c => new()
            {
                ["kind"] = "histogram",
                ["x_title"] = c.XTitle,
                ["edges"] = Numbers(c.Edges),
                ["series"] = Array(c.Series, Of),
                ["lines"] = Array(c.Lines, Of),
            },
            MatrixChart c => new()
            {
                ["kind"] = "matrix",
                ["row_title"] = c.RowTitle,
                ["column_title"] = c.ColumnTitle,
                ["rows"] = Array(c.Rows, r => JsonValue.Create(r)),
                ["columns"] = Array(c.Columns, r => JsonValue.Create(r)),
                ["values"] = Array(c.Values, Numbers),
            },
            _ => throw new ArgumentException($"{chart.GetType().Name} is not a known chart", nameof(chart)),
        };
        json["key"] = chart.Key;
        json["title"] = chart.Title;
        json["caption"] = chart.Caption;
        return json;
    }

    private static JsonObject Of(ChartSeries series) => new()
    {
        ["name"] = series.Name,
        ["x"] = Numbers(series.X),
        ["y"] = Numbers(series.Y),
        ["names"] = series.Names is null ? null : Array(series.Names, n => JsonValue.Create(n)),
    };

    private static JsonObject Of(ChartLine line) => new() { ["name"] = line.Name, ["at"] = MetricsJson.Number(line.At) };

    private static JsonObject Of(SectionPicture picture, bool withImage)
    {
        var json = new JsonObject { ["title"] = picture.Title, ["caption"] = picture.Caption };
        if (withImage)
        {
            json["image"] = Jpeg.DataUri(picture.Image, picture.Image.Width, picture.Image.Height, picture.LongestSide);
            json["wide"] = picture.IsWide;
            json["legend"] = Array(picture.Legend, Of);
        }
        return json;
    }

    private static JsonObject Of(Swatch swatch) => new() { ["name"] = swatch.Name, ["colour"] = swatch.Colour };

    private static JsonObject Of(Definition definition) => new() { ["term"] = definition.Term, ["text"] = definition.Text };

    private static JsonArray Numbers(IReadOnlyList<double> numbers) => Array(numbers, MetricsJson.Number);

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode?> node) => new([.. items.Select(node)]);
}
