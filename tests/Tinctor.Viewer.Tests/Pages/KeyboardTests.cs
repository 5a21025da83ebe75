using Microsoft.Playwright;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>The whole way from the list of slides to a file of measurements, without a pointer.</summary>
public sealed class KeyboardTests(Browser browser) : IClassFixture<Browser>
{
    private const int MostTabs = 120;

    [Fact]
    public async Task Slide_is_found_stained_compared_and_measured_with_keys_alone()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSample(folder);
        TestServer.WriteSlide(folder, "other.png", 64, 64);
        await using var server = await TestServer.StartAsync(folder, options =>
            options with { Models = [RepositoryFiles.Path("samples/model")] });
        await using var opened = await browser.OpenAsync(server, "/");
        IPage page = opened.Page;
        await opened.UntilAsync("() => document.querySelectorAll('#slides-list > li').length === 2");
        await TabToAsync(page, "#search");
        await page.Keyboard.TypeAsync("he.ome");
        await opened.UntilAsync("() => document.querySelectorAll('#slides-list > li').length === 1");
        await TabToAsync(page, "#slides-list a");
        await page.Keyboard.PressAsync("Enter");
        await opened.DrawnAsync();

        // The last entry of the list is the model.
        await TabToAsync(page, "#shown");
        await page.Keyboard.PressAsync("End");
        await opened.UntilAsync("() => /tiles are stained|slide is stained/.test(document.getElementById('staining-note').textContent)");
        await opened.DrawnAsync();
        await TabToAsync(page, "[data-mode=curtain]");
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "#curtain");
        await page.Keyboard.PressAsync("PageUp");
        await opened.UntilAsync("() => document.getElementById('curtain').ariaValueNow === '60'");
        await TabToAsync(page, "#add-view");
        await page.Keyboard.PressAsync("Enter");
        await opened.UntilAsync("() => document.querySelectorAll('#regions > li').length === 1");

        await OpenAsync(page, "#measure");
        await page.Keyboard.PressAsync("Enter");
        await opened.UntilAsync("() => document.getElementById('measure-note').textContent === 'Measured.'");
        await TabToAsync(page, "#measure-csv");
        IDownload file = await page.RunAndWaitForDownloadAsync(() => page.Keyboard.PressAsync("Enter"));
        Assert.EndsWith(".csv", file.SuggestedFilename);
        opened.AssertClean();
    }

    private static Task TabToAsync(IPage page, string selector) =>
        TabAsync(page, $"() => document.activeElement?.matches('{selector}')");

    // Opens the section that holds a control, and moves on to it.
    private static async Task OpenAsync(IPage page, string selector)
    {
        await TabAsync(page, $"() => document.activeElement?.matches('summary') && document.activeElement.nextElementSibling "
            + $"&& document.activeElement.parentElement.querySelector('{selector}')");
        if (!await page.EvaluateAsync<bool>("() => document.activeElement.parentElement.open")) await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, selector);
    }

    private static async Task TabAsync(IPage page, string isThere)
    {
        for (int i = 0; i < MostTabs; i++)
        {
            if (await page.EvaluateAsync<bool>($"() => !!({isThere})()")) return;
            await page.Keyboard.PressAsync("Tab");
            Assert.True(await page.EvaluateAsync<bool>(
                "() => document.activeElement === document.body || document.activeElement.matches(':focus-visible')"),
                "the focus is not visible");
        }
        Assert.Fail($"no number of tabs leads to {isThere}");
    }
}
