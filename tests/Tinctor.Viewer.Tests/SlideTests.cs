using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Tests;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Tests;

public sealed class SlideTests
{
    // JPEG of quality 85 with halved chroma.
    private const double LargestMeanDifference = 4;

    [Fact]
    public async Task List_has_metadata_of_real_slides()
    {
        var folder = new TemporaryFolder();
        await using TestServer server = await TestServer.StartAsync(folder,
            options => options with { Slides = [RepositoryFiles.Path("samples/data/slides")] });
        JsonElement slide = (await server.SlidesAsync("?search=CMU region")).Single();
        Assert.Equal("cmu-1-small-region.svs", slide.GetProperty("name").GetString());
        Assert.Equal("slides", slide.GetProperty("folder").GetString());
        Assert.Equal((2220, 2967), (slide.GetProperty("width").GetInt32(), slide.GetProperty("height").GetInt32()));
        Assert.Equal(0.499, slide.GetProperty("mpp").GetDouble());
        Assert.Equal(20, slide.GetProperty("magnification").GetDouble());
        Assert.Equal(["source", "haematoxylin", "eosin", "dab"],
            slide.GetProperty("layers").EnumerateArray().Select(layer => layer.GetString()));
        Assert.Equal(["label", "macro", "thumbnail"],
            slide.GetProperty("associated").EnumerateArray().Select(name => name.GetString()).Order());
        Assert.Equal(JsonValueKind.Null, slide.GetProperty("error").ValueKind);
        JsonElement whole = await server.JsonAsync("/api/v1/slides/" + slide.GetProperty("id").GetString());
        Assert.Equal("aperio", whole.GetProperty("metadata").GetProperty("openslide.vendor").GetString());
        JsonElement fluorescence = (await server.SlidesAsync("?search=DAPI")).Single();
        Assert.True(fluorescence.GetProperty("isFluorescence").GetBoolean());
        Assert.Equal(["source"], fluorescence.GetProperty("layers").EnumerateArray().Select(layer => layer.GetString()));
    }

    [Fact]
    public async Task List_pages_and_searches()
    {
        var folder = new TemporaryFolder();
        for (int i = 0; i < 5; i++) TestServer.WriteSlide(folder, $"s{i}.png", 64, 64, i);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement page = await server.JsonAsync("/api/v1/slides?offset=3&limit=1");
        Assert.Equal(5, page.GetProperty("total").GetInt32());
        Assert.Equal("s3.png", page.GetProperty("items").EnumerateArray().Single().GetProperty("name").GetString());
        Assert.Equal(2, (await server.SlidesAsync("?offset=3")).Length);
        Assert.Single(await server.SlidesAsync("?search=S4"));
        Assert.Empty(await server.SlidesAsync("?search=none"));
    }

    [Theory]
    [InlineData("slide.ome.tif")]
    [InlineData("image.png")]
    public async Task Tiles_equal_slide_at_every_level(string name)
    {
        var folder = new TemporaryFolder();
        using var slide = Slide.Open(TestServer.WriteSlide(folder, name, 1300, 700));
        await using TestServer server = await TestServer.StartAsync(folder);
        string tiles = $"/api/v1/slides/{await server.IdAsync(name)}/dzi/source_files";
        var pyramid = new DeepZoom(1300, 700);
        Assert.Equal(11, pyramid.LargestLevel);
        for (int level = 0; level <= pyramid.LargestLevel; level++)
        {
            for (int row = 0, column = 0; pyramid.Tile(level, column, row) is { } place;)
            {
                Image tile = await server.ImageAsync($"{tiles}/{level}/{column}_{row}.jpg");
                Assert.Equal((place.Width, place.Height), (tile.Width, tile.Height));
                Image expected = slide.ReadAt(place.Downsample, place.X, place.Y, place.Width, place.Height);
                // The border of small levels is mixed with the background here.
                if (level > 7) Assert.InRange(MeanDifference(tile, expected), 0, LargestMeanDifference);
                if (pyramid.Tile(level, ++column, row) is null) (column, row) = (0, row + 1);
            }
        }
    }

