using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Transforms;
using Tinctor.Viewer.Measurements;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Tests;

/// <summary>Measurements through the server's addresses, in parts of the sample slides.</summary>
public sealed class MeasurementTests
{
    private const int Width = 500, Height = 400;

    [Fact]
    public async Task Whole_slide_equals_quantities_of_image()
    {
        var folder = new TemporaryFolder();
        Image her2 = Write(folder, "her2"), he = Write(folder, "he");
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("her2.ome.tif");
        JsonElement result = await MeasureAsync(test, slide, new()
        {
            ["regions"] = Collection(Square(0, 0, Width, Height)),
            ["of"] = new JsonArray(Picture(slide), Picture(await test.IdAsync("he.ome.tif"))),
        });
        Assert.Equal((0.5, true), (result.GetProperty("mpp").GetDouble(), result.GetProperty("hasPixelSize").GetBoolean()));
        JsonElement region = Assert.Single(result.GetProperty("regions").EnumerateArray());
        Assert.Equal("Region 1", region.GetProperty("name").GetString());
        (IhcCounts first, IhcCounts second) = (Counts(her2), Counts(he));
        foreach ((Quantity quantity, Func<IhcCounts, double> value) in IhcCounts.Quantities(new()))
        {
            AssertValue(value(first), region.GetProperty("pictures")[0].GetProperty("values"), quantity.Key);
            AssertValue(value(second), region.GetProperty("pictures")[1].GetProperty("values"), quantity.Key);
            AssertValue(value(first) - value(second), region.GetProperty("difference"), quantity.Key);
        }
        AssertValue(Width * Height * 0.25e-6, region.GetProperty("pictures")[0].GetProperty("values"), "area");
        Assert.Equal(JsonValueKind.Null, region.GetProperty("pictures")[0].GetProperty("level").ValueKind);
        Assert.Contains(result.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("No IHC level"));
        Assert.All(result.GetProperty("quantities").EnumerateArray(), quantity =>
            Assert.NotEmpty(quantity.GetProperty("definition").GetString()!));

        static void AssertValue(double expected, JsonElement values, string key)
        {
            if (double.IsFinite(expected)) Assert.Equal(expected, values.GetProperty(key).GetDouble(), 1e-9);
            else Assert.Equal(JsonValueKind.Null, values.GetProperty(key).ValueKind);
        }
    }

    [Fact]
    public async Task Holes_polygons_classes_and_thresholds_are_respected()
    {
        var folder = new TemporaryFolder();
        Write(folder, "her2");
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("her2.ome.tif");
        JsonNode ring = new JsonArray(Corners(50, 50, 300, 300), Corners(100, 100, 200, 200));
        JsonNode apart = new JsonArray(Corners(400, 20, 80, 80));
        JsonArray regions =
        [
            Feature(Polygon(Corners(50, 50, 300, 300)), """{"name":"Outer"}"""), Feature(Polygon(Corners(100, 100, 200, 200)), "null"),
            Feature(new() { ["type"] = "MultiPolygon", ["coordinates"] = new JsonArray(ring, apart) },
                """{"classification":{"name":"Tumor","color":[200,0,0]}}"""),
            Feature(Polygon(Corners(400, 20, 80, 80)), "null"),
            Feature(new() { ["type"] = "Point", ["coordinates"] = new JsonArray(1, 2) }, "null"),
        ];
        JsonElement result = await MeasureAsync(test, slide, new()
        {
            ["regions"] = new JsonObject { ["type"] = "FeatureCollection", ["features"] = regions },
            ["of"] = new JsonArray(Picture(slide)),
            ["thresholds"] = JsonNode.Parse("""{"positive":0.2,"weak":0.1,"moderate":0.2,"strong":0.3}"""),
        });
        JsonElement[] measured = [.. result.GetProperty("regions").EnumerateArray()];
        Assert.Equal(["Outer", "Region 2", "Tumor", "Region 4"], measured.Select(region => region.GetProperty("name").GetString()));
        Assert.Equal("Tumor", measured[2].GetProperty("class").GetString());
        double[] tissue = [.. measured.Select(region => Value(region, "tissue_area"))];
        double[] area = [.. measured.Select(region => Value(region, "area"))];
        Assert.Equal(tissue[0] - tissue[1] + tissue[3], tissue[2], 1e-9);
        Assert.Equal((90_000 - 40_000 + 6400) * 0.25e-6, area[2], 1e-9);
        Assert.Equal(0.2, result.GetProperty("thresholds").GetProperty("positive").GetDouble());
        Assert.Contains(result.GetProperty("quantities").EnumerateArray(),
            quantity => quantity.GetProperty("definition").GetString()!.Contains("0.1, 0.2 and 0.3"));
    }

