using AngleSharp.Html.Parser;

namespace Tinctor.Docs.Tests;

/// <summary>Links and embedded files of the HTML pages in a folder.</summary>
internal sealed class SiteLinks
{
    private static readonly HtmlParser Parser = new();

    private readonly string folder;
    private readonly Dictionary<string, HashSet<string>> anchors = [];
    private readonly List<(string Page, string Address, bool Embedded)> links = [];

    /// <summary>Reads all pages below a folder.</summary>
    public SiteLinks(string folder)
    {
        this.folder = Path.GetFullPath(folder);
        foreach (string page in Directory.EnumerateFiles(this.folder, "*.html", SearchOption.AllDirectories))
            Read(page);
    }

    /// <summary>Relative paths of all pages.</summary>
    public IEnumerable<string> Pages => anchors.Keys.Select(Relative).Order(StringComparer.Ordinal);

    /// <summary>Links that lead to no file or no place in a page, as "PAGE: ADDRESS".</summary>
    public IEnumerable<string> Broken() =>
        links.Where(l => !IsElsewhere(l.Address) && !Exists(l.Page, l.Address)).Select(Describe);

    /// <summary>Scripts, styles and pictures that are loaded from elsewhere, as "PAGE: ADDRESS".</summary>
    public IEnumerable<string> EmbeddedFromElsewhere() => links.Where(l => l.Embedded && IsElsewhere(l.Address)).Select(Describe);

    /// <summary>Relative paths of the files that a page links to or embeds.</summary>
    public IEnumerable<string> Targets(string page) => links
        .Where(l => Relative(l.Page) == page && !IsElsewhere(l.Address)).Select(l => Relative(Resolve(l.Page, l.Address).File));

    private void Read(string page)
    {
        using var stream = File.OpenRead(page);
        using var document = Parser.ParseDocument(stream);
        anchors[page] = [.. document.All.SelectMany(e => new[] { e.Id, e.GetAttribute("name") }).OfType<string>()];
        foreach (var element in document.All)
            foreach (string name in new[] { "href", "src", "srcset", "poster", "data" })
                if (element.GetAttribute(name) is { Length: > 0 } address)
                    links.Add((page, address, name != "href" || element.LocalName == "link"));
    }

    // Addresses that start with // are on another server, with the scheme of the page.
    private static bool IsElsewhere(string address) =>
        !address.StartsWith("data:", StringComparison.Ordinal)
        && (address.StartsWith("//", StringComparison.Ordinal) || Uri.TryCreate(address, UriKind.Absolute, out var uri) && !uri.IsFile);

    private bool Exists(string page, string address)
    {
        if (address.StartsWith("data:", StringComparison.Ordinal)) return true;
        var (file, place) = Resolve(page, address);
        if (!File.Exists(file) || !file.StartsWith(folder, StringComparison.Ordinal)) return false;
        return place.Length == 0 || anchors.TryGetValue(file, out var places) && places.Contains(place);
    }

    private static (string File, string Place) Resolve(string page, string address)
    {
        string[] parts = address.Split('#', 2);
        string path = Uri.UnescapeDataString(parts[0].Split('?')[0]);
        string file = path.Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, path));
        return (file, parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
    }

    private string Relative(string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');

    private string Describe((string Page, string Address, bool Embedded) link) => $"{Relative(link.Page)}: {link.Address}";
}
