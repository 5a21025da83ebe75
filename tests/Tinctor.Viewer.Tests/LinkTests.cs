using System.Net;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

/// <summary>Links between reports and the viewer, and pages of other origins.</summary>
public sealed class LinkTests
{
    [Fact]
    public async Task Open_finds_a_slide_by_name_and_content_and_redirects_to_its_view()
    {
        var folder = new TemporaryFolder();
        UncertaintyTests.WriteStained(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement slide = Assert.Single(await server.SlidesAsync());
        string source = slide.GetProperty("id").GetString()!, stained = slide.GetProperty("results")[0].GetProperty("id").GetString()!;
        string address = $"/open?name=source.ome.tif&fingerprint={SlideContent.Fingerprint(folder.File("slides/source.ome.tif"))}";
        Assert.Equal($"/view?slide={source}", await RedirectAsync(server, address));
        Assert.Equal($"/view?slide={source}&x=10.5&y=20&zoom=2", await RedirectAsync(server, address + "&x=10.5&y=20&zoom=2"));
        // The stained slide has the same name, and another content.
        Assert.Equal($"/view?slide={source}&compare={stained}&mode=curtain", await RedirectAsync(server,
            $"{address}&compare=source.ome.tif&compareFingerprint="
            + SlideContent.Fingerprint(folder.File("slides/stained/source.ome.tif"))));
    }

    [Theory]
    [InlineData("name=other%3Cb%3E.svs", HttpStatusCode.NotFound, "no slide other&lt;b&gt;.svs.")]
    [InlineData("name=source.ome.tif&fingerprint=0123456789abcdef", HttpStatusCode.NotFound, "another slide with the name source.ome.tif.")]
    [InlineData("name=..%2Fsource.ome.tif", HttpStatusCode.NotFound, "no slide ../source.ome.tif")]
    [InlineData("name=source.ome.tif&fingerprint=0", HttpStatusCode.BadRequest, "16 hexadecimal digits")]
    [InlineData("fingerprint=0123456789abcdef", HttpStatusCode.BadRequest, "")]
    public async Task Open_states_in_one_line_that_a_slide_is_missing(string query, HttpStatusCode status, string text)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "source.ome.tif", 300, 200);
        await using TestServer server = await TestServer.StartAsync(folder);
        using HttpResponseMessage answer = await server.Client.GetAsync("/open?" + query, TestContext.Current.CancellationToken);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(text, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Page_of_a_stained_slide_is_served_in_a_sandbox()
    {
        var folder = new TemporaryFolder();
        UncertaintyTests.WriteStained(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        string id = (await server.SlidesAsync()).Single().GetProperty("results")[0].GetProperty("id").GetString()!;
        JsonElement Staining(JsonElement slide) => slide.GetProperty("staining").GetProperty("report");
        Assert.Equal(JsonValueKind.Null, Staining(await server.JsonAsync("/api/v1/slides/" + id)).ValueKind);
        File.WriteAllText(folder.File("slides/stained/source.html"), "<!doctype html><title>page</title>");
        string address = Staining(await server.JsonAsync("/api/v1/slides/" + id)).GetString()!;
        using HttpResponseMessage answer = await server.Client.GetAsync(address, TestContext.Current.CancellationToken);
        Assert.Contains("<title>page</title>", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("sandbox allow-scripts; default-src 'none';", policy);
        Assert.DoesNotContain("allow-same-origin", policy);
    }

    [Fact]
    public async Task Page_that_leads_out_of_the_folders_is_not_served()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs links");
        var folder = new TemporaryFolder();
        UncertaintyTests.WriteStained(folder);
        File.WriteAllText(folder.File("secret.html"), "secret");
        File.CreateSymbolicLink(folder.File("slides/stained/source.html"), folder.File("secret.html"));
        await using TestServer server = await TestServer.StartAsync(folder);
        string id = (await server.SlidesAsync()).Single().GetProperty("results")[0].GetProperty("id").GetString()!;
        using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/slides/{id}/report",
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData(null, "https://mirador.example", null, "same-origin")]
    [InlineData("https://mirador.example", "https://mirador.example", "https://mirador.example", "cross-origin")]
    [InlineData("https://mirador.example", "https://other.example", null, "cross-origin")]
    [InlineData("*", "https://other.example", "*", "cross-origin")]
    public async Task Iiif_is_read_by_pages_of_named_origins_only(string? allowed, string origin, string? expected, string policy)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 300, 200);
        await using TestServer server = await TestServer.StartAsync(folder,
            options => options with { IiifOrigins = allowed is null ? [] : [allowed] });
        string id = await server.IdAsync("slide.ome.tif");
        foreach (string path in new[] { $"/iiif/3/{id}/info.json", $"/iiif/3/{id}/full/max/0/default.jpg" })
        {
            using HttpResponseMessage answer = await SendAsync(server, path, origin);
            Assert.Equal(expected, Header(answer, "Access-Control-Allow-Origin"));
            Assert.Equal(policy, Header(answer, "Cross-Origin-Resource-Policy"));
            Assert.Null(Header(answer, "Access-Control-Allow-Credentials"));
        }
        using HttpResponseMessage other = await SendAsync(server, "/api/v1/slides", origin);
        Assert.Null(Header(other, "Access-Control-Allow-Origin"));
        Assert.Equal("same-origin", Header(other, "Cross-Origin-Resource-Policy"));
    }

    private static async Task<HttpResponseMessage> SendAsync(TestServer server, string path, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Origin", origin);
        return await server.Client.SendAsync(request);
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : null;

    private static async Task<string> RedirectAsync(TestServer server, string address)
    {
        using HttpResponseMessage answer = await server.Client.GetAsync(address);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!.OriginalString;
    }
}
