using System.Globalization;
using System.Text.Json.Nodes;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>Panel of measurements in Chromium, on the real server.</summary>
public sealed class MeasurePageTests(Browser browser) : IClassFixture<Browser>
{
    private const int Width = 500, Height = 400;

    private static readonly Lazy<Image> Her2 = new(() => Part("her2"));

    [Fact]
    public async Task Region_is_measured_by_keyboard_and_exported()
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("her2.ome.tif"), other = await server.IdAsync("he.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&compare={other}&mode=opacity");
        await opened.DrawnAsync();
        // A region that is larger than the slide, as a drawn one may be, is cut at the slide's edge.
        await opened.Page.FocusAsync("#add-view");
        await opened.Page.Keyboard.PressAsync("Enter");
        await opened.UntilAsync("() => document.querySelectorAll('#regions > li').length === 1");
        await opened.Page.FocusAsync("#regions .choose");
        await opened.Page.Keyboard.PressAsync("Enter");
        await OpenAsync(opened.Page);
        await opened.Page.SelectOptionAsync("#measure-regions", "selected");
        await opened.Page.FillAsync("#measure-positive", "0.2");
        await opened.Page.FocusAsync("#measure");
        await opened.Page.Keyboard.PressAsync("Enter");
        await MeasuredAsync(opened);
        CsvTable table = await CsvAsync(opened.Page);
        Assert.Equal(["value", "value", "difference"], table.Rows.Select(row => row.Text("row")));
        Assert.Equal(["0.2", "0.2"], table.Rows.Take(2).Select(row => row.Text("positive_od")));
        double[] area = [.. table.Rows.Select(row => Number(row, "dab_positive_area (mm²)"))];
        Assert.Equal(area[0] - area[1], area[2], 1e-9);
        string shown = (await opened.Page.TextContentAsync(".measured tr[data-key=dab_positive_area] td"))!;
        Assert.Equal(area[0].ToString("F4", CultureInfo.InvariantCulture), shown);
        await opened.Page.ClickAsync("#measure-add");
        var download = await opened.Page.RunAndWaitForDownloadAsync(() => opened.Page.ClickAsync("#export"));
        JsonNode properties = JsonNode.Parse(await File.ReadAllTextAsync(await download.PathAsync()))!["features"]![0]!["properties"]!;
        Assert.Equal(area[0], (double)properties["measurements"]!["her2.ome.tif: DAB-positive area (mm²)"]!, 1e-9);
        Assert.Equal("annotation", (string?)properties["objectType"]);
        opened.AssertClean();
    }

    [Fact]
    public async Task View_of_whole_slide_has_numbers_of_image()
    {
        await using var server = await StartAsync();
        await using var opened = await browser.OpenAsync(server, $"/view?slide={await server.IdAsync("her2.ome.tif")}");
        await opened.DrawnAsync();
        await OpenAsync(opened.Page);
        await opened.Page.ClickAsync("#measure");
        await opened.UntilAsync("() => document.getElementById('measure-note').textContent.startsWith('Draw a region first')");
        await opened.Page.SelectOptionAsync("#measure-regions", "view");
        await opened.Page.ClickAsync("#measure");
        await MeasuredAsync(opened);
        CsvRow row = Assert.Single((await CsvAsync(opened.Page)).Rows);
        var stains = new StainDensities(Her2.Value);
        IhcCounts counts = IhcCounts.Compute(stains, NucleusDetector.Find(stains, new()), new());
        foreach ((Quantity quantity, Func<IhcCounts, double> value) in IhcCounts.Quantities(new()))
            Assert.Equal(value(counts), Number(row, quantity.Unit.Length > 0 ? $"{quantity.Key} ({quantity.Unit})" : quantity.Key), 1e-9);
        Assert.Equal(counts.Nuclei, Number(row, "nuclei"));
        Assert.StartsWith("Research use only.", row.Text("note"));
        Assert.Equal(("her2.ome.tif", "View", "0.5"), (row.Text("slide"), row.Text("region"), row.Text("um_per_pixel")));
        opened.AssertClean();
    }

    [Theory]
    [InlineData(360, ColorScheme.Dark)]
    [InlineData(1024, ColorScheme.Light)]
    public async Task Results_fit_and_are_accessible(int width, ColorScheme scheme)
    {
        await using var server = await StartAsync();
        string id = await server.IdAsync("her2.ome.tif"), other = await server.IdAsync("he.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&compare={other}&mode=curtain", width, scheme);
        await opened.DrawnAsync();
        await OpenAsync(opened.Page);
        await opened.Page.SelectOptionAsync("#measure-regions", "view");
        await opened.Page.ClickAsync("#measure");
        await MeasuredAsync(opened);
        await opened.Page.ClickAsync("#measuring details > summary");
        Assert.True(await opened.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.True(await opened.Page.EvaluateAsync<bool>(
            "() => [...document.querySelectorAll('.measured')].every(table => table.scrollWidth <= table.clientWidth)"), "tables are cut");
        var result = await opened.Page.RunAxe();
        Assert.Empty(result.Violations.SelectMany(v => v.Nodes.Select(node => $"{v.Id}: {node.Html}")));
        opened.AssertClean();
    }

    private static async Task<TestServer> StartAsync()
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        foreach ((string name, Image image) in new[] { ("her2", Her2.Value), ("he", Part("he")) })
            SlideWriter.Write(folder.File($"slides/{name}.ome.tif"), new SlideSpec(Width, Height) { Mpp = 0.5, JpegQuality = null }, image);
        return await TestServer.StartAsync(folder);
    }

    private static Image Part(string name)
    {
        using Slide whole = Slide.Open(RepositoryFiles.Path($"samples/data/phantom/{name}.ome.tif"));
        return whole.Read(0, 200, 100, Width, Height);
    }

    private static async Task OpenAsync(IPage page)
    {
        await page.WaitForSelectorAsync("#measuring");
        await page.FocusAsync("#measuring > summary");
        await page.Keyboard.PressAsync("Enter");
    }

    private static Task MeasuredAsync(OpenedPage opened) =>
        opened.UntilAsync("() => document.getElementById('measure-note').textContent === 'Measured.'");

    private static async Task<CsvTable> CsvAsync(IPage page)
    {
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("#measure-csv"));
        Assert.Equal("her2.ome.tif.measurements.csv", download.SuggestedFilename);
        return CsvFile.Read(await download.PathAsync());
    }

    private static double Number(CsvRow row, string column) => double.Parse(row.Text(column), CultureInfo.InvariantCulture);
}
