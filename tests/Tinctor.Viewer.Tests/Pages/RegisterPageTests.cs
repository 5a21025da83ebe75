using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Tinctor.Transforms;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>The page of registrations in Chromium, on the real server.</summary>
public sealed class RegisterPageTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Landmarks_are_placed_refitted_and_saved()
    {
        await using TestServer server = await TestServer.StartAsync(RegistrationTests.Write(AffineTransform.Identity));
        string id = (await server.JsonAsync("/api/v1/registrations"))[0].GetProperty("id").GetString()!;
        await using var opened = await browser.OpenAsync(server, $"/register?registration={id}");
        IPage page = opened.Page;
        await opened.UntilAsync(
            "() => document.getElementById('pairs-box').hidden && document.getElementById('facts').children.length > 0");
        (double X, double Y)[] places = [(120, 100), (480, 90), (300, 400), (150, 330)];
        for (int i = 0; i < places.Length; i++)
        {
            await ClickAsync(page, "#source-pane", places[i]);
            // The target shows where the landmark is expected, at the centre of its pane.
            await opened.UntilAsync(Centred);
            (double u, double v) = RegistrationTests.Truth.Apply(places[i].X, places[i].Y);
            if (i == 0) await ClickAsync(page, "#target-pane", (u - places[0].X + 299.5, v - places[0].Y + 249.5));
            else if (i == 1)
            {
                (double firstU, double firstV) = RegistrationTests.Truth.Apply(places[0].X, places[0].Y);
                await ClickAsync(page, "#target-pane",
                    (u - places[1].X - firstU + places[0].X + 299.5, v - places[1].Y - firstV + places[0].Y + 249.5));
            }
            else
            {
                await page.FocusAsync("#target-pane .openseadragon-canvas");
                await page.Keyboard.PressAsync("Enter");
            }
            await opened.UntilAsync($"() => document.querySelectorAll('#pairs > tr').length === {i + 1}"
                + " && [...document.querySelectorAll('#pairs > tr td:nth-child(2)')].every(cell => /^\\d/.test(cell.textContent))");
        }
        // Arrow keys move a landmark, and Delete removes a pair.
        await page.FocusAsync("#target-pane .mark:first-of-type");
        await page.Keyboard.PressAsync("Shift+ArrowRight");
        await page.Keyboard.PressAsync("Shift+ArrowLeft");
        await page.ClickAsync("#refit");
        await opened.UntilAsync("() => document.getElementById('fit-note').textContent.startsWith('Median error')");
        Assert.True(await page.IsEnabledAsync("#correct"));
        await page.ClickAsync("[data-view=curtain]");
        await opened.UntilAsync("() => document.querySelectorAll('#stage canvas').length > 1");
        await page.FillAsync("#by", "A. Reader");
        await page.ClickAsync("#correct");
        await opened.UntilAsync("() => document.getElementById('review-note').textContent === 'Saved.'");
        Assert.Contains("Corrected", await page.TextContentAsync("#facts"));
        string file = (await page.TextContentAsync("#commands pre"))!;
        RegistrationTransform saved = TransformFile.Read(file);
        Assert.Equal((ReviewState.Corrected, "A. Reader", 4), (saved.Review!.State, saved.Review.By, saved.Review.Landmarks));
        // Clicks are as exact as the screen; without landmarks the error is 18 pixels.
        (double savedU, double savedV) = saved.Apply(310, 200);
        Assert.Equal(RegistrationTests.Truth.Apply(310, 200).X, savedU, 6.0);
        Assert.Equal(RegistrationTests.Truth.Apply(310, 200).Y, savedV, 6.0);
        await page.ClickAsync("#reject");
        await opened.UntilAsync("() => document.getElementById('review-note').textContent.startsWith('Rejected')");
        Assert.False(TransformFile.Read(file).IsUsable);
        opened.AssertClean();
    }

    [Fact]
    public async Task View_compares_slide_with_registered_one()
    {
        await using TestServer server = await TestServer.StartAsync(RegistrationTests.Write(RegistrationTests.Truth));
        await using var opened = await browser.OpenAsync(server, "/");
        await opened.Page.GetByText("b.png (registered, automatic)").ClickAsync();
        await opened.DrawnAsync();
        await opened.UntilAsync("() => document.getElementById('second-tag').textContent === 'b.png (registered)'");
        Assert.Contains("registered", opened.Page.Url);
        opened.AssertClean();
    }

    [Fact]
    public async Task Registration_is_begun_by_hand_from_list()
    {
        await using TestServer server = await TestServer.StartAsync(RegistrationTests.Write(RegistrationTests.Truth));
        await using var opened = await browser.OpenAsync(server, "/register");
        await opened.UntilAsync("() => document.querySelectorAll('#registrations > li').length === 1");
        await opened.Page.FillAsync("#source", "a.png");
        await opened.Page.FillAsync("#target", "b.png");
        await opened.Page.ClickAsync("#begin-by-hand");
        await opened.UntilAsync("() => document.getElementById('facts').textContent.includes('Begun by hand')");
        opened.AssertClean();
    }

    [Fact]
    public async Task Pages_fit_and_are_accessible()
    {
        await using TestServer server = await TestServer.StartAsync(RegistrationTests.Write(RegistrationTests.Truth));
        string id = (await server.JsonAsync("/api/v1/registrations"))[0].GetProperty("id").GetString()!;
        foreach (string path in new[] { "/register", $"/register?registration={id}" })
        {
            await using var opened = await browser.OpenAsync(server, path, 360);
            await opened.UntilAsync(path == "/register" ? "() => document.querySelectorAll('#registrations > li').length === 1"
                : "() => document.getElementById('facts').children.length > 0");
            (int, ColorScheme)[] windows = [(360, ColorScheme.Light), (1024, ColorScheme.Dark), (1920, ColorScheme.Light)];
            foreach ((int width, ColorScheme scheme) in windows)
            {
                await opened.Page.SetViewportSizeAsync(width, 900);
                await opened.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                Assert.True(await opened.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"),
                    $"{path} at {width}");
                if (width == 1920) continue;
                var result = await opened.Page.RunAxe();
                Assert.Empty(result.Violations.Where(v => v.Impact is "serious" or "critical")
                    .SelectMany(v => v.Nodes.Select(node => $"{path} {v.Id}: {node.Html}")));
            }
            opened.AssertClean();
        }
    }

    private const string Centred = """
        () => {
            const mark = document.querySelector('#target-pane .expected')?.getBoundingClientRect();
            const pane = document.getElementById('target-pane').getBoundingClientRect();
            return mark !== undefined && Math.hypot(mark.x + mark.width / 2 - pane.x - pane.width / 2,
                mark.y + mark.height / 2 - pane.y - pane.height / 2) < 1;
        }
        """;

    // Clicks a pixel of a picture that fills its pane, centred.
    private static async Task ClickAsync(IPage page, string pane, (double X, double Y) place)
    {
        var box = (await page.Locator(pane).BoundingBoxAsync())!;
        double scale = Math.Min(box.Width / RegistrationTests.Width, box.Height / RegistrationTests.Height);
        await page.Mouse.ClickAsync((float)(box.X + (box.Width / 2) + ((place.X - 299.5) * scale)),
            (float)(box.Y + (box.Height / 2) + ((place.Y - 249.5) * scale)));
    }
}
