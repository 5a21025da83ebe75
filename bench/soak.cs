#:project ../src/Tinctor.Core/Tinctor.Core.csproj
#:property PublishAot=false
// Trains, stains and serves for hours and samples memory, handles and temporary files, for bench/soak.
//   TINCTOR.DLL REPOSITORY FOLDER HOURS
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [string program, string repository, string work, string hours])
    throw new ArgumentException("expected TINCTOR.DLL REPOSITORY FOLDER HOURS");
if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
Directory.CreateDirectory(work);
return await new Soak(program, repository, work, TimeSpan.FromHours(double.Parse(hours))).RunAsync();

/// <summary>Three processes that work side by side for a time: a training, a staining of many slides, a server with a client.</summary>
internal sealed class Soak(string program, string repository, string work, TimeSpan duration)
{
    private const int Slides = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly List<Watched> watched = [];
    private long requests, jobs, failures;

    public async Task<int> RunAsync()
    {
        Make("phantom", "-o", At("pairs"), "--slides", "6", "--size", "64x64");
        Make("phantom", "-o", At("slides"), "--whole-slides", "--slides", "1", "--size", "320x256");
        string model = Path.Combine(repository, "samples/model"), slide = Path.Combine(At("slides"), "he", "s001_f01.ome.tif");
        Watch("train", "train", "pix2pix", "--data", At("pairs"), "-o", At("run"), "--steps", "100000000", "--crop-size", "32",
            "--set", "model.generator=resnet_6blocks", "--set", "model.ngf=4", "--set", "model.ndf=8",
            "--set", "training.checkpoint_every=50", "--set", "training.log_every=10", "--set", "training.keep_checkpoints=2");
        WriteList(slide);
        Watch("stain", "stain", model, At("list.txt"), "-o", At("stained"), "--tile-size", "128", "--halo", "16");
        Watched server = Watch("serve", "serve", "--slides", Path.Combine(At("slides"), "he"), "--models", model,
            "--results", At("results"), "--port", "0");
        using var stop = new CancellationTokenSource(duration);
        Task clients = Task.WhenAll(ServeAsync(server, stop.Token), ClearAsync(stop.Token));
        var clock = Stopwatch.StartNew();
        using var table = new StreamWriter(At("samples.csv")) { AutoFlush = true };
        table.WriteLine("minutes,process,memory_mb,handles,threads,temporary_files");
        while (clock.Elapsed < duration && watched.All(one => !one.Process.HasExited))
        {
            foreach (Watched one in watched) table.WriteLine(one.Sample(clock.Elapsed.TotalMinutes));
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(60, duration.TotalSeconds / 60)));
        }
        stop.Cancel();
        await clients;
        Console.WriteLine($"{clock.Elapsed.TotalMinutes:0} minutes; stained {Finished()} slides; {requests} requests, "
            + $"{jobs} jobs of the server, {failures} of them failed");
        int faults = failures == 0 ? 0 : 1;
        foreach (Watched one in watched) faults += one.Report();
        return faults == 0 ? 0 : 1;
    }

    private string At(string name) => Path.Combine(work, name);

    // Names of one file, so that the staining has slides for any time.
    private void WriteList(string slide)
    {
        string links = Directory.CreateDirectory(At("links")).FullName;
        for (int i = 0; i < Slides; i++) File.CreateSymbolicLink(Path.Combine(links, $"{i:D6}.ome.tif"), slide);
        File.WriteAllLines(At("list.txt"), Enumerable.Range(0, Slides).Select(i => Path.Combine(links, $"{i:D6}.ome.tif")));
    }

    private int Finished() => int.Parse(File.ReadAllText(At("cleared")));

    // Removes finished slides, so that the disk stays as it is.
    private async Task ClearAsync(CancellationToken stop)
    {
        int cleared = 0;
        while (!stop.IsCancellationRequested)
        {
            if (Directory.Exists(At("stained")))
            {
                foreach (string page in Directory.GetFiles(At("stained"), "*.html"))
                {
                    foreach (string file in Directory.GetFiles(At("stained"), Path.GetFileNameWithoutExtension(page) + ".*"))
                        File.Delete(file);
                    cleared++;
                }
            }
            File.WriteAllText(At("cleared"), $"{cleared}");
            await Task.Delay(1000, CancellationToken.None);
        }
    }

    private async Task ServeAsync(Watched server, CancellationToken stop)
    {
        var random = new Random(1);
        using var client = new HttpClient { BaseAddress = await server.AddressAsync(Patience) };
        client.DefaultRequestHeaders.Add("X-Tinctor", "1");
        string slide = (await JsonAsync(client, "/api/v1/slides")).GetProperty("items")[0].GetProperty("id").GetString()!;
        string model = (await JsonAsync(client, "/api/v1/models"))[0].GetProperty("id").GetString()!;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ViewAsync(client, slide, random);
                await StainAsync(client, slide, model, stop);
            }
            catch (Exception e) when (e is HttpRequestException or JsonException)
            {
                Console.WriteLine($"serve: {e.Message}");
                failures++;
            }
        }
    }

    // What a page asks for: lists, a thumbnail, tiles of all levels.
    private async Task ViewAsync(HttpClient client, string slide, Random random)
    {
        foreach (string address in new[] { "/", "/api/v1/slides", "/api/v1/models", "/api/v1/info", $"/api/v1/slides/{slide}",
            $"/api/v1/slides/{slide}/thumbnail", $"/api/v1/slides/{slide}/dzi/source.dzi", "/metrics" })
            await GetAsync(client, address);
        for (int i = 0; i < 50; i++)
        {
            int level = random.Next(0, 10);
            await GetAsync(client, $"/api/v1/slides/{slide}/dzi/source_files/{level}/{(level == 9 ? random.Next(2) : 0)}_0.jpg");
        }
    }

    private async Task GetAsync(HttpClient client, string address)
    {
        using HttpResponseMessage answer = await client.GetAsync(address);
        await answer.Content.ReadAsByteArrayAsync();
        requests++;
        if ((int)answer.StatusCode >= 500) throw new HttpRequestException($"{address}: {answer.StatusCode}");
    }

    private async Task StainAsync(HttpClient client, string slide, string model, CancellationToken stop)
    {
        using HttpResponseMessage added = await client.PostAsJsonAsync("/api/v1/jobs", new { slide, model });
        string id = (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        while (!stop.IsCancellationRequested)
        {
            JsonElement job = await JsonAsync(client, $"/api/v1/jobs/{id}");
            string state = job.GetProperty("state").GetString()!;
            if (state == "failed") throw new HttpRequestException($"job: {job.GetProperty("error")}");
            if (state == "finished") break;
            await Task.Delay(100, CancellationToken.None);
        }
        jobs++;
        // The next job stains the slide again.
        foreach (string file in Directory.GetFiles(At("results"), "s001*", SearchOption.AllDirectories)) File.Delete(file);
    }

    private async Task<JsonElement> JsonAsync(HttpClient client, string address)
    {
        requests++;
        return await client.GetFromJsonAsync<JsonElement>(address);
    }

    private void Make(params string[] arguments)
    {
        using Process process = Process.Start("dotnet", [program, .. arguments]);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"tinctor {arguments[0]} failed");
    }

    private Watched Watch(string name, params string[] arguments)
    {
        var one = new Watched(name, program, Directory.CreateDirectory(At(name + ".tmp")).FullName, arguments);
        watched.Add(one);
        return one;
    }
}

