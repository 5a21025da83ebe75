using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>Pages in Chromium, on the real server.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    private static async Task<TestServer> StartAsync()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "kidney.ome.tif", 1200, 900);
        TestServer.WriteSlide(folder, "liver.png", 300, 200, seed: 2);
        return await TestServer.StartAsync(folder);
    }

    [Fact]
    public async Task List_shows_slides_and_follows_the_search()
    {
        await using var server = await StartAsync();
        await using var opened = await browser.OpenAsync(server, "/");
        await opened.UntilAsync("() => [...document.querySelectorAll('#slides-list img')].filter(i => i.naturalWidth > 0).length === 2");
        Assert.True(await opened.Page.GetByText("Research use only").IsVisibleAsync());
        await opened.Page.FillAsync("#search", "liv");
        await opened.UntilAsync("() => document.querySelectorAll('#slides-list > li').length === 1");
        Assert.Equal("1 slide found", await opened.Page.TextContentAsync("#slides-count"));
        await opened.Page.FillAsync("#search", "nothing of this kind");
        await opened.UntilAsync("() => document.getElementById('slides-count').textContent.startsWith('No slide matches')");
        opened.AssertClean();
    }

    [Theory]
    [InlineData("models")]
    [InlineData("runs")]
    public async Task Empty_list_states_so_in_one_line(string list)
    {
        await using var server = await StartAsync();
        await using var opened = await browser.OpenAsync(server, "/#" + list);
        await opened.UntilAsync($"() => document.getElementById('{list}-count').textContent.includes('have no')");
        Assert.False(await opened.Page.IsVisibleAsync("#problem"));
        await opened.Page.WaitForSelectorAsync("#tabs a[href='#jobs']");
        opened.AssertClean();
    }

    [Fact]
    public async Task View_restores_permalink_and_keeps_it()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        await using var opened = await browser.OpenAsync(server,
            $"/view?slide={id}&compare={id}/haematoxylin&mode=side&x=700&y=400&zoom=2&rotation=-30");
        await opened.DrawnAsync();
        Assert.Equal("Magnification 40×", await opened.Page.TextContentAsync("#magnification"));
        await opened.Page.Keyboard.PressAsync("+");
        await opened.UntilAsync("() => Math.abs(new URLSearchParams(location.search).get('zoom') - 3) < 0.01");
        var query = HttpUtility.ParseQueryString(new Uri(opened.Page.Url).Query);
        double Number(string name) => double.Parse(query[name]!, CultureInfo.InvariantCulture);
        Assert.Equal(700, Number("x"), 0.2);
        Assert.Equal(400, Number("y"), 0.2);
        Assert.Equal(-30, Number("rotation"), 0.2);
        Assert.Equal(id + "/haematoxylin", query["compare"]);
        opened.AssertClean();
    }

    [Fact]
    public async Task Modes_are_chosen_by_keys_and_curtain_is_a_slider()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}");
        await opened.DrawnAsync();
        string[] modes = ["single", "side", "curtain", "opacity", "flicker"];
        for (int i = 1; i < modes.Length; i++)
        {
            await opened.Page.Keyboard.PressAsync((i + 1).ToString(CultureInfo.InvariantCulture));
            await opened.UntilAsync($"() => new URLSearchParams(location.search).get('mode') === '{modes[i]}'");
            Assert.Equal("true", await opened.Page.GetAttributeAsync($"[data-mode={modes[i]}]", "aria-pressed"));
        }
        await opened.Page.Keyboard.PressAsync("3");
        await opened.Page.FocusAsync("#curtain");
        await opened.Page.Keyboard.PressAsync("PageDown");
        await opened.UntilAsync("() => document.getElementById('curtain').ariaValueNow === '40'");
        Assert.Contains("60%", await opened.Page.EvaluateAsync<string>("() => document.querySelector('#first canvas').style.clipPath"));
        opened.AssertClean();
    }

    [Fact]
    public async Task Regions_are_made_by_keyboard_and_exported()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&x=600&y=450&zoom=2");
        await opened.DrawnAsync();
        await opened.Page.SelectOptionAsync("#class", "Tumor");
        await opened.Page.FocusAsync("#add-view");
        await opened.Page.Keyboard.PressAsync("Enter");
        await opened.UntilAsync("() => document.querySelectorAll('#regions > li').length === 1");
        JsonNode feature = JsonNode.Parse(await ExportAsync(opened.Page))!["features"]![0]!;
        Assert.Equal("Polygon", (string?)feature["geometry"]!["type"]);
        Assert.Equal("""{"objectType":"annotation","classification":{"name":"Tumor","color":[200,0,0]}}""",
            feature["properties"]!.ToJsonString());
        var xs = feature["geometry"]!["coordinates"]![0]!.AsArray().Select(point => (double)point![0]!).ToArray();
        Assert.Equal(600, (xs.Min() + xs.Max()) / 2, 1.0);
        opened.AssertClean();
    }

    [Fact]
    public async Task Regions_of_QuPath_keep_holes_and_classes_and_survive_other_pictures()
    {
        const string Collection = """
            {"type":"FeatureCollection","features":[{"type":"Feature","id":"q1","geometry":{"type":"MultiPolygon","coordinates":
            [[[[100,100],[400,100],[400,300],[100,100]],
            [[200,130],[300,150],[300,180],[200,130]]],[[[500,500],[600,500],[600,600],[500,500]]]]},
            "properties":{"objectType":"annotation","name":"A","classification":{"name":"Own","color":[1,120,255]},"isLocked":true}}]}
            """;
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif"), other = await server.IdAsync("liver.png");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&layer={other}/source");
        await opened.DrawnAsync();
        await opened.Page.SetInputFilesAsync("#region-file",
            new FilePayload { Name = "in.geojson", MimeType = "application/geo+json", Buffer = Encoding.UTF8.GetBytes(Collection) });
        await opened.UntilAsync("() => document.querySelectorAll('#regions > li').length === 1");
        // They were drawn in the pixels of a coarser picture, and are drawn anew in those of the slide.
        await opened.Page.SelectOptionAsync("#shown", $"{id}/dab");
        await opened.UntilAsync("() => document.getElementById('first-tag').textContent === 'DAB'");
        Assert.Equal(Collection.ReplaceLineEndings(""), await ExportAsync(opened.Page));
        opened.AssertClean();
    }

    [Fact]
    public async Task Rectangle_is_drawn_by_dragging()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&x=600&y=450&zoom=0.5");
        await opened.DrawnAsync();
        await opened.Page.ClickAsync("#draw-rectangle");
        var box = (await opened.Page.Locator("#first").BoundingBoxAsync())!;
        float x = box.X + (box.Width / 2), y = box.Y + (box.Height / 2);
        await opened.Page.Mouse.MoveAsync(x, y);
        await opened.Page.Mouse.DownAsync();
        await opened.Page.Mouse.MoveAsync(x + 50, y + 30);
        await opened.Page.Mouse.MoveAsync(x + 100, y + 60);
        await opened.Page.Mouse.UpAsync();
        await opened.UntilAsync("() => document.querySelectorAll('#regions > li').length === 1");
        var points = JsonNode.Parse(await ExportAsync(opened.Page))!["features"]![0]!["geometry"]!["coordinates"]![0]!.AsArray();
        Assert.Equal(200, (double)points[2]![0]! - (double)points[0]![0]!, 4.0);
        Assert.Equal(120, (double)points[2]![1]! - (double)points[0]![1]!, 4.0);
        opened.AssertClean();
    }

    [Fact]
    public async Task Slide_is_stained_on_demand_and_as_a_job()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSample(folder);
        await using var server = await TestServer.StartAsync(folder, options =>
            options with { Models = [RepositoryFiles.Path("samples/model")] });
        await using var opened = await browser.OpenAsync(server, $"/view?slide={await server.IdAsync("he.ome.tif")}");
        await opened.DrawnAsync();
        Assert.False(await opened.Page.IsVisibleAsync("#staining"));
        await opened.Page.SelectOptionAsync("#shown", new SelectOptionValue { Label = "model" });
        await opened.UntilAsync("() => /: 1 of 1 tiles are stained/.test(document.getElementById('staining-note').textContent)");
        Assert.Contains("layer=model", opened.Page.Url);
        await opened.DrawnAsync();
        await opened.Page.ClickAsync("#stain-whole");
        await opened.UntilAsync("() => document.getElementById('staining-note').textContent === 'model: the slide is stained.'");
        await opened.Page.GotoAsync(new Uri(server.Server.Address, "/#jobs").ToString());
        await opened.UntilAsync("() => document.querySelector('#jobs-list .state.finished') !== null");
        Assert.Equal("he.ome.tif", await opened.Page.TextContentAsync("#jobs-list h2"));
        opened.AssertClean();
    }

    [Fact]
    public async Task Screenshot_shows_the_stage()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&x=600&y=450&zoom=2");
        await opened.DrawnAsync();
        var download = await opened.Page.RunAndWaitForDownloadAsync(() => opened.Page.Keyboard.PressAsync("s"));
        Assert.Equal("kidney.ome.tif.png", download.SuggestedFilename);
        using var folder = new TemporaryFolder();
        await download.SaveAsAsync(folder.File("shot.png"));
        Image shot = Image.Read(folder.File("shot.png"));
        var box = (await opened.Page.Locator("#stage").BoundingBoxAsync())!;
        Assert.Equal((Math.Round(box.Width), Math.Round(box.Height)), (shot.Width, shot.Height));
        opened.AssertClean();
    }

    [Fact]
    public async Task Server_that_is_gone_is_stated_in_one_line()
    {
        var server = await StartAsync();
        await using var opened = await browser.OpenAsync(server, "/");
        await opened.UntilAsync("() => document.querySelectorAll('#slides-list > li').length === 2");
        await server.DisposeAsync();
        await opened.Page.FillAsync("#search", "kidney");
        await opened.UntilAsync("() => document.querySelector('#problem span')?.textContent.startsWith('The server does not answer.')");
    }

    [Fact]
    public async Task Unknown_slide_is_stated_in_one_line()
    {
        await using var server = await StartAsync();
        await using var opened = await browser.OpenAsync(server, "/view?slide=none");
        await opened.UntilAsync("() => document.querySelector('#problem span')?.textContent.includes('no such slide')");
    }

    [Theory]
    [InlineData(360, ColorScheme.Light)]
    [InlineData(1024, ColorScheme.Dark)]
    [InlineData(1920, ColorScheme.Light)]
    public async Task Pages_fit_and_are_accessible(int width, ColorScheme scheme)
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("kidney.ome.tif");
        foreach (string path in new[] { "/", "/#runs", $"/view?slide={id}", $"/view?slide={id}&compare={id}/eosin&mode=curtain" })
        {
            await using var opened = await browser.OpenAsync(server, path, width, scheme);
            if (path.StartsWith("/view", StringComparison.Ordinal)) await opened.DrawnAsync();
            else await opened.UntilAsync("() => document.querySelector('main section:not([hidden]) .count').textContent !== ''");
            Assert.True(await opened.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
                $"{path} at {width}");
            var result = await opened.Page.RunAxe();
            string[] serious = [.. result.Violations.Where(v => v.Impact is "serious" or "critical")
                .SelectMany(v => v.Nodes.Select(node => $"{path} {v.Id}: {node.Html}"))];
            Assert.Empty(serious);
            opened.AssertClean();
        }
    }

    private static async Task<string> ExportAsync(IPage page)
    {
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("#export"));
        return await File.ReadAllTextAsync(await download.PathAsync());
    }
}
