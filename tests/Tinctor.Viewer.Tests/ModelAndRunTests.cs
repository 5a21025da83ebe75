using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Json;
using Tinctor.Tests;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Tests;

public sealed class ModelAndRunTests
{
    private const string Header = "step,epoch,G_L1,val_psnr\n";

    [Fact]
    public async Task Models_have_description_and_card()
    {
        var folder = new TemporaryFolder();
        string weights = WriteModel(folder.File("models/he2her2/model"));
        WriteModel(folder.File("models/model"));
        File.WriteAllText(folder.File("models/he2her2/config.yaml"), "method: pix2pix\n");
        Directory.CreateDirectory(folder.File("models/empty"));
        await using TestServer server = await StartAsync(folder);
        JsonElement[] models = [.. (await server.JsonAsync("/api/v1/models")).EnumerateArray()];
        Assert.Equal(["he2her2", "model"], models.Select(model => model.GetProperty("name").GetString()));
        Assert.Equal("pix2pix", models[0].GetProperty("method").GetString());
        Assert.Equal("RGB", models[0].GetProperty("source").GetString());
        Assert.Equal((0.5, 3 * 4 * 5 + 7), (models[0].GetProperty("mpp").GetDouble(), models[0].GetProperty("parameters").GetInt32()));
        JsonElement model = await server.JsonAsync("/api/v1/models/" + models[0].GetProperty("id").GetString());
        Assert.Equal("# Card\n", model.GetProperty("card").GetString());
        using HttpResponseMessage missing = await server.Client.GetAsync("/api/v1/models/none");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);

