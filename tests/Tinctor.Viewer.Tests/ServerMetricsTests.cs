using System.Text.Json;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

/// <summary>Metrics of the server; they would include those of other servers in the process.</summary>
[Collection(Alone.Name)]
public sealed class ServerMetricsTests
{
    [Fact]
    public async Task Metrics_and_health_are_served()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.png", 64, 64);
        await using TestServer server = await TestServer.StartAsync(folder);
        Assert.Single(await server.SlidesAsync());
        string metrics = await server.Client.GetStringAsync("/metrics");
        Assert.Matches("tinctor_viewer_reads_total[^\n]* 1", metrics);
        Assert.Matches("tinctor_viewer_open_slides[^\n]* 1", metrics);
        Assert.Contains("http_server_request_duration", metrics);
        Assert.Equal("Healthy", await server.Client.GetStringAsync("/health/ready"));
        JsonElement info = await server.JsonAsync("/api/v1/info");
        Assert.True(info.GetProperty("researchUseOnly").GetBoolean());
    }
}
