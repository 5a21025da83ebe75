using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

/// <summary>Stained slides with their reports, and their uncertainty as layers.</summary>
public sealed class UncertaintyTests
{
    /// <summary>
    /// Writes source.ome.tif and, in the folder stained, its stained slide with report and uncertainty: variation is unreliable in the left
    /// half, novelty slight in the upper half. All have 400x300 pixels.
    /// </summary>
    internal static void WriteStained(TemporaryFolder folder, bool novelty = true)
    {
        string source = TestServer.WriteSlide(folder, "source.ome.tif", 400, 300);
        Directory.CreateDirectory(folder.File("slides/stained"));
        TestServer.WriteSlide(folder, "stained/source.ome.tif", 400, 300, seed: 2);
        var uncertainty = new Image(400, 300, novelty ? 2 : 1);
        for (int i = 0; i < 400 * 300; i++)
        {
            uncertainty.Data[i * uncertainty.Channels] = (byte)(i % 400 < 200 ? 60 : 5);
            if (novelty) uncertainty.Data[(i * 2) + 1] = (byte)(i / 400 < 150 ? 110 : 20);
        }
        SlideChannel[] channels = [new("variation") { Colour = 0xFFFF00 }, new("novelty") { Colour = 0xFF00FF }];
        SlideWriter.Write(folder.File("slides/stained/source.uncertainty.ome.tif"),
            new SlideSpec(400, 300, uncertainty.Channels) { Mpp = 0.5, ChannelInfo = channels[..uncertainty.Channels], JpegQuality = null },
            uncertainty);
        File.WriteAllText(folder.File("slides/stained/source.json"), JsonSerializer.Serialize(new
        {
            format = "tinctor-stained-slide",
            version = 1,
            source,
            model_sha256 = "0123456789abcdef",
            seam_score = 1.05,
            haematoxylin_correlation = 0.97,
            glass_drift_delta_e = 6.5,
            level = "2+",
            level_probability = 0.8,
            novelty_share = 0.6,
            unlike_training = true,
        }));
    }

    [Fact]
    public async Task Stained_slide_has_the_numbers_of_its_report_and_its_uncertainty()
    {
        var folder = new TemporaryFolder();
        WriteStained(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement slide = Assert.Single(await server.SlidesAsync());
        Assert.Equal(JsonValueKind.Null, slide.GetProperty("staining").ValueKind);
        JsonElement[] results = [.. slide.GetProperty("results").EnumerateArray()];
        JsonElement stained = await server.JsonAsync($"/api/v1/slides/{results[0].GetProperty("id")}");
        JsonElement report = stained.GetProperty("staining");
        Assert.Equal("""
            {"model":"0123456789ab","seamScore":1.05,"haematoxylinCorrelation":0.97,"backgroundDrift":6.5,"ihcLevel":"2+",
            "ihcLevelProbability":0.8,"noveltyShare":0.6,"unlikeTraining":true,
            """.ReplaceLineEndings(""), report.GetRawText()[..report.GetRawText().IndexOf("\"uncertainty\"", StringComparison.Ordinal)]);
        Assert.Equal(results[1].GetProperty("id").GetString(), report.GetProperty("uncertainty").GetString());
        Assert.Equal(0, stained.GetProperty("overlays").GetArrayLength());
    }

    [Theory]
    [InlineData("variation", 0, 0, 200, 30, 40, 255)]
    [InlineData("variation", 300, 200, 0, 0, 0, 0)]
    [InlineData("novelty", 300, 0, 150, 90, 220, 255)]
    [InlineData("novelty", 0, 200, 0, 0, 0, 0)]
    public async Task Overlay_has_the_colours_of_its_bands_and_is_transparent_elsewhere(
        string layer, int x, int y, int red, int green, int blue, int alpha)
    {
        var folder = new TemporaryFolder();
        WriteStained(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement uncertainty = await UncertaintyAsync(server);
        string address = $"/api/v1/slides/{uncertainty.GetProperty("id")}/dzi/{layer}";
        Assert.Contains("Format=\"png\"", await server.Client.GetStringAsync(address + ".dzi", TestContext.Current.CancellationToken));
        // Tiles have 254 pixels, and the inner ones another one at each edge.
        using HttpResponseMessage answer = await server.Client.GetAsync($"{address}_files/9/{x / 254}_0.png",
            TestContext.Current.CancellationToken);
        Assert.Equal("image/png", answer.Content.Headers.ContentType!.MediaType);
        using NetVips.Image tile = NetVips.Image.NewFromBuffer(
            await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal([red, green, blue, alpha], tile.Getpoint((x % 254) + (x / 254), y));
    }

    [Fact]
    public async Task Uncertainty_lists_its_layers_with_their_legend()
    {
        var folder = new TemporaryFolder();
        WriteStained(folder, novelty: false);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement overlay = Assert.Single((await UncertaintyAsync(server)).GetProperty("overlays").EnumerateArray());
        Assert.Equal("variation", overlay.GetProperty("name").GetString());
        Assert.Equal(["stable: varies by less than 5 % ", "slightly uncertain: 5 to 10 % #f0c828", "uncertain: 10 to 20 % #eb781e",
            "unreliable: 20 % or more #c81e28"],
            overlay.GetProperty("bands").EnumerateArray().Select(band => $"{band.GetProperty("name")} {band.GetProperty("color")}"));
        using HttpResponseMessage answer = await server.Client.GetAsync(
            $"/api/v1/slides/{(await UncertaintyAsync(server)).GetProperty("id")}/dzi/novelty.dzi", TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static async Task<JsonElement> UncertaintyAsync(TestServer server)
    {
        JsonElement[] results = [.. (await server.SlidesAsync()).Single().GetProperty("results").EnumerateArray()];
        return await server.JsonAsync($"/api/v1/slides/{results[1].GetProperty("id")}");
    }
}
