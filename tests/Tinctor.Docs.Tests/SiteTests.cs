using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tinctor.Tests;

namespace Tinctor.Docs.Tests;

/// <summary>Checks of the built documentation site.</summary>
public sealed partial class SiteTests(Site site) : IClassFixture<Site>
{
    [Fact]
    public void Links_and_pictures_exist() => Assert.Empty(site.Links.Broken());

    [Fact]
    public void Pages_embed_only_files_of_site() => Assert.Empty(site.Links.EmbeddedFromElsewhere());

    [Fact]
    public void Contents_list_every_page_and_library()
    {
        var listed = site.Links.Targets("docs/toc.html").Concat(site.Links.Targets("api/toc.html")).ToHashSet();
        string[] beside = ["index.html", "toc.html", "docs/toc.html", "api/toc.html"];
        Assert.Empty(site.Links.Pages.Except(beside).Except(listed));
        Assert.Superset(new HashSet<string> { "docs/first-steps.html", "docs/methods/bbdm.html", "api/Tinctor.Staining.Stainer.html" },
            listed);
    }

    // docfx checks the links of the pages of the site; the first page of the repository is not among them.
    [Fact]
    public void Links_of_readme_exist()
    {
        var links = MarkdownLink().Matches(File.ReadAllText(RepositoryFiles.Path("README.md"))).Select(m => m.Groups[1].Value).ToArray();
        Assert.Contains("docs/index.md", links);
        Assert.All(links.Where(l => !l.Contains("://", StringComparison.Ordinal)),
            l => Assert.True(Path.Exists(RepositoryFiles.Path(l.Split('#')[0])), l));
    }

    [Fact]
    public void Pictures_of_docs_are_shown()
    {
        var shown = site.Links.Pages.SelectMany(site.Links.Targets).ToHashSet();
        string folder = RepositoryFiles.Path("docs");
        var pictures = Directory.EnumerateFiles(Path.Combine(folder, "images"))
            .Select(f => "docs/" + Path.GetRelativePath(folder, f).Replace('\\', '/'));
        Assert.Empty(pictures.Except(shown));
    }

    [Fact]
    public void Files_do_not_name_folders_of_machine()
    {
        string[] folders = [RepositoryFiles.Path("").TrimEnd('/'), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + "/"];
        string[] kinds = [".html", ".json", ".yml"];
        var files = Directory.EnumerateFiles(site.Folder, "*", SearchOption.AllDirectories)
            .Where(f => kinds.Contains(Path.GetExtension(f)));
        Assert.All(files, f => Assert.False(folders.Any(File.ReadAllText(f).Contains), f));
    }

    [Theory]
    [InlineData(360), InlineData(1280)]
    public async Task Pages_fit_screen_and_load_only_files_of_site(int width)
    {
        var page = await site.OpenTab(width);
        string[] api = ["api/Tinctor.Staining.html", "api/Tinctor.Staining.Stainer.html", "api/Tinctor.Evaluation.Evaluator.html"];
        var wide = new List<string>();
        foreach (string name in site.Links.Pages.Where(p => !p.StartsWith("api/") && !p.EndsWith("toc.html")).Concat(api))
        {
            await page.GotoAsync(site.Address + name, new() { WaitUntil = WaitUntilState.Load });
            // The script of the site fills the bar at the top from the table of contents.
            await Assertions.Expect(page.Locator("#navpanel .nav-link").First).ToBeAttachedAsync(new() { Timeout = 120_000 });
            if (!await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth")) wide.Add(name);
        }
        Assert.Empty(wide);
        Assert.NotEmpty(site.Requests);
        Assert.Empty(RequestsElsewhere);
        Assert.Empty(site.Errors);
    }

    [Fact]
    public async Task Search_finds_page()
    {
        var page = await site.OpenTab(1280);
        await page.GotoAsync(site.Address);
        var search = page.Locator("#search-query");
        await Assertions.Expect(search).ToBeEnabledAsync(new() { Timeout = 120_000 });
        await search.FillAsync("Vahadane");
        await Assertions.Expect(page.Locator("#search-results a[href*='docs/stains.html']").First)
            .ToBeVisibleAsync(new() { Timeout = 120_000 });
        Assert.Empty(RequestsElsewhere);
    }

    private IEnumerable<string> RequestsElsewhere => site.Requests.Where(r => !r.StartsWith(site.Address, StringComparison.Ordinal)
        && !r.StartsWith("data:", StringComparison.Ordinal));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex MarkdownLink();
}
