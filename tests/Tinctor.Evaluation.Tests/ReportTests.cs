using Microsoft.Playwright;
using Tinctor.Evaluation.Report;

namespace Tinctor.Evaluation.Tests;

/// <summary>The report in a real browser, opened from disk. Skipped where there is no chromium.</summary>
public sealed class ReportTests(ReportTests.Browser browser) : IClassFixture<ReportTests.Browser>
{
    [Fact]
    public async Task OpensFromDiskWithoutErrorsOrRequests()
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

    [Theory]
    [InlineData(360)]
    [InlineData(1024)]
    [InlineData(1920)]
    public async Task FitsTheScreen(int width)
    {
        var page = await browser.Open(width);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
    }

    [Fact]
    public async Task TheTableSortsAndFilters()
    {
        var page = await browser.Open();
        var first = page.Locator("#table tbody tr").First.Locator("td");
        var header = page.Locator("#table th button", new() { HasTextString = "PSNR" });
        await header.ClickAsync();
        double lowest = double.Parse(await first.Nth(2).InnerTextAsync());
        await Assertions.Expect(page.Locator("#table th[aria-sort=ascending]")).ToHaveTextAsync("PSNR");
        await header.ClickAsync();
        double highest = double.Parse(await first.Nth(2).InnerTextAsync());
        Assert.True(highest > lowest);
        await Assertions.Expect(page.Locator("#table th[aria-sort=descending]")).ToHaveTextAsync("PSNR");

        await page.Locator("#table-tools input").FillAsync("00002");
        await Assertions.Expect(page.Locator("#table tbody tr")).ToHaveCountAsync(1);
        await page.Locator("#table-tools input").FillAsync("nothing has this name");
        await Assertions.Expect(page.Locator("#pager")).ToContainTextAsync("No image matches");
        await page.Locator("#table-tools input").FillAsync("");
        await page.Locator("#table-tools select").SelectOptionAsync("3+");
        await Assertions.Expect(page.Locator("#table tbody tr")).ToHaveCountAsync(5);
    }

    [Fact]
    public async Task ATableRowOpensItsImage()
    {
        var page = await browser.Open();
        var link = page.Locator("#table td button").Nth(3);
        string name = await link.InnerTextAsync();
        await link.ClickAsync();
        await Assertions.Expect(page.Locator("#caption b")).ToHaveTextAsync(name);
        await Assertions.Expect(page.Locator("#stage")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task TheDividerDrags()
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
    public async Task ZoomAndPanMoveAllVersionsTogether()
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
    public async Task TheKeyboardGoesThroughTheImages()
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
    public async Task FingersDragAndPinch()
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
    public async Task ChoosingAVersionOnBothSidesSwapsThem()
    {
        var page = await browser.Open();
        var left = page.GetByRole(AriaRole.Group, new() { Name = "Left of the divider" });
        await left.GetByRole(AriaRole.Button, new() { Name = "Real" }).ClickAsync();
        string[] roles = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.layer')].map(l => l.dataset.role)");
        Assert.Equal(["real", "stained"], roles);
    }

    [Fact]
    public async Task DarkModeRedrawsTheCharts()
    {
        var page = await browser.Open();
        string light = await page.Locator("#histogram").InnerHTMLAsync();
        await page.Locator("#theme").ClickAsync();
        Assert.Equal("dark", await page.EvaluateAsync<string>("document.documentElement.dataset.theme"));
        Assert.NotEqual(light, await page.Locator("#histogram").InnerHTMLAsync());
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task EveryControlHasANameAndEveryImageAnAlternative()
    {
        var page = await browser.Open();
        await None("button, input, select, [role=slider]", "e.innerText.trim() || e.getAttribute('aria-label')");
        await None("img", "e.hasAttribute('alt')");
        await None("[role=img]", "e.getAttribute('aria-label')");

        async Task None(string selector, string isNamed) => Assert.Equal(0, await page.EvaluateAsync<int>(
            $"[...document.querySelectorAll('{selector}')].filter(e => !({isNamed})).length"));
    }

    [Fact]
    public async Task PerfectImagesAndMissingSourcesAreShown()
    {
        using var set = new TestSet(images: 2);
        var options = set.Options with { Stained = TestSet.Model(set.Real), Source = null };
        var result = Evaluator.Evaluate(options, cancel: TestContext.Current.CancellationToken);
        var page = await browser.Open(file: EvaluationFiles.Write(result, set.Out).Html);
        await Assertions.Expect(page.Locator(".metric .value").First).ToContainTextAsync("∞");
        await Assertions.Expect(page.Locator(".absent").First).ToHaveTextAsync("not computed");
        await Assertions.Expect(page.Locator("#verdict")).ToContainTextAsync("Beats the mean colour baseline");
        Assert.Empty(browser.Errors);
    }

    /// <summary>One chromium and one report for all tests of the class.</summary>
    public sealed class Browser : IAsyncLifetime
    {
        private const string Chromium = "/usr/bin/chromium";
        private readonly TestSet set = new(images: 20, size: 96, bciNames: true);
        private IPlaywright? playwright;
        private IBrowser? chromium;
        private string html = "";

        public List<string> Errors { get; } = [];

        public List<string> Requests { get; } = [];

        public string Url { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            if (!File.Exists(Chromium))
                return;
            var rows = Enumerable.Range(0, 50).Select(i => FormattableString.Invariant($"{i},0,{9.0 / (i + 1)},{0.5 + i % 3},0.0002\n"));
            string log = set.File("run/metrics.csv", "step,epoch,loss_G,loss_D,lr\n" + string.Concat(rows));
            set.File("run/config.yaml", "method: pix2pix\n");
            var options = set.Options with { Run = Path.GetDirectoryName(log), Title = "A test of the report" };
            html = EvaluationFiles.Write(Evaluator.Evaluate(options), set.Out).Html;
            playwright = await Playwright.CreateAsync();
            chromium = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = Chromium,
                Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
            });
        }

        public async Task<IPage> Open(int width = 1100, bool touch = false, string? file = null)
        {
            Assert.SkipWhen(chromium is null, $"needs {Chromium} (apt install chromium)");
            Errors.Clear();
            Requests.Clear();
            var context = await chromium!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, HasTouch = touch });
            var page = await context.NewPageAsync();
            page.SetDefaultTimeout(10_000);
            page.Console += (_, message) =>
            {
                if (message.Type is "error" or "warning")
                    Errors.Add(message.Text);
            };
            page.PageError += (_, error) => Errors.Add(error);
            page.Request += (_, request) => Requests.Add(request.Url);
            Url = new Uri(file ?? html).AbsoluteUri;
            await page.GotoAsync(Url);
            return page;
        }

        public async ValueTask DisposeAsync()
        {
            if (chromium is not null)
                await chromium.DisposeAsync();
            playwright?.Dispose();
            set.Dispose();
        }
    }
}
