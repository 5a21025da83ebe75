using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Protobuf;
using Onnx;
using Tinctor.Slides;
using Tinctor.Staining.Graphs;
using Tinctor.Tests;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Viewer.Tests.Jobs;

/// <summary>Staining through the server's addresses, with the sample model.</summary>
public sealed class StainedOnDemandTests
{
    [Fact]
    public async Task Tile_is_stained_when_requested_and_job_writes_result()
    {
        var folder = new TemporaryFolder();
        await using TestServer test = await StartAsync(folder);
        string slide = await test.IdAsync("he.ome.tif"), address = $"/api/v1/slides/{slide}/stained/{await ModelAsync(test)}";
        JsonElement size = await test.JsonAsync(address);
        Assert.Equal((700, 500, 0), (Number(size, "width"), Number(size, "height"), Number(size, "done")));
        Assert.Contains("Width=\"700\"",
            await test.Client.GetStringAsync(address + "/dzi/stained.dzi", TestContext.Current.CancellationToken));
        Image tile = await test.ImageAsync(address + "/dzi/stained_files/10/1_1.jpg");
        Assert.Equal((256, 247), (tile.Width, tile.Height));
        // Purple and pink become blue and brown on white: less red is lost than green before.
        Image source = await test.ImageAsync($"/api/v1/slides/{slide}/dzi/source_files/10/1_1.jpg");
        Assert.True(Green(tile) > Green(source) + 20, $"{Green(tile)} after {Green(source)}");
        Assert.Equal(Number(size, "total"), Number(await test.JsonAsync(address), "done"));

        using Stream events = await test.Client.GetStreamAsync("/api/v1/jobs/events", TestContext.Current.CancellationToken);
        using HttpResponseMessage added = await PostAsync(test, "/api/v1/jobs", new { slide, model = await ModelAsync(test) });
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        JsonElement job = await FinishedAsync(test, added.Headers.Location!.ToString());
        string result = job.GetProperty("result").GetString()!;
        await AssertEventAsync(events, "\"state\":\"finished\"");
        JsonElement[] results = [.. (await test.JsonAsync($"/api/v1/slides/{slide}")).GetProperty("results").EnumerateArray()];
        Assert.Equal(result, Assert.Single(results).GetProperty("id").GetString());
        Assert.Equal(result, (await test.JsonAsync(address)).GetProperty("result").GetString());
        using HttpResponseMessage again = await PostAsync(test, "/api/v1/jobs", new { slide, model = await ModelAsync(test) });
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task Unknown_slides_models_jobs_and_changes_are_refused()
    {
        var folder = new TemporaryFolder();
        await using TestServer test = await StartAsync(folder);
        string slide = await test.IdAsync("he.ome.tif"), model = await ModelAsync(test);
        foreach (string address in new[] { $"/api/v1/slides/{slide}/stained/none", $"/api/v1/slides/none/stained/{model}",
            "/api/v1/jobs/none",
            $"/api/v1/slides/{slide}/stained/{model}/dzi/stained_files/30/0_0.jpg",
                $"/api/v1/slides/{slide}/stained/..%2F../dzi/stained.dzi" })
        {
            using HttpResponseMessage answer = await test.Client.GetAsync(address, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        using HttpResponseMessage job = await PostAsync(test, "/api/v1/jobs", new { slide = "none", model });
        Assert.Equal(HttpStatusCode.NotFound, job.StatusCode);
        using HttpResponseMessage change = await PostAsync(test, "/api/v1/jobs/none/pause", new { });
        Assert.Equal(HttpStatusCode.Conflict, change.StatusCode);
        // Without the header that pages of other sites cannot send.
        using HttpResponseMessage foreign = await test.Client.PostAsJsonAsync("/api/v1/jobs", new { slide, model },
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
    }

    [Fact]
    public async Task Two_users_with_two_models_share_the_machine()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSample(folder, "a.ome.tif", 1400, 1000);
        TestServer.WriteSample(folder, "b.ome.tif", 1400, 1000);
        // The same weights with another name are another model.
        CopyModel(folder.File("models/one"));
        CopyModel(folder.File("models/two"));
        await using TestServer test = await TestServer.StartAsync(folder, options => options with { Models = [folder.File("models")] });
        string[] models = [.. (await test.JsonAsync("/api/v1/models")).EnumerateArray()
            .Select(model => model.GetProperty("id").GetString()!)];
        Assert.Equal(2, models.Length);
        string[] jobs = await Task.WhenAll(new[] { "a.ome.tif", "b.ome.tif" }.Zip(models, async (slide, model) =>
        {
            using HttpResponseMessage added = await PostAsync(test, "/api/v1/jobs", new { slide = await test.IdAsync(slide), model });
            return added.Headers.Location!.ToString();
        }));
        int[] done;
        do
        {
            await Task.Delay(20);
            done = await Task.WhenAll(jobs.Select(async job => Number(await test.JsonAsync(job), "done")));
            // The two are read one after the other, and a tile may be finished in between.
            Assert.True(done.Min() == 0 || done.Max() - done.Min() <= 2, $"{done[0]} and {done[1]} tiles");
        }
        while (done.Max() < 4);
        Assert.InRange(done.Min(), 2, 4);
        foreach (string job in jobs) (await PostAsync(test, job + "/cancel", new { })).Dispose();
    }

    private static void CopyModel(string target)
    {
        Directory.CreateDirectory(target);
        foreach (string file in Directory.GetFiles(RepositoryFiles.Path("samples/model")))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
    }

    [Fact]
    public async Task Model_of_two_stains_is_offered_for_each_and_results_have_their_stain()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "he.png", 80, 70);
        WriteModelOfTwoStains(folder.File("models/both"));
        await using TestServer test =
            await TestServer.StartAsync(folder, options => options with { Models = [folder.File("models")] });
        JsonElement[] models = [.. (await test.JsonAsync("/api/v1/models")).EnumerateArray()];
        Assert.Equal(["both HER2", "both Ki67"], models.Select(model => model.GetProperty("name").GetString()));
        string slide = await test.IdAsync("he.png");
        var greens = new List<double>();
        foreach (JsonElement model in models)
        {
            string id = model.GetProperty("id").GetString()!;
            using HttpResponseMessage added = await PostAsync(test, "/api/v1/jobs", new { slide, model = id });
            JsonElement job = await FinishedAsync(test, added.Headers.Location!.ToString());
            Assert.Equal(id, job.GetProperty("model").GetString());
            string result = job.GetProperty("result").GetString()!;
            greens.Add((await test.ImageAsync($"/api/v1/slides/{result}/dzi/source_files/7/0_0.jpg")).Data
                .Where((_, i) => i % 3 == 1).Average(sample => (double)sample));
        }
        // The second stain is darker.
        Assert.True(greens[0] > greens[1] + 40, $"{greens[0]} and {greens[1]}");
        Assert.Equal(["both HER2", "both Ki67"], (await test.JsonAsync($"/api/v1/slides/{slide}")).GetProperty("results").EnumerateArray()
            .Select(result => result.GetProperty("model").GetString()).Order());
    }

    // Half of the light, and 0.25 more or less of it by the stain.
    private static void WriteModelOfTwoStains(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "model.json"), """
            {"format": "tinctor-model", "version": 1, "method": "pix2pix", "input_channels": 3, "output_channels": 3,
             "stains": ["HER2", "Ki67"]}
            """);
        var graph = new GraphProto { Name = "stains" };
        graph.Input.Add(OnnxNode.CreateInfo("source", DataType.Float, "N", 3L, "H", "W"));
        graph.Input.Add(OnnxNode.CreateInfo("stain", DataType.Float, "N", 2L));
        graph.Output.Add(OnnxNode.CreateInfo("image", DataType.Float, "N", 3L, "H", "W"));
        graph.Initializer.Add(OnnxTensor.Create("half", [0.5f], 1));
        graph.Initializer.Add(OnnxTensor.Create("shifts", [0.5f, -0.5f], 2, 1, 1));
        graph.Initializer.Add(OnnxTensor.Create("axes", DataType.Int64, new[] { 2L, 3L }, 2));
        graph.Node.Add(new NodeProto { OpType = "Mul", Input = { "source", "half" }, Output = { "scaled" } });
        graph.Node.Add(new NodeProto { OpType = "Unsqueeze", Input = { "stain", "axes" }, Output = { "planes" } });
        graph.Node.Add(new NodeProto { OpType = "Mul", Input = { "planes", "shifts" }, Output = { "shifted" } });
        graph.Node.Add(OnnxNode.Create("ReduceMean", ["shifted"], ["shift"], ("axes", new[] { 1L })));
        graph.Node.Add(new NodeProto { OpType = "Add", Input = { "scaled", "shift" }, Output = { "image" } });
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), model.ToByteArray());
    }

    private static async Task<TestServer> StartAsync(TemporaryFolder folder)
    {
        TestServer.WriteSample(folder);
        return await TestServer.StartAsync(folder, options => options with { Models = [RepositoryFiles.Path("samples/model")] });
    }

    private static async Task<string> ModelAsync(TestServer test) =>
        Assert.Single((await test.JsonAsync("/api/v1/models")).EnumerateArray()).GetProperty("id").GetString()!;

    private static async Task<HttpResponseMessage> PostAsync(TestServer test, string address, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-Tinctor", "1");
        return await test.Client.SendAsync(request);
    }

    private static async Task<JsonElement> FinishedAsync(TestServer test, string address)
    {
        for (int i = 0; i < 600; i++)
        {
            JsonElement job = await test.JsonAsync(address);
            string state = job.GetProperty("state").GetString()!;
            if (state == "finished") return job;
            Assert.Contains(state, new[] { "queued", "running" });
            await Task.Delay(100);
        }
        throw new TimeoutException("the job does not end");
    }

    private static async Task AssertEventAsync(Stream events, string expected)
    {
        using var reader = new StreamReader(events);
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal) && line.Contains(expected)) return;
        Assert.Fail($"no event has {expected}");
    }

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private static double Green(Image image) => Enumerable.Range(0, image.Width * image.Height).Average(i => image.Data[(i * 3) + 1]);
}