        string source = TestServer.WriteSlide(folder, "source.png", 64, 64);
        string stained = TestServer.WriteSlide(folder, "stained.png", 64, 64, 2);
        File.WriteAllText(Path.ChangeExtension(stained, ".json"), JsonSerializer.Serialize(new
        {
            format = "tinctor-stained-slide",
            version = 1,
            source,
            model_sha256 = Fingerprint.OfFile(weights),
        }));
        JsonElement result = (await server.SlidesAsync()).Single().GetProperty("results")[0];
        Assert.Equal("he2her2", result.GetProperty("model").GetString());
    }

    [Fact]
    public async Task Models_with_damaged_files_are_listed()
    {
        var folder = new TemporaryFolder();
        string weights = WriteModel(folder.File("models/m"));
        File.WriteAllBytes(weights, [255, 255, 255, 255, 255, 255, 255, 127, 1]);
        File.WriteAllText(folder.File("models/m/model.json"), "{");
        await using TestServer server = await StartAsync(folder);
        JsonElement model = (await server.JsonAsync("/api/v1/models")).EnumerateArray().Single();
        Assert.Equal(JsonValueKind.Null, model.GetProperty("parameters").ValueKind);
        Assert.Equal(JsonValueKind.Null, model.GetProperty("method").ValueKind);
    }

    [Fact]
    public async Task Model_card_that_links_out_of_folder_is_not_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need special rights");
        var folder = new TemporaryFolder();
        WriteModel(folder.File("models/m"));
        File.Delete(folder.File("models/m/README.md"));
        File.WriteAllText(folder.File("secret"), "secret");
        File.CreateSymbolicLink(folder.File("models/m/README.md"), folder.File("secret"));
        await using TestServer server = await StartAsync(folder);
        JsonElement model = (await server.JsonAsync("/api/v1/models")).EnumerateArray().Single();
        JsonElement whole = await server.JsonAsync("/api/v1/models/" + model.GetProperty("id").GetString());
        Assert.Equal(JsonValueKind.Null, whole.GetProperty("card").ValueKind);
    }

    [Fact]
    public async Task Run_has_curves_samples_and_state()
    {
        var folder = new TemporaryFolder();
        string run = WriteRun(folder, "r1", "10,1,0.5,\n20,1,NaN,21.5\n30,2,0.25,22\n40,2,0.1");
        await using TestServer server = await StartAsync(folder);
        JsonElement listed = (await server.JsonAsync("/api/v1/runs")).EnumerateArray().Single();
        Assert.Equal("r1 pix2pix 30 6000 stopped", Describe(listed));
        JsonElement details = await server.JsonAsync("/api/v1/runs/" + listed.GetProperty("id").GetString());
        Assert.Equal(["G_L1: 10=0.5 30=0.25", "val_psnr: 20=21.5 30=22"], details.GetProperty("curves").EnumerateArray().Select(curve =>
            $"{curve.GetProperty("name")}: "
                + string.Join(' ', curve.GetProperty("points").EnumerateArray().Select(point => $"{point[0]}={point[1]}"))));
        JsonElement[] samples = [.. details.GetProperty("samples").EnumerateArray()];
        Assert.Equal([5, 10], samples.Select(sample => sample.GetProperty("step").GetInt32()));
        Assert.Equal([2], await server.Client.GetByteArrayAsync(samples[1].GetProperty("url").GetString()));
        using (FileLock.Acquire(Path.Combine(run, ".train.lock"), run))
            Assert.Equal("r1 pix2pix 30 6000 running", Describe((await server.JsonAsync("/api/v1/runs"))[0]));
        WriteModel(Path.Combine(run, "model"));
        Assert.Equal("r1 pix2pix 30 6000 finished", Describe((await server.JsonAsync("/api/v1/runs"))[0]));

        static string Describe(JsonElement run) => $"{run.GetProperty("name")} {run.GetProperty("method")} {run.GetProperty("step")} "
            + $"{run.GetProperty("steps")} {run.GetProperty("state")}";
    }

    [Theory]
    [InlineData("..%2fconfig.yaml")]
    [InlineData("step-1.png%00")]
    [InlineData("other.png")]
    [InlineData("step-00000099.png")]
    public async Task Other_files_of_a_run_are_not_served(string file)
    {
        var folder = new TemporaryFolder();
        WriteRun(folder, "r1", "");
        File.WriteAllBytes(folder.File("runs/r1/samples/other.png"), [9]);
        File.WriteAllBytes(folder.File("secret.png"), [9]);
        File.CreateSymbolicLink(folder.File("runs/r1/samples/step-00000099.png"), folder.File("secret.png"));
        await using TestServer server = await StartAsync(folder);
        string id = (await server.JsonAsync("/api/v1/runs"))[0].GetProperty("id").GetString()!;
        using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/runs/{id}/samples/{file}");
        Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.NotFound, HttpStatusCode.BadRequest });
    }

    [Fact]
    public async Task Events_follow_rows_as_they_are_written()
    {
        var folder = new TemporaryFolder();
        string run = WriteRun(folder, "r1", "10,1,0.5,\n20,1,0.4,\n");
        await using TestServer server = await StartAsync(folder);
        string id = (await server.JsonAsync("/api/v1/runs"))[0].GetProperty("id").GetString()!;
        using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/runs/{id}/events?after=10",
            HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("""{"step":20,"values":{"G_L1":0.4}}""", await NextAsync());
        File.AppendAllText(Path.Combine(run, "metrics.csv"), "30,2,0.3");
        File.AppendAllText(Path.Combine(run, "metrics.csv"), ",22.5\n40,2,0.25,\n");
        Assert.Equal("""{"step":30,"values":{"G_L1":0.3,"val_psnr":22.5}}""", await NextAsync());
        Assert.Equal("""{"step":40,"values":{"G_L1":0.25}}""", await NextAsync());

        // Other events keep the connection alive.
        async Task<string> NextAsync()
        {
            bool isPing = false;
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("event:", StringComparison.Ordinal)) isPing = line.EndsWith("ping", StringComparison.Ordinal);
                if (line.Length == 0) isPing = false;
                if (line.StartsWith("data: ", StringComparison.Ordinal) && !isPing) return line[6..];
            }
            throw new EndOfStreamException();
        }
    }

    [Fact]
    public async Task Follow_replaced_file_continues_with_new_rows()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.csv", Encoding.UTF8.GetBytes(Header + "10,1,0.5,\n20,1,0.4,\n"));
        using var cancel = new CancellationTokenSource();
        await using IAsyncEnumerator<MetricsRow?> rows = new RunMetrics(path, new([folder.Path]))
            .FollowAsync(null, TimeSpan.Zero, cancel.Token).GetAsyncEnumerator(cancel.Token);
        Assert.Null(await NextAsync());
        File.AppendAllText(path, "30,1,0.3,\n");
        Assert.Equal(30, (await NextAsync())!.Step);
        // A resumed training removes the rows after its checkpoint.
        File.WriteAllText(path, Header + "10,1,0.5,\n");
        Assert.Null(await NextAsync());
        File.AppendAllText(path, "20,1,0.45,\n");
        Assert.Equal(0.45, (await NextAsync())!.Values["G_L1"]);

        async Task<MetricsRow?> NextAsync()
        {
            Assert.True(await rows.MoveNextAsync());
            return rows.Current;
        }
    }

    [Fact]
    public void Curves_of_long_runs_are_thinned()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.csv", Encoding.UTF8.GetBytes(
            Header + string.Concat(Enumerable.Range(1, 10_000).Select(step => $"{step},1,{step % 7},\n"))));
        (string name, IReadOnlyList<double[]> points) = new RunMetrics(path, new([folder.Path])).Curves(100).Single();
        Assert.Equal(("G_L1", 100), (name, points.Count));
        Assert.Equal((1, 10_000), (points[0][0], points[^1][0]));
    }

    [Fact]
    public async Task Description_lists_addresses_and_reference_page_asks_no_other_host()
    {
        await using TestServer server = await TestServer.StartAsync(new());
        JsonElement paths = (await server.JsonAsync("/openapi/v1.json")).GetProperty("paths");
        string[] expected = ["/api/v1/slides", "/api/v1/slides/{id}/dzi/{files}/{level}/{tile}",
            "/api/v1/models/{id}", "/api/v1/runs/{id}/events",
            "/iiif/3/{id}/info.json", "/api/v1/info"];
        Assert.All(expected, path => Assert.NotEmpty(paths.GetProperty(path).GetProperty("get").GetProperty("summary").GetString()!));
        foreach (string file in new[] { "", "/reference.js", "/reference.css" })
        {
            string text = await server.Client.GetStringAsync("/reference" + file);
            Assert.DoesNotMatch("https?://", text);
            Assert.DoesNotContain("<script>", text);
        }
    }

    private static Task<TestServer> StartAsync(TemporaryFolder folder)
    {
        string models = Directory.CreateDirectory(folder.File("models")).FullName,
            runs = Directory.CreateDirectory(folder.File("runs")).FullName;
        return TestServer.StartAsync(folder, options => options with { Models = [models], Runs = [runs] });
    }

    // Two weights of 3 x 4 x 5 and 7 numbers. Returns the file of the weights.
    private static string WriteModel(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "model.json"), """
            {"format": "tinctor-model", "version": 1, "method": "pix2pix", "input_channels": 3, "output_channels": 3, "mpp": 0.5}
            """);
        File.WriteAllText(Path.Combine(folder, "config.yaml"), "method: pix2pix\n");
        File.WriteAllText(Path.Combine(folder, "README.md"), "# Card\n");
        byte[] header = Encoding.UTF8.GetBytes($$"""
            {"__metadata__": {"a": "{{Path.GetFileName(Path.GetDirectoryName(folder))}}"},
             "w": {"dtype": "F32", "shape": [3, 4, 5], "data_offsets": [0, 240]},
             "b": {"dtype": "F32", "shape": [7], "data_offsets": [240, 268]} }
            """);
        byte[] file = new byte[8 + header.Length + 268];
        BinaryPrimitives.WriteInt64LittleEndian(file, header.Length);
        header.CopyTo(file, 8);
        string path = Path.Combine(folder, "model.safetensors");
        File.WriteAllBytes(path, file);
        return path;
    }

    private static string WriteRun(TemporaryFolder folder, string name, string rows)
    {
        string run = folder.File("runs/" + name);
        Directory.CreateDirectory(Path.Combine(run, "checkpoints"));
        Directory.CreateDirectory(Path.Combine(run, "samples"));
        File.WriteAllText(Path.Combine(run, "config.yaml"), "method: pix2pix\ntraining:\n  steps: 6000\n");
        File.WriteAllText(Path.Combine(run, "metrics.csv"), Header + rows);
        File.WriteAllBytes(Path.Combine(run, "samples", "step-00000005.png"), [1]);
        File.WriteAllBytes(Path.Combine(run, "samples", "step-00000010.png"), [2]);
        return run;
    }
}