    [Fact]
    public async Task Slide_without_pixel_size_has_areas_in_pixels()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.png", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("a.png");
        JsonObject body = new() { ["regions"] = Collection(Square(10, 10, 100, 50)), ["of"] = new JsonArray(Picture(slide)) };
        JsonElement result = await MeasureAsync(test, slide, body);
        Assert.Contains("states no pixel size", result.GetProperty("notes")[0].GetString());
        Assert.Equal("px²", result.GetProperty("quantities")[0].GetProperty("unit").GetString());
        Assert.Equal(5000, Value(result.GetProperty("regions")[0], "area"), 1e-6);
        body["mpp"] = 0.25;
        result = await MeasureAsync(test, slide, body);
        Assert.Equal(5000 * 0.0625e-6, Value(result.GetProperty("regions")[0], "area"), 1e-12);
        Assert.Equal(0.5, result.GetProperty("mpp").GetDouble());
    }

    [Fact]
    public async Task Slide_is_stained_where_it_is_measured()
    {
        var folder = new TemporaryFolder();
        Write(folder, "he", 256, 200);
        await using TestServer test = await TestServer.StartAsync(folder, options =>
            options with { Models = [RepositoryFiles.Path("samples/model")] });
        string slide = await test.IdAsync("he.ome.tif"), model = (await test.JsonAsync("/api/v1/models"))[0].GetProperty("id").GetString()!;
        JsonElement result = await MeasureAsync(test, slide, new()
        {
            ["regions"] = Collection(Square(30, 20, 200, 150)),
            ["of"] = new JsonArray(new JsonObject { ["slide"] = slide, ["model"] = model }, Picture(slide)),
        });
        JsonElement stained = await test.JsonAsync($"/api/v1/slides/{slide}/stained/{model}");
        Assert.True(stained.GetProperty("done").GetInt32() > 0);
        Assert.Equal("he.ome.tif, stained with model", result.GetProperty("pictures")[0].GetProperty("name").GetString());
        // The sample model stains HER2: its nuclei are blue, unlike those of H&E after separation for DAB.
        Assert.True(Value(result.GetProperty("regions")[0], "nuclei") > 0);
        Assert.NotEqual(0, result.GetProperty("regions")[0].GetProperty("difference").GetProperty("dab_density").GetDouble());
    }

    [Fact]
    public async Task Registered_slide_is_measured_on_pixels_of_the_other()
    {
        var folder = new TemporaryFolder();
        Image her2 = Write(folder, "her2");
        // The target is the same section, 20 pixels to the right and 10 down.
        Image moved = new(Width + 40, Height + 30, 3);
        moved.Fill([255, 255, 255]);
        moved.Paste(her2, 20, 10);
        SlideWriter.Write(folder.File("slides/moved.ome.tif"),
            new SlideSpec(moved.Width, moved.Height) { Mpp = 0.5, JpegQuality = null }, moved);
        TransformFile.Write(folder.File("slides/pair.json"), new(new(folder.File("slides/her2.ome.tif"), Width, Height, 0.5),
            new(folder.File("slides/moved.ome.tif"), moved.Width, moved.Height, 0.5), AffineTransform.Translation(20, 10), null,
            new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 }));
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("her2.ome.tif"), target = await test.IdAsync("moved.ome.tif");
        string registration = (await test.JsonAsync("/api/v1/registrations"))[0].GetProperty("id").GetString()!;
        JsonElement result = await MeasureAsync(test, slide, new()
        {
            ["regions"] = Collection(Square(60, 50, 300, 250)),
            ["of"] = new JsonArray(Picture(slide), new JsonObject { ["slide"] = target, ["registration"] = registration }),
        });
        JsonElement region = result.GetProperty("regions")[0];
        Assert.Equal("moved.ome.tif, registered", result.GetProperty("pictures")[1].GetProperty("name").GetString());
        Assert.All(region.GetProperty("difference").EnumerateObject(), value => Assert.Equal(0, value.Value.GetDouble(), 1e-9));
        Assert.True(Value(region, "nuclei") > 20);
        // Regions are in pixels of the source.
        using HttpResponseMessage back = await PostAsync(test, $"/api/v1/slides/{target}/measurements", new JsonObject
        {
            ["regions"] = Collection(Square(0, 0, 9, 9)),
            ["of"] = new JsonArray(new JsonObject { ["slide"] = slide, ["registration"] = registration }),
        });
        Assert.Equal(HttpStatusCode.NotFound, back.StatusCode);
    }

    [Fact]
    public async Task Classifier_predicts_level_and_is_no_staining_model()
    {
        var folder = new TemporaryFolder();
        Write(folder, "her2");
        TestClassifier.Write(folder.File("models/levels/model"), 128);
        await using TestServer test = await TestServer.StartAsync(folder, options => options with { Models = [folder.File("models")] });
        JsonElement model = Assert.Single((await test.JsonAsync("/api/v1/models")).EnumerateArray());
        Assert.Equal("classifier", model.GetProperty("kind").GetString());
        string slide = await test.IdAsync("her2.ome.tif"), id = model.GetProperty("id").GetString()!;
        using HttpResponseMessage stained = await test.Client.GetAsync($"/api/v1/slides/{slide}/stained/{id}",
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, stained.StatusCode);
        JsonElement result = await MeasureAsync(test, slide, new()
        { ["regions"] = Collection(Square(0, 0, Width, Height)), ["of"] = new JsonArray(Picture(slide)) });
        JsonElement level = result.GetProperty("regions")[0].GetProperty("pictures")[0].GetProperty("level");
        Assert.Equal(1, level.GetProperty("probabilities").EnumerateArray().Sum(each => each.GetProperty("probability").GetDouble()), 1e-5);
        Assert.InRange(level.GetProperty("tiles").GetInt32(), 1, 16);
        // The section is bright on the whole.
        Assert.Equal("0", level.GetProperty("level").GetString());
        Assert.Contains(result.GetProperty("notes").EnumerateArray(), note =>
            note.GetString()!.Contains("classifier states no pixel size"));
    }

    [Fact]
    public async Task Malformed_requests_are_refused_in_one_line()
    {
        (string Body, string Expected)[] cases =
        [
            ("""{"regions":ROUND,"of":[{"slide":"ID"}]}""", "have 100001 corners, at most 100000"),
            ("""{"regions":{"type":"FeatureCollection","features":[]},"of":[{"slide":"ID"}]}""", "no region with an area"),
            ("""{"regions":{"type":"Feature"},"of":[{"slide":"ID"}]}""", "no GeoJSON feature collection"),
            ("""{"regions":REGIONS,"of":[]}""", "number of pictures is 0"),
            ("""{"regions":REGIONS,"of":[{"slide":"ID"}],"compare":[0,1]}""", "two different indices below 1"),
            ("""{"regions":REGIONS,"of":[{"slide":"ID"}],"nuclei":"red"}""", "expected both or haematoxylin"),
            ("""{"regions":REGIONS,"of":[{"slide":"ID"}],"mpp":0}""", "expected 0.05 to 10"),
            ("""{"regions":REGIONS,"of":[{"slide":"ID"}],"classifier":"none"}""", "no such classifier"),
            ("""{"regions":REGIONS,"of":[{"slide":"ID"}],"thresholds":{"positive":0.1,"weak":0.3,"moderate":0.2,"strong":0.6}}""", "rise"),
            ("""{"regions":HUGE,"of":[{"slide":"ID"}]}""", "at most 100 mm²"),
            ("""{"regions":BROKEN,"of":[{"slide":"ID"}]}""", "Region 1 has coordinates of another form"),
        ];
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.ome.tif", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("a.ome.tif");
        // Larger than other requests may be.
        string round = Collection(Polygon(new JsonArray([.. Enumerable.Range(0, 100_001).Select(i => Point(i % 299, i % 199 + 0.25))])))
            .ToJsonString();
        foreach ((string body, string expected) in cases)
        {
            string filled = body.Replace("ID", slide).Replace("REGIONS", Collection(Square(0, 0, 9, 9)).ToJsonString())
                .Replace("ROUND", round)
                .Replace("HUGE", Collection(Square(0, 0, 90_000, 90_000)).ToJsonString())
                .Replace("BROKEN", Collection(JsonNode.Parse("""{"type":"Polygon","coordinates":[[["a"]]]}""")!.AsObject()).ToJsonString());
            using HttpResponseMessage answer = await PostAsync(test, $"/api/v1/slides/{slide}/measurements", JsonNode.Parse(filled)!);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            string detail = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement
                .GetProperty("detail").GetString()!;
            Assert.Contains(expected, detail);
            Assert.DoesNotContain('\n', detail);
        }
    }

    [Fact]
    public async Task Unknown_slides_models_and_measurements_are_not_found()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.ome.tif", 300, 200);
        await using TestServer test = await TestServer.StartAsync(folder);
        string slide = await test.IdAsync("a.ome.tif");
        foreach ((string of, string picture, string? model) in new (string, string, string?)[]
            { ("none", slide, null), (slide, "none", null), (slide, slide, "none") })
        {
            using HttpResponseMessage answer = await PostAsync(test, $"/api/v1/slides/{of}/measurements", new JsonObject
            {
                ["regions"] = Collection(Square(0, 0, 9, 9)),
                ["of"] = new JsonArray(new JsonObject { ["slide"] = picture, ["model"] = model }),
            });
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        using var cancel = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/measurements/none");
        using HttpResponseMessage foreign = await test.Client.SendAsync(cancel, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using HttpResponseMessage missing = await test.Client.GetAsync("/api/v1/measurements/none", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        JsonElement defaults = await test.JsonAsync("/api/v1/measurements/defaults");
        Assert.Equal(0.15, defaults.GetProperty("thresholds").GetProperty("positive").GetDouble());
    }

    [Fact]
    public async Task Queue_measures_one_at_a_time_cancels_and_refuses_when_full()
    {
        using var started = new SemaphoreSlim(0);
        using var queue = new MeasurementQueue((_, progress, cancel) =>
        {
            progress(1, 2);
            started.Release();
            cancel.WaitHandle.WaitOne();
            cancel.ThrowIfCancellationRequested();
            return null!;
        }, NullLogger<MeasurementQueue>.Instance);
        await queue.StartAsync(CancellationToken.None);
        MeasurementStatus first = queue.Add(null!);
        await started.WaitAsync(TestContext.Current.CancellationToken);
        MeasurementStatus now = queue.Find(first.Id)!;
        Assert.Equal((MeasurementState.Running, 1, 2), (now.State, now.Done, now.Total));
        MeasurementStatus[] waiting = [.. Enumerable.Range(0, MeasurementQueue.MostWaiting).Select(_ => queue.Add(null!))];
        Assert.Throws<BusyException>(() => queue.Add(null!));
        Assert.Equal(MeasurementState.Cancelled, queue.Cancel(waiting[0].Id)!.State);
        queue.Cancel(first.Id);
        await started.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(MeasurementState.Cancelled, queue.Find(first.Id)!.State);
        Assert.Equal(MeasurementState.Running, queue.Find(waiting[1].Id)!.State);
        Assert.Null(queue.Cancel("none"));
        await queue.StopAsync(CancellationToken.None);
    }

    /// <summary>Writes a part of a sample slide without loss, and returns its pixels.</summary>
    private static Image Write(TemporaryFolder folder, string name, int width = Width, int height = Height)
    {
        Directory.CreateDirectory(folder.File("slides"));
        using Slide whole = Slide.Open(RepositoryFiles.Path($"samples/data/phantom/{name}.ome.tif"));
        Image part = whole.Read(0, 200, 100, width, height);
        SlideWriter.Write(folder.File($"slides/{name}.ome.tif"), new SlideSpec(width, height) { Mpp = 0.5, JpegQuality = null }, part);
        return part;
    }

    private static IhcCounts Counts(Image image)
    {
        var stains = new StainDensities(image);
        return IhcCounts.Compute(stains, NucleusDetector.Find(stains, new()), new());
    }

    private static double Value(JsonElement region, string key) =>
        region.GetProperty("pictures")[0].GetProperty("values").GetProperty(key).GetDouble();

    private static JsonObject Picture(string slide) => new() { ["slide"] = slide };

    private static JsonArray Corners(double x, double y, double width, double height) =>
        [Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height), Point(x, y)];

    private static JsonArray Point(double x, double y) => [x, y];

    private static JsonObject Polygon(params JsonNode[] rings) => new() { ["type"] = "Polygon", ["coordinates"] = new JsonArray(rings) };

    private static JsonObject Square(double x, double y, double width, double height) => Polygon(Corners(x, y, width, height));

    private static JsonObject Feature(JsonObject geometry, string properties) =>
        new() { ["type"] = "Feature", ["geometry"] = geometry, ["properties"] = JsonNode.Parse(properties) };

    private static JsonObject Collection(JsonObject geometry) =>
        new() { ["type"] = "FeatureCollection", ["features"] = new JsonArray(Feature(geometry, "null")) };

    private static async Task<JsonElement> MeasureAsync(TestServer test, string slide, JsonObject body)
    {
        using HttpResponseMessage added = await PostAsync(test, $"/api/v1/slides/{slide}/measurements", body);
        Assert.True(added.StatusCode == HttpStatusCode.Accepted, await added.Content.ReadAsStringAsync());
        for (int i = 0; i < 600; i++)
        {
            JsonElement measurement = await test.JsonAsync(added.Headers.Location!.ToString());
            string state = measurement.GetProperty("state").GetString()!;
            if (state == "finished") return measurement.GetProperty("result");
            Assert.True(state is "queued" or "running", measurement.GetRawText());
            await Task.Delay(50);
        }
        throw new TimeoutException("the measurement does not end");
    }

    private static async Task<HttpResponseMessage> PostAsync(TestServer test, string address, JsonNode body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Tinctor", "1");
        return await test.Client.SendAsync(request);
    }
}
