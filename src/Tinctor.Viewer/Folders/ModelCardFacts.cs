namespace Tinctor.Viewer.Folders;

/// <summary>Facts of a model card for lists of models: its heading, which names the stains, and its scores.</summary>
/// <param name="Heading">First heading; null if there is none.</param>
/// <param name="Scores">Names and texts of the scores.</param>
internal sealed record ModelCardFacts(string? Heading, IReadOnlyList<(string Name, string Text)> Scores)
{
    private const int LongestText = 300;

    // Rows of the table that tinctor writes, and those of the samples and the documentation.
    private static readonly string[] Shown = ["Stains", "Validation", "Test"];

    /// <summary>Facts of a model without a card.</summary>
    public static ModelCardFacts None { get; } = new(null, []);

    /// <summary>Reads the facts from the Markdown of a card.</summary>
    public static ModelCardFacts Parse(string card)
    {
        string[] lines = card.Split('\n', StringSplitOptions.TrimEntries);
        string? heading = lines.FirstOrDefault(line => line.StartsWith("# ", StringComparison.Ordinal))?[2..].Trim();
        return new(heading is { Length: > 0 } ? Cut(heading) : null,
            [.. lines.Select(Row).OfType<(string Name, string Text)>().Where(row => Shown.Contains(row.Name)).DistinctBy(row => row.Name)]);
    }

    private static (string, string)? Row(string line) =>
        line.StartsWith('|') && line.EndsWith('|') && line.Length > 2 && line[1..^1].Split('|', 2, StringSplitOptions.TrimEntries)
            is [{ Length: > 0 } name, { Length: > 0 } text] ? (name, Cut(text)) : null;

    private static string Cut(string text) => text.Length <= LongestText ? text : text[..LongestText] + "…";
}
