namespace Tinctor.Evaluation.Sections;

/// <summary>
/// Section of a report: results of an analysis as text, tables and charts. It appears in the report and in metrics.json; each table is also
/// written as CSV and LaTeX. Keys are stable, in lower case with underscores.
/// </summary>
/// <param name="Key">Name of the section in files, such as <c>distribution</c>.</param>
/// <param name="Title">The heading.</param>
/// <param name="Lead">One or two sentences: content of the section and how to read it.</param>
public sealed record ReportSection(string Key, string Title, string Lead)
{
    /// <summary>Reason why the section is empty, such as missing weights; null if it is not.</summary>
    public string? NotComputed { get; init; }

    /// <summary>Tables, the most important first.</summary>
    internal IReadOnlyList<SectionTable> Tables { get; init; } = [];

    /// <summary>Charts.</summary>
    internal IReadOnlyList<SectionChart> Charts { get; init; } = [];

    /// <summary>Pictures, such as variance maps.</summary>
    internal IReadOnlyList<SectionPicture> Pictures { get; init; } = [];

    /// <summary>Definitions of the numbers, with formula and source.</summary>
    internal IReadOnlyList<Definition> Definitions { get; init; } = [];

    /// <summary>Links of the page. Default: none.</summary>
    internal IReadOnlyList<SectionLink> Links { get; init; } = [];

    /// <summary>Caveats of these numbers.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Provenance: weight files with their SHA-256, counts, settings.</summary>
    internal IReadOnlyList<Definition> Provenance { get; init; } = [];
}

/// <summary>A link.</summary>
/// <param name="Text">Text of the link.</param>
/// <param name="Address">Address, http or https.</param>
internal sealed record SectionLink(string Text, string Address);

/// <summary>A term and its meaning.</summary>
/// <param name="Term">The term.</param>
/// <param name="Text">Its meaning.</param>
internal sealed record Definition(string Term, string Text);

/// <summary>A table.</summary>
/// <param name="Key">Name of the table in files, unique within the section.</param>
/// <param name="Title">The caption.</param>
/// <param name="Columns">Headings with their formats.</param>
/// <param name="Rows">One cell per column: string, double, int, <see cref="Swatch"/> or null (undefined).</param>
internal sealed record SectionTable(
    string Key, string Title, IReadOnlyList<SectionColumn> Columns, IReadOnlyList<IReadOnlyList<object?>> Rows);

/// <summary>A column of a table.</summary>
/// <param name="Key">Its name in files.</param>
/// <param name="Title">Heading, with the unit in brackets.</param>
/// <param name="Digits">Number of decimals printed.</param>
/// <param name="HigherIsBetter">Whether higher values are better; null if neither end is. The best cell is set in bold.</param>
internal sealed record SectionColumn(string Key, string Title, int Digits = 3, bool? HigherIsBetter = null);

/// <summary>Entry of a colour legend, also as a cell of a table.</summary>
/// <param name="Name">Meaning of the colour.</param>
/// <param name="Colour">The colour as <c>#rrggbb</c>; null for areas that are not coloured.</param>
internal sealed record Swatch(string Name, string? Colour)
{
    /// <summary>Creates an entry from red, green and blue.</summary>
    public static Swatch FromRgb(string name, int red, int green, int blue) => new(name, $"#{red:x2}{green:x2}{blue:x2}");
}

/// <summary>A picture.</summary>
/// <param name="Title">Title of the picture.</param>
/// <param name="Caption">Content of the picture.</param>
/// <param name="Image">8-bit RGB.</param>
internal sealed record SectionPicture(string Title, string Caption, Slides.Image Image)
{
    /// <summary>Whether the picture takes the whole width of the report; narrow pictures stand side by side.</summary>
    public bool IsWide { get; init; }

    /// <summary>Legend of the colours. Default: none.</summary>
    public IReadOnlyList<Swatch> Legend { get; init; } = [];

    /// <summary>Longest side in the report, in pixels; larger pictures are reduced. Default: 512, or 1400 for wide pictures.</summary>
    public int LongestSide { get => field > 0 ? field : IsWide ? 1400 : 512; init; }
}
