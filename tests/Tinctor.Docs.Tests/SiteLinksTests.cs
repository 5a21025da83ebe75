using Tinctor.Tests;

namespace Tinctor.Docs.Tests;

public sealed class SiteLinksTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void Broken_lists_missing_files_and_places()
    {
        Write("index.html", """
            <a href="page.html">x</a> <a href="page.html#there">x</a> <a href="#here">x</a> <p id="here">
            <img src="data:image/png;base64,AA">
            <a href="https://example.org/missing.html">x</a> <a href="absent.html">x</a> <a href="page.html#absent">x</a>
            <img src="absent.png">
            """);
        Write("page.html", """<h2 id="there">x</h2> <a href="../outside.html">x</a>""");
        Write("../outside.html", "");
        string[] expected = ["index.html: absent.html", "index.html: absent.png", "index.html: page.html#absent",
            "page.html: ../outside.html"];
        Assert.Equal(expected, new SiteLinks(Site).Broken().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void EmbeddedFromElsewhere_lists_files_of_other_servers()
    {
        Write("index.html", """
            <link rel="stylesheet" href="https://example.org/a.css"> <script src="//example.org/b.js"></script>
            <script src="own.js"></script>
            <img src="http://example.org/c.png"> <a href="https://example.org">x</a>
            <img src="data:image/png;base64,AA">
            """);
        string[] expected = ["index.html: //example.org/b.js", "index.html: http://example.org/c.png",
            "index.html: https://example.org/a.css"];
        Assert.Equal(expected, new SiteLinks(Site).EmbeddedFromElsewhere().Order(StringComparer.Ordinal));
    }

    public void Dispose() => folder.Dispose();

    private string Site => Path.Combine(folder.Path, "site");

    private void Write(string name, string html)
    {
        Directory.CreateDirectory(Site);
        File.WriteAllText(Path.Combine(Site, name), html);
    }
}