/// <summary>A process, its samples and its temporary files, which are in a folder of its own.</summary>
internal sealed class Watched
{
    // Share of the samples before the process has reached its size.
    private const double WarmUp = 0.5;

    // Rise of the fitted line over the measured time that counts as a leak; noise of garbage collections stays below.
    private const double LargestRise = 0.05, LargestHandles = 3;
    private readonly string name, temporary;
    private readonly List<(double Minutes, double Memory, double Handles, double Files)> samples = [];
    private readonly TaskCompletionSource<Uri> address = new();

    public Watched(string name, string program, string temporary, string[] arguments)
    {
        (this.name, this.temporary) = (name, temporary);
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        start.Environment["TMPDIR"] = temporary;
        Process = Process.Start(start)!;
        var log = TextWriter.Synchronized(new StreamWriter(temporary + ".log") { AutoFlush = true });
        Process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        Process.OutputDataReceived += (_, line) =>
        {
            log.WriteLine(line.Data);
            if (line.Data?.Contains("serves at") == true) address.TrySetResult(new(line.Data.Trim().Split(' ')[^1]));
        };
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End();
    }

    public Process Process { get; }

    public Task<Uri> AddressAsync(TimeSpan patience) => address.Task.WaitAsync(patience);

    /// <summary>Samples the process and returns a row of the table.</summary>
    public string Sample(double minutes)
    {
        string[] status = File.ReadAllLines($"/proc/{Process.Id}/status");
        double memory = Number("VmRSS") / 1024, threads = Number("Threads");
        int handles = Directory.GetFiles($"/proc/{Process.Id}/fd").Length;
        int files = Directory.GetFiles(temporary, "*", SearchOption.AllDirectories).Length;
        samples.Add((minutes, memory, handles, files));
        return $"{minutes:0.00},{name},{memory:0.0},{handles},{threads},{files}";

        double Number(string key) => double.Parse(status.First(line => line.StartsWith(key, StringComparison.Ordinal))
            .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    /// <summary>Prints the rise of the fitted lines and ends the process.</summary>
    /// <returns>Number of faults.</returns>
    public int Report()
    {
        string? died = Process.HasExited ? $"; ended by itself with code {Process.ExitCode}" : null;
        End();
        var used = samples[(int)(samples.Count * WarmUp)..];
        double memory = used.Average(sample => sample.Memory);
        double rise = Rise(used, sample => sample.Memory), handles = Rise(used, sample => sample.Handles);
        double files = Rise(used, sample => sample.Files);
        bool leaks = rise > LargestRise * memory || handles > LargestHandles || files > LargestHandles || died is not null;
        Console.WriteLine($"{name}: memory {memory:0} MB on average, {rise:+0.0;-0.0} MB over "
            + $"{used[^1].Minutes - used[0].Minutes:0} minutes ({100 * rise / memory:+0.0;-0.0} %); "
            + $"handles {used.Average(sample => sample.Handles):0.0}, {handles:+0.0;-0.0}; temporary files "
            + $"{used.Average(sample => sample.Files):0.0}, {files:+0.0;-0.0}{died}: {(leaks ? "RISES" : "flat")}");
        return leaks ? 1 : 0;
    }

    // Slope of the least-squares line, times the length of the time.
    private static double Rise<T>(List<T> samples, Func<T, double> value)
        where T : struct
    {
        double middle = (samples.Count - 1) / 2.0, mean = samples.Average(value);
        double square = samples.Select((_, i) => (i - middle) * (i - middle)).Sum();
        return square == 0 ? 0 : samples.Select((sample, i) => (i - middle) * (value(sample) - mean)).Sum() / square * (samples.Count - 1);
    }

    private void End()
    {
        if (!Process.HasExited) Process.Kill();
        Process.WaitForExit();
    }
}
