using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

public sealed class RegionTests
{
    private const string Regions = """
        {"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":{"type":"Polygon","coordinates":
        [[[0,0],[100,0],[100,100],[0,0]],[[20,10],[40,10],[40,20],[20,10]]]},"properties":{"objectType":"annotation",
        "classification":{"name":"Tumor","color":[200,0,0]}}}]}
        """;

    [Fact]
    public async Task Regions_are_kept_with_holes_and_classes()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.png", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string address = $"/api/v1/slides/{await test.IdAsync("a.png")}/regions";
        Assert.Equal(0, (await test.JsonAsync(address)).GetProperty("features").GetArrayLength());
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(test, address, Regions));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Regions), JsonNode.Parse((await test.JsonAsync(address)).GetRawText())));
    }

    [Theory]
    [InlineData("""{"type":"Feature"}""")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Circle","coordinates":[]}}]}""")]
    [InlineData("""{"type":"FeatureCollection","features":[7]}""")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"\ud800","coordinates":[]}}]}""")]
    [InlineData("{\"type\":\"FeatureCollection\",\"features\":[],\"name\":\"\u00e7\"}", "latin1")]
    public async Task Put_refuses_other_content_and_keeps_regions(string content, string encoding = "utf-8")
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.png", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string address = $"/api/v1/slides/{await test.IdAsync("a.png")}/regions";
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(test, address, Regions));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(test, address, content, encoding));
        Assert.Equal(1, (await test.JsonAsync(address)).GetProperty("features").GetArrayLength());
        Assert.Equal(HttpStatusCode.NotFound, await PutAsync(test, "/api/v1/slides/none/regions", Regions));
    }

    [Theory]
    [InlineData(5 << 20, HttpStatusCode.NoContent)]
    [InlineData(33 << 20, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Put_takes_files_of_32_megabytes_and_no_larger_ones(int bytes, HttpStatusCode expected)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.png", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string address = $"/api/v1/slides/{await test.IdAsync("a.png")}/regions";
        Assert.Equal(expected, await PutAsync(test, address, Regions.PadRight(bytes)));
        Assert.Equal(expected == HttpStatusCode.NoContent ? 1 : 0,
            (await test.JsonAsync(address)).GetProperty("features").GetArrayLength());
    }

    private static async Task<HttpStatusCode> PutAsync(TestServer test, string address, string content, string encoding = "utf-8")
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, address)
        { Content = new ByteArrayContent(Encoding.GetEncoding(encoding).GetBytes(content)) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("X-Tinctor", "1");
        // A server that refuses a body answers before it is sent.
        request.Headers.ExpectContinue = true;
        using HttpResponseMessage answer = await test.Client.SendAsync(request);
        return answer.StatusCode;
    }
}
