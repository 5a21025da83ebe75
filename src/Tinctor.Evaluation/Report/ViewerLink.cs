using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Links from pages to the viewer. They name slides by file name and content, so that a server finds them in its own folders, wherever the
/// page and the slides lie.
/// </summary>
internal static class ViewerLink
{
    /// <summary>Address at which the viewer serves by default.</summary>
    public const string DefaultServer = "http://127.0.0.1:8265";

    /// <summary>Creates a link that opens a slide, or two beside each other.</summary>
    /// <param name="server">Address of the server; null for no link.</param>
    /// <param name="shown">The slide.</param>
    /// <param name="compared">Slide to compare with; null for none.</param>
    /// <returns>The link, or nothing without a server.</returns>
    /// <exception cref="TinctorException">A file cannot be read.</exception>
    public static IReadOnlyList<SectionLink> Create(string? server, string shown, string? compared = null)
    {
        if (server is null) return [];
        string query = $"name={Name(shown)}&fingerprint={SlideContent.Fingerprint(shown)}";
        if (compared is not null) query += $"&compare={Name(compared)}&compareFingerprint={SlideContent.Fingerprint(compared)}";
        return [new("Open in the viewer", $"{server.TrimEnd('/')}/open?{query}")];
    }

    private static string Name(string path) => Uri.EscapeDataString(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)));
}
