using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.WholeSlides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>The program <c>tinctor serve</c>, killed in the middle of a job that a page began.</summary>
public sealed class KilledServerTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    // Twice the sample side by side: a job that is not over before the server is killed.
    private const int Part = 1400, Width = 2 * Part, Height = 1300;

    private readonly TemporaryFolder folder = new();
    private readonly int port = FreePort();
    private Process? process;

    public void Dispose()
    {
        if (process is { HasExited: false }) process.Kill();
        process?.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Job_goes_on_after_server_was_killed_and_page_follows()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        string slide = WriteSlide();
        Uri address = await StartAsync();
        using var client = new HttpClient { BaseAddress = address };
        string id = (await JsonAsync(client, "/api/v1/slides")).GetProperty("items")[0].GetProperty("id").GetString()!;
        string model = (await JsonAsync(client, "/api/v1/models"))[0].GetProperty("id").GetString()!;
        await using OpenedPage list = await browser.OpenAsync(address, "/#jobs");
        // The view stains its own corner; the job has the rest to do.
        await using OpenedPage view = await browser.OpenAsync(address, $"/view?slide={id}&layer={id}/model:{model}&x=90&y=90&zoom=4");
        await view.DrawnAsync();
        await view.Page.ClickAsync("#stain-whole");
        // Tiles that the view asks for may be stained before the server receives the job.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while ((await JsonAsync(client, "/api/v1/jobs")).GetArrayLength() == 0) await Task.Delay(5, patience.Token);
        // On the disk rather than in the page, which may show a tile only after the end of the short job.
        int before = StainedTiles();
        while (StainedTiles() == before) await Task.Delay(5, patience.Token);
        process!.Kill(); // SIGKILL
        await process.WaitForExitAsync();
        await view.UntilAsync("() => document.getElementById('staining-note').textContent.includes('does not answer')");
        Assert.Empty(Directory.GetFiles(folder.File("results"), "*.ome.tif", SearchOption.AllDirectories));

        await StartAsync();
        // The list follows the server that was started again.
        await list.UntilAsync("() => document.querySelector('#jobs-list .state.finished')");
        await view.UntilAsync("() => document.getElementById('staining-note').textContent.includes('the slide is stained')");
        string result = Assert.Single(Directory.GetFiles(folder.File("results"), "*.ome.tif", SearchOption.AllDirectories));
        AssertEqualPixels(await StainAsync(slide), result);
        // Nothing but the result and its report is left.
        Assert.Equal([Path.GetFileName(result), "he.json"], Directory.GetFileSystemEntries(Path.GetDirectoryName(result)!)
            .Select(path => Path.GetFileName(path)).OrderDescending());
    }

    private string WriteSlide()
    {
        string path = Path.Combine(Directory.CreateDirectory(folder.File("slides")).FullName, "he.ome.tif");
        using Slide sample = Slide.Open(RepositoryFiles.Path("samples/data/phantom/he.ome.tif"));
        byte[] part = sample.Read(0, 200, 100, Part, Height).Data;
        var whole = new Image(Width, Height, 3);
        const int row = 3 * Part;
        for (int y = 0; y < Height; y++)
            for (int copy = 0; copy < 2; copy++) part.AsSpan(y * row, row).CopyTo(whole.Data.AsSpan(((2 * y) + copy) * row));
        SlideWriter.Write(path, new SlideSpec(Width, Height) { Mpp = 0.5 }, whole);
        return path;
    }

    private int StainedTiles() => Directory.GetFiles(folder.File("results"), "*.png", SearchOption.AllDirectories).Length;

    private async Task<Uri> StartAsync()
    {
        process?.Dispose();
        process = Process.Start(new ProcessStartInfo("dotnet",
        [
            RepositoryFiles.Path("build/dotnet/bin/Tinctor.Cli/release/tinctor.dll"), "serve", "--slides", folder.File("slides"),
            "--models", RepositoryFiles.Path("samples/model"), "--results", folder.File("results"), "--port", $"{port}",
        ])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.BeginErrorReadLine();
        string line = await process.StandardOutput.ReadLineAsync() ?? "";
        Assert.StartsWith("Tinctor serves at http://127.0.0.1:", line);
        return new(line.Split(' ')[^1]);
    }

    // The same slide, stained without interruption.
    private async Task<string> StainAsync(string slide)
    {
        string path = folder.File("alone.ome.tif");
        using Stainer stainer = OnnxModel.LoadStainer(RepositoryFiles.Path("samples/model"));
        using Slide source = Slide.Open(slide);
        await Task.Run(() => new SlideStainer(stainer, source, path, new()).Stain());
        return path;
    }

    private static void AssertEqualPixels(string expected, string actual)
    {
        using Slide a = Slide.Open(expected), b = Slide.Open(actual);
        Assert.True(a.Read(0, 0, 0, Width, Height).Data.AsSpan().SequenceEqual(b.Read(0, 0, 0, Width, Height).Data));
    }

    private static async Task<JsonElement> JsonAsync(HttpClient client, string address)
    {
        using JsonDocument document = JsonDocument.Parse(await client.GetStringAsync(address));
        return document.RootElement.Clone();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
