using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Viewer.Tests;

/// <summary>Registrations by the interface for programs: tiles, landmarks, fits, reviews and files.</summary>
public sealed class RegistrationTests
{
    internal const int Width = 600, Height = 500;

    internal static readonly AffineTransform Truth = AffineTransform.Translation(14, -9).After(AffineTransform.Rotation(0.08, 300, 250));

    private static readonly (double X, double Y)[] Places =
        [(60, 70), (520, 60), (300, 240), (90, 430), (500, 420), (200, 130), (410, 330)];

    [Fact]
    public async Task Transform_of_folder_shows_target_on_source_and_stays_as_it_is()
    {
        TemporaryFolder folder = Write(Truth);
        byte[] before = File.ReadAllBytes(folder.File("slides/registered/b.json"));
        await using TestServer test = await TestServer.StartAsync(folder);
        JsonElement registration = Assert.Single((await test.JsonAsync("/api/v1/registrations")).EnumerateArray());
        Assert.Equal(("automatic", true), (registration.GetProperty("state").GetString(), registration.GetProperty("usable").GetBoolean()));
        string address = $"/api/v1/registrations/{registration.GetProperty("id").GetString()}";
        int last = new Pixels.DeepZoom(Width, Height).LargestLevel;
        Image tile = await test.ImageAsync($"{address}/dzi/source_files/{last}/0_0.jpg"),
            source = await test.ImageAsync($"/api/v1/slides/{await test.IdAsync("a.png")}/dzi/source_files/{last}/0_0.jpg");
        Assert.InRange(Difference(tile, source, 40), 0, 3);
        // The whole slide as one tile, at an eighth of the resolution.
        Image coarse = await test.ImageAsync($"{address}/dzi/haematoxylin_files/{last - 3}/0_0.jpg");
        Assert.Equal((75, 63), (coarse.Width, coarse.Height));
        foreach (string wrong in (string[])
            ["dzi/none.dzi", "dzi/source_files/99/0_0.jpg", "previews/none/dzi/source.dzi", "landmarks/x.csv"])
            Assert.Equal(HttpStatusCode.NotFound, (await test.Client.GetAsync($"{address}/{wrong}")).StatusCode);
        Assert.Equal(before, File.ReadAllBytes(folder.File("slides/registered/b.json")));
    }