    [Fact]
    public async Task Tiles_of_small_levels_have_no_background_at_borders()
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        var image = new Image(1300, 700, 3);
        image.Fill([100, 150, 200]);
        SlideWriter.Write(folder.File("slides/flat.ome.tif"), new SlideSpec(1300, 700) { JpegQuality = null }, image);
        await using TestServer server = await TestServer.StartAsync(folder);
        string tiles = $"/api/v1/slides/{await server.IdAsync("flat.ome.tif")}/dzi/source_files";
        for (int level = 0; level <= 8; level++)
        {
            Image tile = await server.ImageAsync($"{tiles}/{level}/0_0.jpg");
            Assert.All(tile.Data.Index(),
                sample => Assert.InRange(sample.Item, 97 + (50 * (sample.Index % 3)), 103 + (50 * (sample.Index % 3))));
        }
    }

    [Theory]
    [InlineData("haematoxylin", 0)]
    [InlineData("eosin", 1)]
    [InlineData("dab", 2)]
    public async Task Layer_is_separated_stain(string layer, int stain)
    {
        var folder = new TemporaryFolder();
        using var slide = Slide.Open(TestServer.WriteSlide(folder, "slide.ome.tif", 500, 300));
        await using TestServer server = await TestServer.StartAsync(folder);
        Image tile = await server.ImageAsync($"/api/v1/slides/{await server.IdAsync("slide.ome.tif")}/dzi/{layer}_files/9/1_0.jpg");
        Image source = slide.Read(0, 253, 0, 247, 255);
        Image expected = StainImages.Render(source, StainMatrix.HaematoxylinEosinDab, stain);
        Assert.InRange(MeanDifference(tile, expected), 0, LargestMeanDifference);
        Assert.True(MeanDifference(tile, source) > 3 * LargestMeanDifference);
    }

    [Fact]
    public async Task Description_is_deep_zoom_xml()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 500, 300);
        await using TestServer server = await TestServer.StartAsync(folder);
        string xml = await server.Client.GetStringAsync($"/api/v1/slides/{await server.IdAsync("slide.ome.tif")}/dzi/eosin.dzi");
        XElement image = XDocument.Parse(xml).Root!;
        XElement size = image.Element(image.Name.Namespace + "Size")!;
        Assert.Equal(("254", "1", "jpg"),
            ((string)image.Attribute("TileSize")!, (string)image.Attribute("Overlap")!, (string)image.Attribute("Format")!));
        Assert.Equal((500, 300), ((int)size.Attribute("Width")!, (int)size.Attribute("Height")!));
    }

    [Theory]
    [InlineData("{0}/dzi/source_files/9/2_0.jpg")]
    [InlineData("{0}/dzi/source_files/10/0_0.jpg")]
    [InlineData("{0}/dzi/source_files/9/-1_0.jpg")]
    [InlineData("{0}/dzi/source_files/9/0_0.png")]
    [InlineData("{0}/dzi/source_files/9/4294967296_0.jpg")]
    [InlineData("{0}/dzi/source_files/99999999999/0_0.jpg")]
    [InlineData("{0}/dzi/nucleus_files/9/0_0.jpg")]
    [InlineData("{0}/dzi/nucleus.dzi")]
    [InlineData("{0}/associated/label")]
    [InlineData("none/thumbnail")]
    [InlineData("none")]
    public async Task Missing_parts_are_not_found(string address)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 500, 300);
        await using TestServer server = await TestServer.StartAsync(folder);
        string id = await server.IdAsync("slide.ome.tif");
        using HttpResponseMessage answer = await server.Client.GetAsync("/api/v1/slides/" + address.Replace("{0}", id));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Tile_known_to_client_is_not_sent_until_slide_changes()
    {
        var folder = new TemporaryFolder();
        string path = TestServer.WriteSlide(folder, "slide.png", 100, 100);
        await using TestServer server = await TestServer.StartAsync(folder);
        string address = $"/api/v1/slides/{await server.IdAsync("slide.png")}/dzi/source_files/7/0_0.jpg";
        using HttpResponseMessage first = await server.Client.GetAsync(address);
        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync());
        TestServer.WriteSlide(folder, "slide.png", 100, 100, seed: 2);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync());

        async Task<HttpStatusCode> StatusAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task List_follows_files()
    {
        var folder = new TemporaryFolder();
        string path = TestServer.WriteSlide(folder, "a.png", 64, 64);
        await using TestServer server = await TestServer.StartAsync(folder);
        Assert.Single(await server.SlidesAsync());
        TestServer.WriteSlide(folder, "b.png", 70, 64);
        Assert.Equal(2, (await server.SlidesAsync()).Length);
        File.Delete(path);
        Assert.Equal(70, (await server.SlidesAsync()).Single().GetProperty("width").GetInt32());
    }

    [Fact]
    public async Task Thumbnail_is_cached_by_content()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 1000, 500);
        await using TestServer server = await TestServer.StartAsync(folder);
        string address = $"/api/v1/slides/{await server.IdAsync("slide.ome.tif")}/thumbnail?size=200";
        Image thumbnail = await server.ImageAsync(address);
        Assert.Equal((256, 128), (thumbnail.Width, thumbnail.Height));
        string cached = Directory.GetFiles(folder.File("cache/thumbnails")).Single();
        File.WriteAllBytes(cached, [1, 2, 3]);
        Assert.Equal([1, 2, 3], await server.Client.GetByteArrayAsync(address));
    }

    [Fact]
    public async Task Thumbnail_without_writable_cache_is_sent()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.png", 300, 300);
        string file = folder.File("file", [1]);
        await using TestServer server = await TestServer.StartAsync(folder, options => options with { CacheFolder = file });
        Image thumbnail = await server.ImageAsync($"/api/v1/slides/{await server.IdAsync("slide.png")}/thumbnail?size=128");
        Assert.Equal(128, thumbnail.Width);
    }

    [Fact]
    public async Task Associated_image_equals_that_of_slide()
    {
        var folder = new TemporaryFolder();
        string path = RepositoryFiles.Sample("slides/cmu-1-small-region.svs");
        await using TestServer server = await TestServer.StartAsync(folder, options => options with { Slides = [path] });
        using var slide = Slide.Open(path);
        Assert.Equal("slides", (await server.SlidesAsync()).Single().GetProperty("folder").GetString());
        Image label = await server.ImageAsync($"/api/v1/slides/{await server.IdAsync("cmu-1-small-region.svs")}/associated/label");
        Assert.Equal(slide.ReadAssociated("label").ToDisplay().Data, label.Data);
    }

    [Fact]
    public async Task Fluorescence_is_shown_in_colours_of_channels()
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        var image = new Image(300, 300, 2, SampleType.UInt16);
        for (int i = 0; i < image.Samples16.Length; i++) image.Samples16[i] = (ushort)(i % 2 == 0 && i % 600 < 300 ? 50_000 : 100);
        SlideWriter.Write(folder.File("slides/two.ome.tif"), new SlideSpec(300, 300, 2, SampleType.UInt16)
        { ChannelInfo = [new("DAPI"), new("Cy5")] }, image);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement slide = (await server.SlidesAsync()).Single();
        Assert.Equal(["DAPI #0000ff", "Cy5 #ff00ff"], slide.GetProperty("channels").EnumerateArray()
            .Select(channel => $"{channel.GetProperty("name")} {channel.GetProperty("color")}"));
        Image tile = await server.ImageAsync($"/api/v1/slides/{slide.GetProperty("id")}/dzi/source_files/9/0_0.jpg");
        Assert.True(tile.Data[2] > 200 && tile.Data[1] < 60, $"{tile.Data[0]} {tile.Data[1]} {tile.Data[2]}");
    }

    [Fact]
    public async Task Damaged_slide_is_listed_with_its_problem()
    {
        var folder = new TemporaryFolder();
        string path = TestServer.WriteSlide(folder, "slide.ome.tif", 600, 400);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..40]);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement slide = (await server.SlidesAsync()).Single();
        Assert.NotEmpty(slide.GetProperty("error").GetString()!);
        using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/slides/{slide.GetProperty("id")}/thumbnail");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        string problem = await answer.Content.ReadAsStringAsync();
        Assert.Contains("slide.ome.tif", problem);
        Assert.DoesNotContain(folder.Path, problem);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stained_slides_are_results_of_their_source(bool moved)
    {
        var folder = new TemporaryFolder();
        string source = TestServer.WriteSlide(folder, "source.ome.tif", 300, 200);
        string stained = TestServer.WriteSlide(folder, "stained.ome.tif", 300, 200, 2);
        TestServer.WriteSlide(folder, "stained.uncertainty.ome.tif", 300, 200, 3);
        TestServer.WriteSlide(folder, "other.ome.tif", 300, 200, 4);
        File.WriteAllText(Slide.Stem(stained) + ".json", JsonSerializer.Serialize(new
        {
            format = "tinctor-stained-slide",
            version = 1,
            source = moved ? "/elsewhere/source.ome.tif" : source,
            model_sha256 = "0123456789abcdef",
        }));
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement[] slides = await server.SlidesAsync();
        Assert.Equal(["other.ome.tif", "source.ome.tif"], slides.Select(slide => slide.GetProperty("name").GetString()));
        JsonElement[] results = [.. slides[1].GetProperty("results").EnumerateArray()];
        Assert.Equal(["stained.ome.tif stained 0123456789ab True", "stained.uncertainty.ome.tif variation 0123456789ab True"],
            results.Select(result => $"{result.GetProperty("name")} {result.GetProperty("kind")} {result.GetProperty("model")} "
                + result.GetProperty("complete")));
        JsonElement opened = await server.JsonAsync("/api/v1/slides/" + results[0].GetProperty("id").GetString());
        Assert.Equal("stained.ome.tif", opened.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("full/max/0/default.jpg", 1300, 700)]
    [InlineData("square/100,/0/default.jpg", 100, 100)]
    [InlineData("100,50,400,200/200,/0/color.png", 200, 100)]
    [InlineData("1200,600,400,400/max/0/default.png", 100, 100)]
    [InlineData("pct:0,0,50,50/,70/0/default.jpg", 130, 70)]
    [InlineData("full/!100,100/0/default.jpg", 100, 54)]
    public async Task Iiif_image_has_requested_size(string address, int width, int height)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 1300, 700);
        await using TestServer server = await TestServer.StartAsync(folder);
        Image image = await server.ImageAsync($"/iiif/3/{await server.IdAsync("slide.ome.tif")}/{address}");
        Assert.Equal((width, height), (image.Width, image.Height));
    }

    [Fact]
    public async Task Iiif_region_equals_slide()
    {
        var folder = new TemporaryFolder();
        using var slide = Slide.Open(TestServer.WriteSlide(folder, "slide.ome.tif", 1300, 700));
        await using TestServer server = await TestServer.StartAsync(folder);
        string id = await server.IdAsync("slide.ome.tif");
        Image image = await server.ImageAsync($"/iiif/3/{id}/300,200,256,128/max/0/default.png");
        Assert.Equal(slide.Read(0, 300, 200, 256, 128).Data, image.Data);
        JsonElement info = await server.JsonAsync($"/iiif/3/{id}/info.json");
        Assert.Equal(("level1", 1300), (info.GetProperty("profile").GetString(), info.GetProperty("width").GetInt32()));
        Assert.Equal($"{server.Server.Address}iiif/3/{id}", info.GetProperty("id").GetString());
        using HttpResponseMessage redirect = await server.Client.GetAsync($"/iiif/3/{id}");
        Assert.Equal((HttpStatusCode.SeeOther, $"/iiif/3/{id}/info.json"),
            (redirect.StatusCode, redirect.Headers.Location!.OriginalString));
    }

    [Theory]
    [InlineData("full/max/90/default.jpg")]
    [InlineData("full/max/0/default.gif")]
    [InlineData("full/max/0/bitonal.jpg")]
    [InlineData("full/5000,/0/default.jpg")]
    [InlineData("0,0,0,10/max/0/default.jpg")]
    [InlineData("2000,0,10,10/max/0/default.jpg")]
    [InlineData("-1,0,10,10/max/0/default.jpg")]
    [InlineData("1,2,3/max/0/default.jpg")]
    [InlineData("full/0,/0/default.jpg")]
    [InlineData("full/pct:NaN/0/default.jpg")]
    [InlineData("pct:1e400,0,1,1/max/0/default.jpg")]
    public async Task Iiif_malformed_request_is_refused(string address)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.ome.tif", 1300, 700);
        await using TestServer server = await TestServer.StartAsync(folder);
        using HttpResponseMessage answer = await server.Client.GetAsync($"/iiif/3/{await server.IdAsync("slide.ome.tif")}/{address}");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Tile_in_memory_needs_no_read()
    {
        var folder = new TemporaryFolder();
        string path = TestServer.WriteSlide(folder, "slide.png", 64, 64);
        await using TestServer server = await TestServer.StartAsync(folder, options => options with { Readers = 1, QueuedReads = 1 });
        string tile = $"/api/v1/slides/{await server.IdAsync("slide.png")}/dzi/source_files/6/0_0.jpg";
        byte[] first = await server.Client.GetByteArrayAsync(tile);
        ReadQueue queue = server.Server.Services.GetRequiredService<ReadQueue>();
        using var release = new ManualResetEventSlim();
        Task<bool> running = queue.RunAsync(() => release.Wait(Timeout.Infinite), default);
        Assert.Equal(first, await server.Client.GetByteArrayAsync(tile));
        release.Set();
        Assert.True(await running);
        // Another content has other tiles.
        TestServer.Picture(64, 64, seed: 5).Write(path);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(5));
        await server.SlidesAsync();
        Assert.NotEqual(first, await server.Client.GetByteArrayAsync(tile));
    }

    private static double MeanDifference(Image one, Image other)
    {
        Assert.Equal(one.Data.Length, other.Data.Length);
        return one.Data.Zip(other.Data, (a, b) => Math.Abs(a - b)).Average();
    }
}
