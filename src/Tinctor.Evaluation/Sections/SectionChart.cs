namespace Tinctor.Evaluation.Sections;

/// <summary>A chart of a section.</summary>
/// <param name="Key">Name of the chart in files, unique within the section.</param>
/// <param name="Title">The heading.</param>
/// <param name="Caption">Content of the chart, and which values are good.</param>
internal abstract record SectionChart(string Key, string Title, string Caption);

/// <summary>Points, and lines across them: scatter plots and Bland-Altman plots.</summary>
/// <param name="Key">Name of the chart in files.</param>
/// <param name="Title">The heading.</param>
/// <param name="Caption">Content of the chart.</param>
/// <param name="XTitle">Title of the x axis, with the unit.</param>
/// <param name="YTitle">Title of the y axis, with the unit.</param>
/// <param name="Series">Series of points, one colour each.</param>
internal sealed record ScatterChart(
    string Key, string Title, string Caption, string XTitle, string YTitle, IReadOnlyList<ChartSeries> Series)
    : SectionChart(Key, Title, Caption)
{
    /// <summary>Horizontal lines: bias and limits of agreement.</summary>
    public IReadOnlyList<ChartLine> Lines { get; init; } = [];

    /// <summary>Whether the diagonal y = x is drawn.</summary>
    public bool Diagonal { get; init; }
}

/// <summary>Curves: ROC and calibration.</summary>
/// <param name="Key">Name of the chart in files.</param>
/// <param name="Title">The heading.</param>
/// <param name="Caption">Content of the chart.</param>
/// <param name="XTitle">Title of the x axis, with the unit.</param>
/// <param name="YTitle">Title of the y axis, with the unit.</param>
/// <param name="Series">Lines; points in ascending order of x.</param>
internal sealed record CurveChart(
    string Key, string Title, string Caption, string XTitle, string YTitle, IReadOnlyList<ChartSeries> Series)
    : SectionChart(Key, Title, Caption)
{
    /// <summary>Whether the diagonal y = x is drawn.</summary>
    public bool Diagonal { get; init; }
}

/// <summary>Histograms over common bins.</summary>
/// <param name="Key">Name of the chart in files.</param>
/// <param name="Title">The heading.</param>
/// <param name="Caption">Content of the chart.</param>
/// <param name="XTitle">Title of the x axis, with the unit.</param>
/// <param name="Edges">Ends of the bins, one more than there are bins, ascending.</param>
/// <param name="Series">X is unused; Y is the share of each bin, summing to 1.</param>
internal sealed record HistogramChart(
    string Key, string Title, string Caption, string XTitle, IReadOnlyList<double> Edges, IReadOnlyList<ChartSeries> Series)
    : SectionChart(Key, Title, Caption)
{
    /// <summary>Vertical lines: thresholds.</summary>
    public IReadOnlyList<ChartLine> Lines { get; init; } = [];
}

/// <summary>A coloured matrix with its numbers: confusion matrices.</summary>
/// <param name="Key">Name of the chart in files.</param>
/// <param name="Title">The heading.</param>
/// <param name="Caption">Content of the chart.</param>
/// <param name="RowTitle">Title of the rows.</param>
/// <param name="ColumnTitle">Title of the columns.</param>
/// <param name="Rows">Names of the rows.</param>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Values">[rows][columns].</param>
internal sealed record MatrixChart(string Key, string Title, string Caption, string RowTitle, string ColumnTitle,
    IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<double>> Values)
    : SectionChart(Key, Title, Caption);

/// <summary>Series of points of one colour.</summary>
/// <param name="Name">The name in the legend.</param>
/// <param name="X">x of each point.</param>
/// <param name="Y">y of each point.</param>
/// <param name="Names">Name of each point for the tooltip, such as that of an image; null if points have none.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, IReadOnlyList<string>? Names = null);

/// <summary>A straight line across a chart.</summary>
/// <param name="Name">Label of the line.</param>
/// <param name="At">Coordinate at which the line crosses its axis.</param>
internal sealed record ChartLine(string Name, double At);