    [Fact]
    public async Task Landmarks_refit_and_correction_lower_error_and_are_saved_as_transform()
    {
        TemporaryFolder folder = Write(AffineTransform.Identity);
        await using TestServer test = await TestServer.StartAsync(folder);
        string id = await IdAsync(test), address = $"/api/v1/registrations/{id}";
        JsonNode none = await SendAsync(test, HttpMethod.Put, $"{address}/landmarks", new { pairs = Array.Empty<object>() });
        Assert.Empty(none["pairs"]!.AsArray());
        JsonNode placed = await SendAsync(test, HttpMethod.Put, $"{address}/landmarks", new { pairs = Landmarks });
        Assert.True((double)placed["medianError"]! > 5);
        JsonNode rigid = await SendAsync(test, HttpMethod.Post, $"{address}/refit", new { model = "rigid" });
        Assert.InRange((double)rigid["medianError"]!, 0, 1e-3);
        Assert.InRange((double)rigid["medianLeaveOneOut"]!, 0, 1e-3);
        // The fit is shown before it is saved.
        int last = new Pixels.DeepZoom(Width, Height).LargestLevel;
        Image tile = await test.ImageAsync($"{address}/previews/{rigid["preview"]}/dzi/source_files/{last}/0_0.jpg"),
            source = await test.ImageAsync($"/api/v1/slides/{await test.IdAsync("a.png")}/dzi/source_files/{last}/0_0.jpg");
        Assert.InRange(Difference(tile, source, 40), 0, 3);
        Assert.True((double)(await test.JsonAsync($"{address}/landmarks")).GetProperty("medianError").GetDouble() > 5);

        JsonNode saved = await SendAsync(test, HttpMethod.Post, $"{address}/correct", new { model = "nonrigid", by = "A. Reader" });
        Assert.Equal(("corrected", "A. Reader", 7), ((string)saved["state"]!, (string)saved["reviewedBy"]!, (int)saved["landmarks"]!));
        Assert.InRange((double)saved["medianTre"]!, 0, 0.05);
        string file = (string)saved["file"]!;
        Assert.StartsWith(folder.File("results"), file);
        RegistrationTransform read = TransformFile.Read(file);
        Assert.True(read.IsUsable && read.Displacement is not null);
        (double u, double v) = read.Apply(310, 200);
        Assert.Equal(Truth.Apply(310, 200).X, u, 0.1);
        Assert.Equal(Truth.Apply(310, 200).Y, v, 0.1);
        // Landmarks are files that 'tinctor register --landmarks' reads.
        string[] marks = [.. Directory.GetFiles(Path.GetDirectoryName(file)!, "*.csv").Order()];
        Assert.Equal(["source.csv", "target.csv"], marks.Select(Path.GetFileName));
        Assert.InRange(LandmarkError.Compute(read, LandmarkFile.Read(marks[0]), LandmarkFile.Read(marks[1])).MedianTre, 0, 0.05);
        JsonNode map = await SendAsync(test, HttpMethod.Post, $"{address}/map", new { points = new[] { new[] { u, v } }, inverse = true });
        Assert.Equal(310, (double)map[0]![0]!, 0.01);

        JsonNode rejected = await SendAsync(test, HttpMethod.Post, $"{address}/reject", new { });
        Assert.Equal(("rejected", false), ((string)rejected["state"]!, (bool)rejected["usable"]!));
        Assert.False(TransformFile.Read(file).IsUsable);
        Assert.Null(TransformFile.Read(file).Displacement);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(file)!, "*.safetensors"));
        Assert.Equal("accepted", (string)(await SendAsync(test, HttpMethod.Post, $"{address}/accept", new { }))["state"]!);
    }

    [Fact]
    public async Task Import_pairs_by_number_and_export_gives_same_places()
    {
        TemporaryFolder folder = Write(Truth);
        await using TestServer test = await TestServer.StartAsync(folder);
        string address = $"/api/v1/registrations/{await IdAsync(test)}";
        JsonNode imported = await SendAsync(test, HttpMethod.Post, $"{address}/landmarks/import",
            new { source = ",X,Y\n2,10,20.5\n1,30,40\n", target = ",X,Y\n1,31,41\n3,0,0\n2,11,22\n" });
        JsonNode pair = imported["pairs"]![0]!;
        Assert.Equal("[10,20.5] [11,22]", $"{pair["source"]!.ToJsonString()} {pair["target"]!.ToJsonString()}");
        string text = await test.Client.GetStringAsync($"{address}/landmarks/target.csv");
        Assert.Equal([11, 31], LandmarkFile.Parse(text, "target.csv").Select(mark => mark.X));
        (HttpStatusCode status, JsonNode? problem) = await TrySendAsync(test, HttpMethod.Post, $"{address}/landmarks/import",
            new { source = "a,b\n1,2\n", target = "" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("no columns X and Y", (string)problem!["detail"]!);
    }

    [Theory]
    [InlineData("PUT", "landmarks", """{"pairs":[{"source":[1],"target":[1,2]}]}""", HttpStatusCode.BadRequest)]
    [InlineData("PUT", "landmarks", """{"pairs":[{"source":[1,1e300],"target":[1,2]}]}""", HttpStatusCode.BadRequest)]
    [InlineData("PUT", "landmarks", """{"pairs":[null]}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "refit", """{"model":"cubic"}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "refit", """{"model":"2"}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "refit", """{"model":"affine"}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("POST", "map", """{"points":[[1,2,3]]}""", HttpStatusCode.BadRequest)]
    [InlineData("POST", "map", """{"points":[[1,2]],"preview":"none"}""", HttpStatusCode.NotFound)]
    public async Task Requests_that_are_malformed_are_refused(string method, string part, string body, HttpStatusCode expected)
    {
        await using TestServer test = await TestServer.StartAsync(Write(Truth));
        string address = $"/api/v1/registrations/{await IdAsync(test)}/{part}";
        (HttpStatusCode status, JsonNode? problem) = await TrySendAsync(test, new(method), address, JsonNode.Parse(body)!);
        Assert.Equal(expected, status);
        Assert.NotNull(problem?["detail"]);
    }

    [Fact]
    public async Task Too_many_landmarks_are_refused()
    {
        await using TestServer test = await TestServer.StartAsync(Write(Truth));
        var pairs = Enumerable.Range(0, 301).Select(i => new { source = new[] { i, 0 }, target = new[] { i, 0 } });
        (HttpStatusCode status, JsonNode? problem) = await TrySendAsync(test, HttpMethod.Put,
            $"/api/v1/registrations/{await IdAsync(test)}/landmarks", new { pairs });
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("at most 300", (string)problem!["detail"]!);
    }

    [Fact]
    public async Task Add_begins_by_hand_and_automatically()
    {
        TemporaryFolder folder = Write(Truth);
        Directory.Delete(folder.File("slides/registered"), recursive: true);
        var go = new TaskCompletionSource();
        await using TestServer test = await TestServer.StartAsync(folder, options => options with
        {
            EstimateTransform = (source, target, progress) =>
            {
                progress.Report(0.5);
                go.Task.Wait();
                return new(ImageFrame.From(source), ImageFrame.From(target), Truth, null,
                    new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.4 });
            },
        });
        string source = await test.IdAsync("a.png"), target = await test.IdAsync("b.png");
        JsonNode manual = await SendAsync(test, HttpMethod.Post, "/api/v1/registrations", new { source, target });
        Assert.Equal("manual", (string)manual["state"]!);
        Assert.Equal(1, (double)manual["quality"]!["scale"]!);
        JsonNode queued = await SendAsync(test, HttpMethod.Post, "/api/v1/registrations", new { source, target, automatic = true });
        string address = $"/api/v1/registrations/{queued["id"]}";
        while ((await test.JsonAsync(address)).GetProperty("done").GetDouble() < 0.5) await Task.Delay(20);
        go.SetResult();
        JsonElement done;
        while ((done = await test.JsonAsync(address)).GetProperty("state").GetString() != "automatic") await Task.Delay(20);
        Assert.True(done.GetProperty("usable").GetBoolean());
        Assert.Equal(2, (await test.JsonAsync($"/api/v1/registrations?slide={source}")).GetArrayLength());
        (HttpStatusCode same, _) = await TrySendAsync(test, HttpMethod.Post, "/api/v1/registrations", new { source, target = source });
        Assert.Equal(HttpStatusCode.BadRequest, same);
    }

    [Fact]
    public async Task Add_automatic_that_fails_or_is_not_offered_states_reason()
    {
        await using TestServer none = await TestServer.StartAsync(Write(Truth));
        string source = await none.IdAsync("a.png"), target = await none.IdAsync("b.png");
        (HttpStatusCode status, JsonNode? problem) =
            await TrySendAsync(none, HttpMethod.Post, "/api/v1/registrations", new { source, target, automatic = true });
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("libtorch", (string)problem!["detail"]!);
        Assert.False((await none.JsonAsync("/api/v1/registrations/automatic")).GetProperty("isAvailable").GetBoolean());
        await using TestServer failing = await TestServer.StartAsync(Write(Truth), options => options with
        {
            EstimateTransform = (_, _, _) => throw new TinctorException(null, "no tissue was found", "Choose other slides"),
        });
        (source, target) = (await failing.IdAsync("a.png"), await failing.IdAsync("b.png"));
        JsonNode queued = await SendAsync(failing, HttpMethod.Post, "/api/v1/registrations", new { source, target, automatic = true });
        JsonElement one;
        while ((one = await failing.JsonAsync($"/api/v1/registrations/{queued["id"]}")).GetProperty("state").GetString() != "failed")
            await Task.Delay(20);
        Assert.Equal("no tissue was found. Choose other slides", one.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Displacement_outside_of_folders_is_refused()
    {
        TemporaryFolder folder = Write(Truth);
        string outside = folder.File("secret.safetensors"), link = folder.File("slides/registered/b_displacement.safetensors");
        File.WriteAllBytes(outside, new byte[100]);
        File.CreateSymbolicLink(link, outside);
        string json = folder.File("slides/registered/b.json");
        File.WriteAllText(json,
            File.ReadAllText(json).Replace("\"displacement\": null", "\"displacement\": \"b_displacement.safetensors\""));
        await using TestServer test = await TestServer.StartAsync(folder);
        JsonElement registration = Assert.Single((await test.JsonAsync("/api/v1/registrations")).EnumerateArray());
        Assert.Equal("failed", registration.GetProperty("state").GetString());
        Assert.Contains("leads out of the folders", registration.GetProperty("error").GetString());
    }

    // Two slides of the same tissue, and a transform of them in the folder of slides.
    internal static TemporaryFolder Write(AffineTransform transform)
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        Image source = TestServer.Picture(Width, Height, 3);
        source.Write(folder.File("slides/a.png"));
        using (Slide slide = Slide.Open(folder.File("slides/a.png")))
        {
            var back = new RegistrationTransform(new("", Width, Height), new("", Width, Height), Truth.Inverse(), null,
                new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 });
            back.Read(slide, 1, 0, 0, Width, Height).Write(folder.File("slides/b.png"));
        }
        TransformFile.Write(folder.File("slides/registered/b.json"), new(new(folder.File("slides/a.png"), Width, Height),
            new(folder.File("slides/b.png"), Width, Height), transform, null,
            new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 }));
        return folder;
    }

    private static object[] Landmarks => [.. Places.Select(place => new
    {
        source = (double[])[place.X, place.Y],
        target = (double[])[Truth.Apply(place.X, place.Y).X, Truth.Apply(place.X, place.Y).Y],
    })];

    private static async Task<string> IdAsync(TestServer test) =>
        (await test.JsonAsync("/api/v1/registrations"))[0].GetProperty("id").GetString()!;

    private static async Task<JsonNode> SendAsync(TestServer test, HttpMethod method, string address, object body)
    {
        (HttpStatusCode status, JsonNode? answer) = await TrySendAsync(test, method, address, body);
        Assert.True((int)status < 300, $"{address}: {status} {answer}");
        return answer!;
    }

    private static async Task<(HttpStatusCode Status, JsonNode? Answer)> TrySendAsync(TestServer test, HttpMethod method, string address,
        object body)
    {
        using var request = new HttpRequestMessage(method, address) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Tinctor", "1");
        using HttpResponseMessage answer = await test.Client.SendAsync(request);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync()));
    }

    private static double Difference(Image a, Image b, int margin)
    {
        Image x = a.Crop(margin, margin, a.Width - (2 * margin), a.Height - (2 * margin)),
            y = b.Crop(margin, margin, b.Width - (2 * margin), b.Height - (2 * margin));
        return x.Data.Zip(y.Data, (p, q) => (double)Math.Abs(p - q)).Average();
    }
}
