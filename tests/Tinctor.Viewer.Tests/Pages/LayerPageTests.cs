using Deque.AxeCore.Playwright;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>Layers of the view page in Chromium: channels, uncertainty, and other slides.</summary>
public sealed class LayerPageTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Channels_are_switched_coloured_and_kept_in_the_permalink()
    {
        var folder = new TemporaryFolder();
        ChannelTests.WriteFour(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        string id = await server.IdAsync("four.ome.tif");
        await using var opened = await browser.OpenAsync(server, $"/view?slide={id}&channels=0:0000ff:0:1000");
        await opened.DrawnAsync();
        bool[] shown = await opened.Page.Locator(".channel input[type=checkbox]").EvaluateAllAsync<bool[]>(
            "inputs => inputs.map(input => input.checked)");
        Assert.Equal([true, false, false, false], shown);
        await UntilColourAsync(opened, 0, 0, 255);
        await opened.Page.Locator(".channel input[type=color]").First.EvaluateAsync(
            "input => { input.value = '#ff0000'; input.dispatchEvent(new Event('input')); }");
        await UntilColourAsync(opened, 255, 0, 0);
        await opened.Page.ClickAsync(".channel >> nth=0 >> summary");
        await opened.Page.GetByLabel("Brightest sample as a number of DAPI").FillAsync("2000");
        await UntilColourAsync(opened, 128, 0, 0);
        await opened.UntilAsync("() => location.search.includes('channels=0:ff0000:0:2000')");
        await opened.Page.FocusAsync(".channel:nth-child(2) input[type=checkbox]");
        await opened.Page.Keyboard.PressAsync("Space");
        await UntilColourAsync(opened, 255, 0, 255);
        await opened.Page.GetByText("Hide all").ClickAsync();
        await UntilColourAsync(opened, 0, 0, 0);
        Assert.DoesNotContain((await opened.Page.RunAxe()).Violations, v => v.Impact is "serious" or "critical");
        opened.AssertClean();
    }

    [Fact]
    public async Task Uncertainty_lies_over_the_stained_result_by_default_and_is_switched_by_a_key()
    {
        var folder = new TemporaryFolder();
        UncertaintyTests.WriteStained(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        string source = await server.IdAsync("source.ome.tif");
        string stained = (await server.SlidesAsync()).Single().GetProperty("results")[0].GetProperty("id").GetString()!;
        await using var opened = await browser.OpenAsync(server, $"/view?slide={source}&layer={stained}/source&overlay-opacity=1");
        await opened.DrawnAsync();
        await UntilColourAsync(opened, 200, 30, 40);
        Assert.Contains("60% of the source is unlike", await opened.Page.TextContentAsync("#result-facts"));
        Assert.Contains("unreliable: 20 % or more", await opened.Page.TextContentAsync("#overlay-legend"));
        Assert.DoesNotContain((await opened.Page.RunAxe()).Violations, v => v.Impact is "serious" or "critical");
        await opened.Page.Keyboard.PressAsync("u");
        await opened.UntilAsync("() => new URLSearchParams(location.search).get('overlay') === 'none'");
        await opened.Page.ClickAsync("[data-overlay=novelty]");
        await opened.UntilAsync("() => new URLSearchParams(location.search).get('overlay') === 'novelty'");
        Assert.Contains("unfamiliar", await opened.Page.TextContentAsync("#overlay-legend"));
        await opened.Page.Keyboard.PressAsync("u");
        await opened.Page.Keyboard.PressAsync("u");
        Assert.Equal("true", await opened.Page.GetAttributeAsync("[data-overlay=novelty]", "aria-pressed"));
        // Other pictures have no uncertainty.
        await opened.Page.SelectOptionAsync("#shown", $"{source}/source");
        await opened.UntilAsync("() => document.getElementById('result-section').hidden");
        opened.AssertClean();
    }

    [Fact]
    public async Task Another_slide_is_found_and_compared_by_keyboard()
    {
        var folder = new TemporaryFolder();
        string first = TestServer.WriteSlide(folder, "first.png", 300, 200);
        for (int i = 0; i < 30; i++) File.Copy(first, folder.File($"slides/copy{i:00}.png"));
        TestServer.WriteSlide(folder, "wanted.png", 300, 200, seed: 2);
        await using TestServer server = await TestServer.StartAsync(folder);
        await using var opened = await browser.OpenAsync(server, $"/view?slide={await server.IdAsync("first.png")}");
        await opened.DrawnAsync();
        await opened.Page.FocusAsync("#other-slide");
        await opened.Page.Keyboard.PressAsync("Enter");
        await opened.UntilAsync("() => /^32 slides; the first 20 are listed/.test(document.getElementById('choose-count').textContent)");
        Assert.DoesNotContain((await opened.Page.RunAxe()).Violations, v => v.Impact is "serious" or "critical");
        await opened.Page.Keyboard.TypeAsync("wanted");
        await opened.UntilAsync("() => document.getElementById('choose-count').textContent === '1 slide'");
        await opened.Page.Keyboard.PressAsync("Enter");
        string wanted = await server.IdAsync("wanted.png");
        await opened.UntilAsync($"() => new URLSearchParams(location.search).get('compare') === '{wanted}'");
        Assert.Equal("wanted.png", await opened.Page.TextContentAsync("#second-tag"));
        opened.AssertClean();
    }

    // Colour of the picture left of its centre and above it, to the accuracy of JPEG.
    private static Task UntilColourAsync(OpenedPage opened, int red, int green, int blue) => opened.UntilAsync($$"""
        () => {
            const canvas = document.querySelector('#first canvas');
            const point = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
            const context = point.getContext('2d', { willReadFrequently: true });
            context.drawImage(canvas, -canvas.width / 2 + 60, -canvas.height / 2 + 60);
            const colour = context.getImageData(0, 0, 1, 1).data;
            return [{{red}}, {{green}}, {{blue}}].every((value, i) => Math.abs(colour[i] - value) < 8);
        }
        """);
}
