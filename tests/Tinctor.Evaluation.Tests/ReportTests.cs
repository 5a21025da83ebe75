using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tinctor.Evaluation.Report;
using Tinctor.Slides.Colour;

namespace Tinctor.Evaluation.Tests;

/// <summary>The report in a real browser, opened from disk. Skipped where there is no chromium.</summary>
public sealed class ReportTests(ReportBrowser browser) : IClassFixture<ReportBrowser>
{
    [Fact]
    public async Task Open_from_disk_has_no_errors_or_requests()
    {
        var page = await browser.Open();
        await Assertions.Expect(page.Locator("#verdict")).ToContainTextAsync("Beats both baselines");
        await Assertions.Expect(page.Locator(".metric")).ToHaveCountAsync(4);
        await Assertions.Expect(page.Locator(".metric").First).ToContainTextAsync("95% CI");
        await Assertions.Expect(page.Locator("#histogram svg")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#curves figure")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator("#how")).ToContainTextAsync("not for diagnosis");
        await Assertions.Expect(page.Locator("#documents")).ToContainTextAsync("config.yaml");
        Assert.Empty(browser.Errors);
        Assert.Equal([browser.Url], browser.Requests.Where(r => !r.StartsWith("data:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Violins_have_outline_for_each_method()
    {
        var page = await browser.Open();
        // 81 points on each side; medians and quartiles are lines of two points.
        int outlines = await page.EvaluateAsync<int>("[...document.querySelectorAll('#violins svg path')]"
            + ".filter(path => path.getAttribute('d').split('L').length > 81).length");
        Assert.Equal(await page.EvaluateAsync<int>("JSON.parse(document.getElementById('data').textContent).evaluation.methods"
            + ".filter(method => method.not_computed === null).length"), outlines);
        await Assertions.Expect(page.Locator("#violins .chart")).ToHaveAttributeAsync("aria-label", new Regex("^Violin plots of "));
    }

    [Theory]
    [InlineData(360), InlineData(768), InlineData(1024), InlineData(1280), InlineData(1920)]
    public async Task Page_of_any_width_fits_screen(int width)
    {
        foreach (string? file in new[] { null, browser.Several, browser.Slide, browser.Registration })
        {
            var page = await browser.Open(width, file: file);
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
            // Links that a scrolling list cuts off would not widen the page.
            Assert.True(await page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('#contents a')].every(a => { const b = a.getBoundingClientRect(); "
                    + "return b.left >= 0 && b.right <= innerWidth; })"));
            Assert.True(await page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('main figure')].every(f => f.getBoundingClientRect().right <= innerWidth + 1)"));
            if (Environment.GetEnvironmentVariable("TINCTOR_SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new()
                {
                    Path = Path.Combine(folder,
                    $"{Path.GetFileName(Path.GetDirectoryName(file)) ?? "one"}-{width}.png"),
                    FullPage = true
                });
            // Tables that are wider than the page say so.
            Assert.Empty(await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.scroll')].filter(s => "
                + "s.checkVisibility() && s.scrollWidth > s.clientWidth + 1 "
                + "&& !s.parentNode.classList.contains('more-right')).map(s => "
                    + "`${s.getAttribute('aria-label')} ${s.clientWidth} ${s.scrollWidth} ${s.parentNode.className}`)"));
            await page.Context.CloseAsync();
        }
    }

    [Fact]
    public async Task SlidePage_on_phone_shows_all_columns_and_pictures()
    {
        var page = await browser.Open(360, file: browser.Slide);
        var table = page.Locator("#section-slide .scroll");
        Assert.True(await table.EvaluateAsync<bool>("s => s.scrollWidth <= s.clientWidth"));
        await Assertions.Expect(page.Locator("#section-slide th .swatch").First).ToBeAttachedAsync();
        await page.Locator("#section-slide .enlarge").First.ClickAsync();
        var picture = page.Locator(".lightbox img");
        await Assertions.Expect(picture).ToHaveAttributeAsync("alt", "Source");
        await page.GetByRole(AriaRole.Button, new() { Name = "Zoom in" }).ClickAsync();
        Assert.Contains("scale(1.5)", await picture.GetAttributeAsync("style"));
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(picture).ToHaveAttributeAsync("alt", "Stained");
        Assert.Contains("scale(1.5)", await picture.GetAttributeAsync("style"));
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator(".lightbox")).ToBeHiddenAsync();
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task RegistrationPage_shows_verdict_errors_and_pictures()
    {
        var page = await browser.Open(file: browser.Registration);
        await Assertions.Expect(page.Locator("h1")).ToContainTextAsync("her2.svs registered to section 1");
        await Assertions.Expect(page.Locator("#section-quality .warnings"))
            .ToContainTextAsync("The quality check failed: the similarity is hardly above chance");
        await Assertions.Expect(page.Locator("#section-quality tr", new() { HasTextString = "Distinctness" }))
            .ToContainTextAsync("at least 10");
        await Assertions.Expect(page.Locator("#section-landmarks tr", new() { HasTextString = "90th percentile" }))
            .ToContainTextAsync("1.21 %");
        await Assertions.Expect(page.Locator("#section-transform tr", new() { HasTextString = "Rotation" })).ToContainTextAsync("-11.46");
        await page.Locator("#section-quality .enlarge").First.ClickAsync();
        await Assertions.Expect(page.Locator(".lightbox img")).ToHaveAttributeAsync("alt", "Source");
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator(".lightbox img")).ToHaveAttributeAsync("alt", "Warped target");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Report_of_two_images_without_dab_omits_tests_and_dab()
    {
        using var set = new ExampleImages(images: 2);
        foreach (string name in set.Names)
            ExampleImages.Write(set.Real, name, ExampleImages.Blobs(48, 1, [0.2, 1, 0.3]));
        var result = Evaluator.Run(set.Options, cancel: TestContext.Current.CancellationToken);
        var page = await browser.Open(file: EvaluationFiles.Write(result, set.Out).Html);
        await Assertions.Expect(page.Locator("#verdict p").First).ToContainTextAsync("With 2 images no significance test is possible");
        await Assertions.Expect(page.Locator("#comparisons .chosen")).ToContainTextAsync("not tested");
        await Assertions.Expect(page.Locator("#tools")).Not.ToContainTextAsync("DAB");
        await Assertions.Expect(page.Locator("#headline")).Not.ToContainTextAsync("DAB");
        await Assertions.Expect(page.Locator("#results-tables")).ToContainTextAsync("No DAB was found");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Table_sorts_and_filters()
    {
        var page = await browser.Open();
        var first = page.Locator("#table tbody tr").First.Locator("td");
        var header = page.Locator("#table th button", new() { HasTextRegex = new("^PSNR$") });
        await header.ClickAsync();
        double lowest = double.Parse(await first.Nth(1).InnerTextAsync(), CultureInfo.InvariantCulture);
        await Assertions.Expect(page.Locator("#table th[aria-sort=ascending]")).ToHaveTextAsync("PSNR");
        await header.ClickAsync();
        double highest = double.Parse(await first.Nth(1).InnerTextAsync(), CultureInfo.InvariantCulture);
        Assert.True(highest > lowest);
        await Assertions.Expect(page.Locator("#table th[aria-sort=descending]")).ToHaveTextAsync("PSNR");

        await page.Locator("#table-tools input").FillAsync("00002");
        await Assertions.Expect(page.Locator("#table tbody tr")).ToHaveCountAsync(1);
        await page.Locator("#table-tools input").FillAsync("nothing has this name");
        await Assertions.Expect(page.Locator("#pager")).ToContainTextAsync("No image matches");
        await page.Locator("#table-tools input").FillAsync("");
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Label" }).SelectOptionAsync("3+");
        await Assertions.Expect(page.Locator("#table tbody tr")).ToHaveCountAsync(5);
    }

    [Fact]
    public async Task Table_row_opens_its_image()
    {
        var page = await browser.Open();
        var link = page.Locator("#table tbody button").Nth(3);
        string name = await link.InnerTextAsync();
        await link.ClickAsync();
        await Assertions.Expect(page.Locator("#caption b")).ToHaveTextAsync(name);
        await Assertions.Expect(page.Locator("#stage")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Divider_is_dragged_by_mouse()
    {
        var page = await browser.Open();
        await page.Locator("#stage").ScrollIntoViewIfNeededAsync();
        var box = (await page.Locator("#stage").BoundingBoxAsync())!;
        float y = box.Y + box.Height / 2;
        await page.Mouse.MoveAsync(box.X + box.Width / 2, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width / 4, y, new() { Steps = 5 });
        await page.Mouse.UpAsync();
        var handle = page.Locator(".handle");
        await Assertions.Expect(handle).ToHaveAttributeAsync("aria-valuenow", "25");
        string clip = await page.Locator(".layer").Last.EvaluateAsync<string>("e => e.style.clipPath");
        Assert.Contains("25%", clip);
        await handle.FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(handle).ToHaveAttributeAsync("aria-valuenow", "27");
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(handle).ToHaveAttributeAsync("aria-valuenow", "100");
    }

    [Fact]
    public async Task Zoom_and_pan_move_all_versions()
    {
        var page = await browser.Open();
        await page.GetByRole(AriaRole.Button, new() { Name = "Side by side" }).ClickAsync();
        await Assertions.Expect(page.Locator(".layer")).ToHaveCountAsync(3);
        var box = (await page.Locator("#stage").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width / 6, box.Y + box.Height / 2);
        await page.Mouse.WheelAsync(0, -600);
        string[] zoomed = await Transforms(page);
        Assert.Single(zoomed.Distinct());
        Assert.DoesNotContain("scale(1)", zoomed[0]);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width / 6 + 20, box.Y + box.Height / 2 + 10);
        await page.Mouse.UpAsync();
        string[] panned = await Transforms(page);
        Assert.Single(panned.Distinct());
        Assert.NotEqual(zoomed[0], panned[0]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Whole image" }).ClickAsync();
        Assert.Contains("scale(1)", (await Transforms(page))[0]);

        static Task<string[]> Transforms(IPage page) =>
            page.EvaluateAsync<string[]>("[...document.querySelectorAll('.layer img')].map(i => i.style.transform)");
    }

    [Fact]
    public async Task Keyboard_arrows_change_the_image()
    {
        var page = await browser.Open();
        await page.Locator("#stage").FocusAsync();
        string first = await page.Locator("#caption b").InnerTextAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator("#caption b")).Not.ToHaveTextAsync(first);
        await page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(page.Locator("#caption b")).ToHaveTextAsync(first);
        await page.Keyboard.PressAsync("+");
        Assert.True(await page.Locator("#stage").EvaluateAsync<bool>("e => e.classList.contains('zoomed')"));
        await page.Keyboard.PressAsync("0");
        await page.Keyboard.PressAsync("[");
        await Assertions.Expect(page.Locator(".handle")).ToHaveAttributeAsync("aria-valuenow", "45");
    }

    [Fact]
    public async Task Touch_drags_divider_and_pinches_to_zoom()
    {
        var page = await browser.Open(390, touch: true);
        await page.Locator("#stage").ScrollIntoViewIfNeededAsync();
        var box = (await page.Locator("#stage").BoundingBoxAsync())!;
        var touch = await page.Context.NewCDPSessionAsync(page);
        Task Fingers(string type, params (double X, double Y)[] at) => touch.SendAsync("Input.dispatchTouchEvent", new()
        {
            ["type"] = type,
            ["touchPoints"] = at.Select((p, id) => new Dictionary<string, object> { ["x"] = p.X, ["y"] = p.Y, ["id"] = id }).ToArray(),
        });
        double x = box.X + box.Width / 2, y = box.Y + box.Height / 2;
        await Fingers("touchStart", (x, y));
        await Fingers("touchMove", (x + box.Width * 0.1, y));
        await Fingers("touchMove", (x + box.Width * 0.3, y));
        await Fingers("touchEnd");
        await Assertions.Expect(page.Locator(".handle")).ToHaveAttributeAsync("aria-valuenow", "80");

        x = box.X + box.Width / 3;
        await Fingers("touchStart", (x - 20, y), (x + 20, y));
        await Fingers("touchMove", (x - 40, y), (x + 40, y));
        await Fingers("touchMove", (x - 60, y), (x + 60, y));
        await Fingers("touchEnd");
        Assert.True(await page.Locator("#stage").EvaluateAsync<bool>("e => e.classList.contains('zoomed')"));
    }

    [Fact]
    public async Task Divider_same_version_on_both_sides_swaps_them()
    {
        var page = await browser.Open();
        var left = page.GetByRole(AriaRole.Group, new() { Name = "Left of the divider" });
        await left.GetByRole(AriaRole.Button, new() { Name = "Real" }).ClickAsync();
        string[] roles = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.layer')].map(l => l.dataset.role)");
        Assert.Equal(["real", "model:model"], roles);
    }

    [Fact]
    public async Task Theme_dark_redraws_charts()
    {
        var page = await browser.Open();
        string light = await page.Locator("#histogram").InnerHTMLAsync();
        await page.Locator("#theme").ClickAsync();
        Assert.Equal("dark", await page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        Assert.NotEqual(light, await page.Locator("#histogram").InnerHTMLAsync());
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Theme_follows_system_setting()
    {
        var page = await browser.Open();
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        Assert.Equal("rgb(23, 21, 27)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
    }

    [Fact]
    public async Task Strip_worst_and_best_are_ends_of_ranking()
    {
        var page = await browser.Open();
        var strip = page.Locator("#strip button");
        await Assertions.Expect(strip).ToHaveCountAsync(10);
        double[] worst = await Scores(), sorted = [.. worst.Order()];
        Assert.Equal(sorted, worst);
        await page.Locator("#sets").GetByRole(AriaRole.Button, new() { Name = "Best 10" }).ClickAsync();
        double[] best = await Scores();
        Assert.Equal(best.OrderDescending(), best);
        Assert.True(best.Min() >= worst.Max());
        await page.Locator("#sets select").SelectOptionAsync("ssim");
        await Assertions.Expect(page.Locator("#caption")).ToContainTextAsync("SSIM");
        Assert.All(await Scores(), score => Assert.InRange(score, 0, 1));
        await page.Locator("#sets").GetByRole(AriaRole.Button, new() { Name = "All" }).ClickAsync();
        await Assertions.Expect(strip).ToHaveCountAsync(20);

        async Task<double[]> Scores() => [.. (await strip.Locator("span:first-of-type").AllInnerTextsAsync())
            .Select(text => double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public async Task Maps_show_difference_and_dab()
    {
        var page = await browser.Open();
        var tools = page.Locator("#tools");
        await tools.GetByRole(AriaRole.Button, new() { Name = "Difference", Exact = true }).ClickAsync();
        var map = page.Locator(".layer canvas");
        await Assertions.Expect(map).ToHaveAttributeAsync("data-painted", "difference");
        await Assertions.Expect(page.Locator("#scale")).ToContainTextAsync("grey levels");
        await Assertions.Expect(page.Locator(".layer .tag").Last).ToHaveTextAsync("|Stained − Real|");
        // Noise of a few grey levels is near the dark end of the scale, and not all of it is one colour.
        int[] reds = await map.EvaluateAsync<int[]>(
            "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; "
                + "return [...d].filter((_, i) => i % 4 === 0); }");
        Assert.True(reds.Distinct().Count() > 3);
        Assert.InRange(reds.Average(), 0.5, 60);

        await tools.GetByRole(AriaRole.Button, new() { Name = "DAB", Exact = true }).ClickAsync();
        await Assertions.Expect(map).ToHaveCountAsync(2);
        await Assertions.Expect(map.First).ToHaveAttributeAsync("data-painted", "dab");
        await tools.GetByRole(AriaRole.Button, new() { Name = "DAB difference" }).ClickAsync();
        await Assertions.Expect(map).ToHaveAttributeAsync("data-painted", "dab_difference");
        await tools.GetByRole(AriaRole.Button, new() { Name = "Side by side" }).ClickAsync();
        await Assertions.Expect(page.Locator(".layer")).ToHaveCountAsync(2);
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Maps_dab_equals_density_of_metrics()
    {
        var page = await browser.Open();
        var dab = new float[1];
        StainMatrix.HaematoxylinDab.SeparatePlanes([120, 80, 40], new float[1], dab);
        double[] weights = await page.EvaluateAsync<double[]>("JSON.parse(document.getElementById('data').textContent).gallery.dab");
        double density = Math.Log10(255 / 120.0) * weights[0] + Math.Log10(255 / 80.0) * weights[1] + Math.Log10(255 / 40.0) * weights[2];
        Assert.Equal(dab[0], density, 5);
    }

    [Fact]
    public async Task Report_of_several_models_compares_them()
    {
        var page = await browser.Open(file: browser.Several);
        await Assertions.Expect(page.Locator("#verdict")).ToContainTextAsync("Careful & Co is significantly better");
        await Assertions.Expect(page.Locator("#verdict")).ToContainTextAsync("Careful & Co: Beats both baselines");
        await Assertions.Expect(page.Locator("#results-tables table").First.Locator("thead th")).ToHaveTextAsync(
            ["Metric", "Careful & Co", "quick", "Identity", "Mean colour"]);
        var psnr = page.Locator("#results-tables table").First.Locator("tr", new() { HasTextString = "PSNR" }).First;
        await Assertions.Expect(psnr.Locator("td.best")).ToHaveCountAsync(1);
        Assert.Equal(0, await psnr.Locator("td").EvaluateAllAsync<int>("cells => cells.findIndex(c => c.classList.contains('best'))"));

        var between = page.Locator("#comparisons .panel.chosen tbody tr").First;
        await Assertions.Expect(between).ToContainTextAsync("Careful & Co better");
        await page.Locator("#comparisons select").SelectOptionAsync(new SelectOptionValue { Label = "quick against identity" });
        await Assertions.Expect(page.Locator("#comparisons .panel.chosen table"))
            .ToHaveAttributeAsync("aria-label", "quick against Identity");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Divider_compares_two_models()
    {
        var page = await browser.Open(file: browser.Several);
        var right = page.GetByRole(AriaRole.Combobox, new() { Name = "Right of the divider" });
        await right.SelectOptionAsync(new SelectOptionValue { Label = "quick" });
        await Assertions.Expect(page.Locator(".layer .tag")).ToHaveTextAsync(["Careful & Co", "quick"]);
        await page.GetByRole(AriaRole.Group, new() { Name = "Model" }).GetByRole(AriaRole.Button, new() { Name = "quick" }).ClickAsync();
        await Assertions.Expect(page.Locator(".layer .tag")).ToHaveTextAsync(["quick", "Real"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Side by side" }).ClickAsync();
        await Assertions.Expect(page.Locator(".layer")).ToHaveCountAsync(4);
    }

    [Fact]
    public async Task Sections_draw_every_kind_of_chart()
    {
        var page = await browser.Open(file: browser.Several);
        var section = page.Locator("#section-example");
        await Assertions.Expect(section.Locator(".chart svg")).ToHaveCountAsync(3);
        Assert.All(await section.Locator(".chart svg").EvaluateAllAsync<int[]>("all => all.map(s => s.querySelectorAll('path').length)"),
            paths => Assert.True(paths > 5));
        await Assertions.Expect(section.Locator(".matrix td.deep").First).ToHaveTextAsync("12");
        await Assertions.Expect(section.Locator(".pictures img")).ToHaveCountAsync(1);
        Assert.True(await section.Locator(".pictures img").EvaluateAsync<bool>("i => i.decode().then(() => i.naturalWidth === 48)"));
        await Assertions.Expect(section.Locator(".warnings")).ToContainTextAsync("Ten images are few.");
        await Assertions.Expect(page.Locator("#section-absent")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator(".absent-note"))
            .ToHaveTextAsync("Not computed: Distribution (no Inception weights were given).");
        await Assertions.Expect(page.Locator("#provenance")).ToContainTextAsync("sha256 0123");
        var link = page.Locator("#contents a", new() { HasTextString = "An example" });
        await Assertions.Expect(link).ToHaveAttributeAsync("href", "#section-example");

        var first = section.Locator("table.sortable tbody tr").First.Locator("td").First;
        await section.Locator("table.sortable th button", new() { HasTextString = "Score" }).ClickAsync();
        await Assertions.Expect(first).ToHaveTextAsync("1.50");
        await section.Locator("table.sortable th button", new() { HasTextString = "Score" }).ClickAsync();
        await Assertions.Expect(first).ToHaveTextAsync("∞");
        await Assertions.Expect(section.Locator("table.sortable tbody tr").Last.Locator("td").First).ToHaveTextAsync("–");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Controls_are_reached_by_tab_key_with_visible_focus()
    {
        var page = await browser.Open(file: browser.Several);
        var seen = new HashSet<string>();
        for (int i = 0; i < 40; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            seen.Add(await page.EvaluateAsync<string>("(e => e.id || e.className || e.tagName)(document.activeElement)"));
            Assert.True(await page.EvaluateAsync<bool>(
                "(e => getComputedStyle(e).outlineStyle !== 'none' || e.classList.contains('handle'))(document.activeElement)"));
        }
        Assert.Contains("skip", seen);
        Assert.Contains("theme", seen);
        Assert.Contains("stage", seen);
        Assert.Contains("handle", seen);
    }

    [Fact]
    public async Task Print_shows_every_section_in_light_colours()
    {
        var page = await browser.Open(file: browser.Several);
        await page.Locator("#theme").ClickAsync();
        await page.Locator("#plates[data-ready]").WaitForAsync(new() { State = WaitForSelectorState.Attached });
        await page.EvaluateAsync("""
            addEventListener('beforeprint', () => {
              window.printed = [document.documentElement.dataset.theme, document.querySelector('.chart svg').getAttribute('viewBox')];
            })
            """);
        byte[] pdf = await page.PdfAsync(new() { Format = "A4", PreferCSSPageSize = true, Tagged = true, Outline = true });
        Assert.Equal("light", await page.EvaluateAsync<string>("printed[0]"));
        Assert.NotNull(await page.EvaluateAsync<string?>("printed[1]"));
        Assert.Equal("dark", await page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        string text = Inflated(pdf);
        int pages = Regex.Count(text, @"/Type\s*/Page\b");
        Assert.InRange(pages, 4, 30);
        foreach (string heading in new[] { "Images", "Results", "Comparisons", "Distributions", "An example", "How it was computed" })
            Assert.Contains($"/Title ({heading})", text);

        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await Assertions.Expect(page.Locator("#tools")).ToBeHiddenAsync();
        await Assertions.Expect(page.Locator(".plate").First).ToBeVisibleAsync();
        Assert.Equal(2 * 20, await page.Locator(".plate").CountAsync());
    }

    [Fact]
    public async Task Controls_have_names_and_images_have_alternatives()
    {
        var page = await browser.Open();
        await None("button, input, select, [role=slider]", "e.textContent.trim() || e.getAttribute('aria-label')");
        await None("img", "e.hasAttribute('alt')");
        await None("[role=img]", "e.getAttribute('aria-label')");

        async Task None(string selector, string isNamed) => Assert.Equal(0, await page.EvaluateAsync<int>(
            $"[...document.querySelectorAll('{selector}')].filter(e => !({isNamed})).length"));
    }

    [Fact]
    public async Task Report_of_perfect_images_without_sources_opens()
    {
        using var set = new ExampleImages(images: 2);
        var options = set.Options with { Stained = ExampleImages.Model(set.Real), Source = null };
        var result = Evaluator.Run(options, cancel: TestContext.Current.CancellationToken);
        var page = await browser.Open(file: EvaluationFiles.Write(result, set.Out).Html);
        await Assertions.Expect(page.Locator(".metric .value").First).ToContainTextAsync("∞");
        await Assertions.Expect(page.Locator(".absent").First).ToHaveTextAsync("not computed");
        await Assertions.Expect(page.Locator("#verdict")).ToContainTextAsync("Beats the mean colour baseline");
        Assert.Empty(browser.Errors);
    }

    /// <summary>A PDF with its compressed streams as text beside it.</summary>
    private static string Inflated(byte[] pdf)
    {
        string raw = Encoding.Latin1.GetString(pdf);
        var text = new StringBuilder(raw);
        foreach (Match stream in Regex.Matches(raw, @"stream\r?\n(.*?)endstream", RegexOptions.Singleline))
        {
            try
            {
                var packed = new MemoryStream(Encoding.Latin1.GetBytes(stream.Groups[1].Value));
                using var inflate = new ZLibStream(packed, CompressionMode.Decompress);
                text.Append(new StreamReader(inflate, Encoding.Latin1).ReadToEnd());
            }
            catch (InvalidDataException)
            {
                // A JPEG, say.
            }
        }
        return text.ToString();
    }
}
