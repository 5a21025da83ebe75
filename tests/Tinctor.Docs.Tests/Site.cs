using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Tinctor.Tests;

namespace Tinctor.Docs.Tests;

/// <summary>
/// The documentation site: built once, served on a free port, and opened in Chromium. Without Chromium, its tests are skipped.
/// </summary>
public sealed class Site : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private WebApplication? server;
    private IPlaywright? playwright;
    private IBrowser? chromium;

    /// <summary>Folder of the site.</summary>
    public string Folder { get; } = RepositoryFiles.Path("build/site");

    /// <summary>Address of the site, with a slash at the end.</summary>
    public string Address { get; private set; } = "";

    internal SiteLinks Links { get; private set; } = null!;

    /// <summary>Addresses that the pages have requested.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Errors in the console of the pages.</summary>
    public List<string> Errors { get; } = [];

    public async ValueTask InitializeAsync()
    {
        Build();
        Links = new(Folder);
        if (!File.Exists(Chromium)) return;
        await Serve();
        playwright = await Playwright.CreateAsync();
        chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        });
    }

    /// <summary>Opens a new tab without an address.</summary>
    public async Task<IPage> OpenTab(int width)
    {
        Assert.SkipWhen(chromium is null, $"needs {Chromium} (apt install chromium)");
        Requests.Clear();
        Errors.Clear();
        var context = await chromium!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 } });
        context.Request += (_, request) => Requests.Add(request.Url);
        context.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Errors.Add(message.Text);
        };
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(120_000);
        page.PageError += (_, error) => Errors.Add(error);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null) await chromium.DisposeAsync();
        playwright?.Dispose();
        if (server is not null) await server.DisposeAsync();
    }

    private static void Build()
    {
        var start = new ProcessStartInfo("bash", [RepositoryFiles.Path("scripts/docs"), "--no-build"]) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        string messages = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, messages);
    }

    private async Task Serve()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        server = builder.Build();
        server.UseFileServer(new FileServerOptions
        {
            FileProvider = new PhysicalFileProvider(Folder),
            StaticFileOptions = { ServeUnknownFileTypes = true },
        });
        await server.StartAsync();
        Address = server.Urls.Single() + "/";
    }
}
