using Tinctor.Tests;

namespace Tinctor.Viewer.Tests.Pages;

/// <summary>Requests of tiles by the page of a slide.</summary>
public sealed class TileRequestTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Requests_of_tiles_that_leave_view_are_cancelled_and_repeated_later()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 6000, 600);
        await using var server = await TestServer.StartAsync(folder);
        string id = await server.IdAsync("slide.ome.tif");
        await using var opened = await browser.OpenAsync(server, "/");
        // Tiles of the finest level at the left edge are never answered.
        var requested = new List<string>();
        var cancelled = new List<string>();
        bool isHeld = true;
        await opened.Page.RouteAsync("**/source_files/13/0_*.jpg", async route =>
        {
            lock (requested) requested.Add(route.Request.Url);
            if (!isHeld) await route.ContinueAsync();
        });
        opened.Page.RequestFailed += (_, request) =>
        {
            if (!request.Url.Contains("/source_files/13/0_", StringComparison.Ordinal)) return;
            lock (cancelled) cancelled.Add(request.Url);
        };
        string Address(int x) => new Uri(server.Server.Address, $"/view?slide={id}&x={x}&y=300&zoom=1").ToString();
        await opened.Page.GotoAsync(Address(600));
        await UntilAsync(() => Count(requested) >= 3);

        // The right end of the slide.
        for (int i = 0; i < 25; i++) await opened.Page.Keyboard.PressAsync("ArrowRight");
        await UntilAsync(() => Count(cancelled) >= 3);
        int before = Count(requested);

        isHeld = false;
        for (int i = 0; i < 25; i++) await opened.Page.Keyboard.PressAsync("ArrowLeft");
        await UntilAsync(() => Count(requested) >= before + 3);
        opened.AssertClean();
    }

    private static int Count(List<string> urls)
    {
        lock (urls) return urls.Count;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (int i = 0; i < 600 && !condition(); i++) await Task.Delay(50);
        Assert.True(condition());
    }
}
