using System.Net;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

/// <summary>Channels of fluorescence and grey slides: which are shown, in which colours and ranges.</summary>
public sealed class ChannelTests
{
    // Samples by channel; the left half of the first channel is bright.
    private static readonly ushort[] Samples = [1000, 2000, 500, 4000];

    /// <summary>Writes four.ome.tif of 300x300 pixels with four 16-bit channels into the folder of slides.</summary>
    internal static void WriteFour(TemporaryFolder folder)
    {
        Directory.CreateDirectory(folder.File("slides"));
        var image = new Image(300, 300, 4, SampleType.UInt16);
        for (int i = 0; i < image.Samples16.Length; i++)
            image.Samples16[i] = (ushort)(i % 4 != 0 || i / 4 % 300 < 150 ? Samples[i % 4] : 100);
        SlideWriter.Write(folder.File("slides/four.ome.tif"), new SlideSpec(300, 300, 4, SampleType.UInt16)
        {
            ChannelInfo = [new("DAPI") { Display = (0, 1000) }, new("Cy5") { Display = (0, 2000) }, new(""), new("") { Colour = 0xFFFF00 }],
        }, image);
    }

    [Theory]
    [InlineData("0:ff0000:0:2000", 128, 0, 0)]
    [InlineData("0:ff0000:0:1000,1:00ff00:1000:3000", 255, 128, 0)]
    [InlineData("1:00ff00:0:8000:0.5", 0, 128, 0)]
    [InlineData("3:0000ff:0:4000,0:00ff00:0:10000", 0, 26, 255)]
    [InlineData("", 0, 0, 0)]
    public async Task Tile_has_the_channels_of_its_address(string channels, int red, int green, int blue)
    {
        var folder = new TemporaryFolder();
        WriteFour(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        Image tile = await server.ImageAsync($"{await TileAsync(server)}?channels={channels}");
        // Samples in the middle of the left half, whose colour JPEG keeps nearly.
        int at = ((100 * tile.Width) + 70) * 3;
        Assert.Equal(red, tile.Data[at], 4.0);
        Assert.Equal(green, tile.Data[at + 1], 4.0);
        Assert.Equal(blue, tile.Data[at + 2], 4.0);
    }

    [Fact]
    public async Task Tiles_of_other_channels_have_other_tags()
    {
        var folder = new TemporaryFolder();
        WriteFour(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        string tile = await TileAsync(server);
        var tags = new HashSet<string>();
        foreach (string query in new[] { "", "?channels=", "?channels=0:ff0000:0:2000", "?channels=0:ff0000:0:2001" })
        {
            using HttpResponseMessage answer = await server.Client.GetAsync(tile + query, TestContext.Current.CancellationToken);
            Assert.True(tags.Add(answer.Headers.ETag!.ToString()), query);
        }
    }

    [Theory]
    [InlineData("4:ff0000:0:1")]
    [InlineData("0:ff0000:0:1,0:00ff00:0:1")]
    [InlineData("0:red:0:1")]
    [InlineData("0:ff0000:5:5")]
    [InlineData("0:ff0000:NaN:5")]
    [InlineData("0:ff0000:0:1e9")]
    [InlineData("0:ff0000:0:1:0")]
    [InlineData("0:ff0000:0:1:1:1")]
    [InlineData("-1:ff0000:0:1")]
    public async Task Malformed_channels_are_refused(string channels)
    {
        var folder = new TemporaryFolder();
        WriteFour(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        using HttpResponseMessage answer = await server.Client.GetAsync($"{await TileAsync(server)}?channels={channels}",
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Slide_lists_channels_with_their_ranges()
    {
        var folder = new TemporaryFolder();
        WriteFour(folder);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement[] channels = [.. (await server.SlidesAsync()).Single().GetProperty("channels").EnumerateArray()];
        Assert.Equal(["DAPI #0000ff", "Cy5 #ff00ff", "channel 3 #ffffff", "channel 4 #ffff00"],
            channels.Select(channel => $"{channel.GetProperty("name")} {channel.GetProperty("color")}"));
        Assert.Equal((0.0, 1000.0, 100.0, 1000.0), (Number("low"), Number("high"), Number("autoLow"), Number("autoHigh")));
        Assert.Equal(65535, Number("most"));

        double Number(string name) => channels[0].GetProperty(name).GetDouble();
    }

    [Theory]
    [InlineData(1, 3, "grey")]
    [InlineData(1, 200, "grey")]
    [InlineData(3, 3, "red,green,blue")]
    [InlineData(3, 200, "")]
    public async Task Grey_slides_and_dark_colours_have_channels_but_brightfield_has_none(int samples, int light, string expected)
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        var image = new Image(300, 300, samples);
        Array.Fill(image.Data, (byte)light);
        for (int i = 0; i < image.Data.Length; i += 7) image.Data[i] = 240;
        image.Write(folder.File("slides/field.png"));
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement slide = (await server.SlidesAsync()).Single();
        string names = string.Join(',', slide.GetProperty("channels").EnumerateArray().Select(channel => channel.GetProperty("name")));
        // Dark grey is fluorescence of one channel without a name.
        Assert.Equal(samples == 1 && light == 3 ? "channel 1" : expected, names);
        using HttpResponseMessage answer = await server.Client.GetAsync(
            $"/api/v1/slides/{slide.GetProperty("id")}/dzi/source_files/9/0_0.jpg?channels=0:00ff00:0:100",
            TestContext.Current.CancellationToken);
        Assert.Equal(expected.Length == 0 ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answer.StatusCode);
    }

    private static async Task<string> TileAsync(TestServer server) =>
        $"/api/v1/slides/{await server.IdAsync("four.ome.tif")}/dzi/source_files/9/0_0.jpg";
}
