using Microsoft.Playwright;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>Chromium, started once for all tests of pages. Without it, they are skipped.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private IPlaywright? playwright;
    private IBrowser? chromium;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium)) return;
        playwright = await Playwright.CreateAsync();
        chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        });
    }

    /// <summary>Opens a page of a server.</summary>
    internal Task<OpenedPage> OpenAsync(TestServer server, string path, int width = 1280, ColorScheme scheme = ColorScheme.Light) =>
        OpenAsync(server.Server.Address, path, width, scheme);

    /// <summary>Opens a page of a server at an address.</summary>
    internal async Task<OpenedPage> OpenAsync(Uri server, string path, int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        Assert.SkipWhen(chromium is null, $"needs {Chromium} (apt install chromium)");
        var context = await chromium!.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = scheme,
        });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(300_000);
        var opened = new OpenedPage(page, server);
        await page.GotoAsync(new Uri(server, path).ToString());
        return opened;
    }

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null) await chromium.DisposeAsync();
        playwright?.Dispose();
    }
}

/// <summary>Page in a window of its own, with its errors and its requests to other servers.</summary>
internal sealed class OpenedPage : IAsyncDisposable
{
    public OpenedPage(IPage page, Uri server)
    {
        Page = page;
        // Chromium reports the speed of its software renderer as a warning.
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !message.Text.Contains("GL Driver Message", StringComparison.Ordinal))
                Errors.Add($"{message.Text} {message.Location}");
        };
        page.PageError += (_, error) => Errors.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(server.ToString(), StringComparison.Ordinal) && new Uri(request.Url).Scheme is "http" or "https")
                ForeignRequests.Add(request.Url);
        };
    }

    public IPage Page { get; }

    public List<string> Errors { get; } = [];

    public List<string> ForeignRequests { get; } = [];

    /// <summary>Waits until a script returns true.</summary>
    public Task UntilAsync(string script) => Page.WaitForFunctionAsync(script);

    /// <summary>Waits until the first picture of the view is drawn.</summary>
    public Task DrawnAsync() => UntilAsync("""
        () => {
            const canvas = document.querySelector('#first canvas');
            if (!canvas || !document.getElementById('magnification').textContent) return false;
            const point = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
            const context = point.getContext('2d', { willReadFrequently: true });
            context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
            return context.getImageData(0, 0, 1, 1).data[3] === 255 && document.getElementById('drawing').children.length > 0;
        }
        """);

    public void AssertClean()
    {
        Assert.True(Errors.Count == 0, string.Join("; ", Errors));
        Assert.Empty(ForeignRequests);
    }

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
