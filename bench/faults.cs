#:project ../src/Tinctor.Core/Tinctor.Core.csproj
#:property PublishAot=false
// Kills commands at random moments, resumes them, and compares the results with those of undisturbed runs, for bench/faults.
//   TINCTOR.DLL REPOSITORY FOLDER KILLS SEED COMMAND...
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [string program, string repository, string work, string kills, string seed, .. string[] commands])
    throw new ArgumentException("expected TINCTOR.DLL REPOSITORY FOLDER KILLS SEED COMMAND...");
Directory.CreateDirectory(work);
var tinctor = new Launcher(program);
int faults = 0;
foreach (string command in commands)
{
    string folder = Path.Combine(work, command);
    Directory.CreateDirectory(folder);
    ICommand killed = command switch
    {
        "train" => new TrainCommand(tinctor, folder),
        "stain" => new StainCommand(tinctor, folder, repository),
        "prepare" => new PrepareCommand(tinctor, folder),
        "serve" => new ServeCommand(tinctor, folder, repository),
        _ => throw new ArgumentException($"{command}: train, stain, prepare or serve"),
    };
    faults += new Kills(killed, folder, int.Parse(kills), int.Parse(seed)).Run();
}
return faults == 0 ? 0 : 1;

/// <summary>Command that writes files into a folder, and can be repeated after a kill.</summary>
internal interface ICommand
{
    string Name { get; }

    /// <summary>Starts the command, or resumes it if the folder holds an interrupted run.</summary>
    Process Start(string output);

    /// <summary>Waits for a time; returns whether the process has finished its work.</summary>
    bool Ends(Process process, TimeSpan within) => process.WaitForExit(within);

    /// <summary>Waits until a process has finished its work, or died.</summary>
    /// <returns>Error of the command; null for success.</returns>
    string? Finish(Process process, string output);

    /// <summary>Whether the content of a file differs between undisturbed runs, such as times.</summary>
    bool Varies(string file);
}

/// <summary>Kills a command again and again.</summary>
internal sealed class Kills(ICommand command, string folder, int kills, int seed)
{
    private readonly Random random = new(seed);
    private readonly List<string> faults = [];
    private Dictionary<string, string> expected = [];
    private int done, completed;

    public int Run()
    {
        TimeSpan duration = MakeReference();
        while (done < kills) Cycle(Path.Combine(folder, "killed", "out"), duration);
        Console.WriteLine($"{command.Name}: killed {done} times within {duration.TotalSeconds:0.0} s of its start, "
            + $"{completed} runs completed and compared ({expected.Count} files each), {faults.Count} faults");
        foreach (string fault in faults) Console.WriteLine($"  {fault}");
        return faults.Count;
    }

    // Two undisturbed runs: files that differ have times in them, and must be known.
    private TimeSpan MakeReference()
    {
        // Reports are titled by the name of their folder.
        string reference = Path.Combine(folder, "reference", "out"), second = Path.Combine(folder, "second", "out");
        var clock = new Stopwatch();
        foreach (string output in new[] { reference, second })
        {
            Delete(output);
            clock.Restart();
            Require(command.Finish(command.Start(output), output));
        }
        TimeSpan duration = clock.Elapsed;
        expected = Hashes(reference);
        foreach ((string file, string hash) in Hashes(second))
            if (expected.GetValueOrDefault(file) != hash && !command.Varies(file))
                throw new InvalidOperationException($"{command.Name}: {file} differs between undisturbed runs");
        return duration;
    }

    // One run, killed until it ends before its kill.
    private void Cycle(string output, TimeSpan duration)
    {
        Delete(output);
        string moments = "";
        while (done < kills)
        {
            TimeSpan moment = random.NextDouble() * duration;
            using Process process = command.Start(output);
            if (command.Ends(process, moment))
            {
                Note(command.Finish(process, output), moments);
                break;
            }
            process.Kill();
            process.WaitForExit();
            done++;
            moments += $" {moment.TotalSeconds:0.00}";
            if (Directory.Exists(output)) CheckFinalNames(output, moments);
        }
        Note(command.Finish(command.Start(output), output), moments);
        Compare(output, moments);
        completed++;
    }

    private void Note(string? fault, string moments)
    {
        if (fault is null) return;
        faults.Add($"killed after{moments} s: {fault}");
        Console.WriteLine($"{command.Name}: {faults[^1]}");
    }

    // Files under final names are complete at any moment; names with a dot belong to unfinished work.
    private void CheckFinalNames(string output, string moments)
    {
        foreach (string path in Files(output).Where(file => !IsHidden(output, file)))
        {
            string name = Path.GetRelativePath(output, path);
            if (expected.GetValueOrDefault(name) == Hash(path)) continue;
            if (!IsComplete(path)) Note($"{name} is half-written", moments);
        }
    }

    private void Compare(string output, string moments)
    {
        Dictionary<string, string> actual = Hashes(output);
        foreach (string missing in expected.Keys.Except(actual.Keys).Where(file => !command.Varies(file)))
            Note($"{missing} is missing", moments);
        foreach ((string file, string hash) in actual)
        {
            if (command.Varies(file)) continue;
            if (!expected.TryGetValue(file, out string? other)) Note($"{file} is left over", moments);
            else if (other != hash) Note($"{file} differs from that of an undisturbed run", moments);
        }
    }

    private static bool IsComplete(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        switch (Path.GetExtension(path))
        {
            case ".json":
                return IsJson(bytes);
            case ".safetensors":
                return bytes.Length > 8 && IsWhole(bytes, BitConverter.ToInt64(bytes));
            case ".csv" or ".txt" or ".yaml" or ".md":
                return bytes.Length > 0 && bytes[^1] == '\n';
            case ".png":
                return bytes.AsSpan().EndsWith("IEND\xAEB`\x82"u8) || bytes.AsSpan(bytes.Length - 8, 4).SequenceEqual("IEND"u8);
            case ".html":
                return bytes.AsSpan().TrimEnd("\n"u8).EndsWith("</html>"u8);
            case ".lock":
                return true;
            default:
                // Event files of TensorBoard grow record by record; SQLite keeps its own journal.
                return Path.GetFileName(path).StartsWith("events.", StringComparison.Ordinal) || path.Contains("jobs.db");
        }
    }

    private static bool IsWhole(byte[] bytes, long header)
    {
        if (header < 2 || header > bytes.Length - 8 || !IsJson(bytes.AsSpan(8, (int)header).ToArray())) return false;
        using JsonDocument document = JsonDocument.Parse(bytes.AsMemory(8, (int)header));
        long end = document.RootElement.EnumerateObject().Where(tensor => tensor.Name != "__metadata__")
            .Max(tensor => tensor.Value.GetProperty("data_offsets")[1].GetInt64());
        return 8 + header + end == bytes.Length;
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            JsonDocument.Parse(bytes).Dispose();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Dictionary<string, string> Hashes(string output) =>
        Files(output).ToDictionary(file => Path.GetRelativePath(output, file), Hash);

    private static IEnumerable<string> Files(string output) => Directory.EnumerateFiles(output, "*",
        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 });

    private static bool IsHidden(string output, string file) =>
        Path.GetRelativePath(output, file).Split(Path.DirectorySeparatorChar).Any(part => part.StartsWith('.'));

    private static string Hash(string file)
    {
        using FileStream stream = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(stream));
    }

    private static void Delete(string output)
    {
        if (Directory.Exists(output)) Directory.Delete(output, recursive: true);
    }

    private static void Require(string? error)
    {
        if (error is not null) throw new InvalidOperationException(error);
    }
}

/// <summary>Processes of the command line; their output goes to files in the working folder.</summary>
internal sealed class Launcher(string program)
{
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1";
        Process process = Process.Start(start)!;
        var text = new StringWriter();
        void Add(string? line)
        {
            lock (text) text.WriteLine(line);
        }
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        Texts.AddOrUpdate(process, text);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static System.Runtime.CompilerServices.ConditionalWeakTable<Process, StringWriter> Texts { get; } = [];

    public static string TextOf(Process process)
    {
        StringWriter text = Texts.GetOrCreateValue(process);
        lock (text) return text.ToString();
    }

    /// <summary>Waits for the end of a process.</summary>
    public static string? Finish(Process process)
    {
        if (!process.WaitForExit(TimeSpan.FromMinutes(10))) return "the command hangs";
        process.WaitForExit();
        return process.ExitCode == 0 ? null : $"exit code {process.ExitCode}: {TextOf(process).Trim()}";
    }

    public void Run(params string[] arguments)
    {
        if (Finish(Start(arguments)) is { } error) throw new InvalidOperationException(error);
    }

    /// <summary>Makes a slide that is stained within seconds.</summary>
    public string SmallSlide(string folder)
    {
        string slides = Path.Combine(folder, "slides");
        if (!Directory.Exists(slides)) Run("phantom", "-o", slides, "--whole-slides", "--slides", "1", "--size", "256x192");
        return Path.Combine(slides, "he", "s001_f01.ome.tif");
    }
}

internal sealed class TrainCommand : ICommand
{
    private readonly Launcher tinctor;
    private readonly string data;

    public TrainCommand(Launcher tinctor, string folder)
    {
        (this.tinctor, data) = (tinctor, Path.Combine(folder, "data"));
        if (!Directory.Exists(data)) tinctor.Run("phantom", "-o", data, "--slides", "6", "--size", "48x48");
    }

    public string Name => "train";

    public Process Start(string output) => File.Exists(Path.Combine(output, "config.yaml"))
        ? tinctor.Start("train", "-o", output, "--resume")
        : tinctor.Start("train", "pix2pix", "--data", data, "-o", output, "--steps", "20", "--seed", "7", "--crop-size", "32",
            "--set", "model.generator=resnet_6blocks", "--set", "model.ngf=4", "--set", "model.ndf=8", "--set", "model.pool_size=3",
            "--set", "training.ema=0.9", "--set", "training.checkpoint_every=2", "--set", "training.log_every=3",
            "--set", "training.keep_checkpoints=2");

    public string? Finish(Process process, string output) => Launcher.Finish(process);

    // Speed, times and machine are logged.
    public bool Varies(string file) => file is "metrics.csv" or "environment.json" || file.StartsWith("events.", StringComparison.Ordinal)
        || file.StartsWith("logs", StringComparison.Ordinal);
}

internal sealed class StainCommand : ICommand
{
    private readonly Launcher tinctor;
    private readonly string slide, model;

    public StainCommand(Launcher tinctor, string folder, string repository)
    {
        (this.tinctor, slide, model) = (tinctor, tinctor.SmallSlide(folder), Path.Combine(repository, "samples/model"));
    }

    public string Name => "stain";

    // Small tiles, so that the staining and not the start of the program takes most of the time.
    public Process Start(string output) =>
        tinctor.Start("stain", model, slide, "-o", output, "--tile-size", "128", "--halo", "16", "--threads", "1");

    public string? Finish(Process process, string output) => Launcher.Finish(process);

    public bool Varies(string file) => false;
}

internal sealed class PrepareCommand : ICommand
{
    private readonly Launcher tinctor;
    private readonly string slides;

    public PrepareCommand(Launcher tinctor, string folder)
    {
        (this.tinctor, slides) = (tinctor, Path.Combine(folder, "slides"));
        if (!Directory.Exists(slides))
            tinctor.Run("phantom", "-o", slides, "--whole-slides", "--slides", "2", "--size", "384x256", "--output-mpp", "1");
    }

    public string Name => "prepare";

    // Registration takes most of the time and writes nothing, so the slides are declared as aligned: kills fall into the writing.
    public Process Start(string output) => tinctor.Start("prepare", "--source", Path.Combine(slides, "he"), "--target",
        Path.Combine(slides, "her2"), "-o", output, "--tile-size", "128", "--aligned", "--threads", "1");

    public string? Finish(Process process, string output) => Launcher.Finish(process);

    public bool Varies(string file) => false;
}

/// <summary>The viewer's server, in the middle of a job that stains a slide.</summary>
internal sealed class ServeCommand(Launcher tinctor, string folder, string repository) : ICommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public string Name => "serve";

    public Process Start(string output)
    {
        Process process = tinctor.Start("serve", "--slides", tinctor.SmallSlide(folder), "--models",
            Path.Combine(repository, "samples/model"), "--results", output, "--port", "0");
        // The job is added as soon as the server answers; after a kill it is in the store already.
        _ = Task.Run(() => AddJobAsync(process));
        return process;
    }

    // The server itself does not end.
    public bool Ends(Process process, TimeSpan within) => FinishJobAsync(process, within).GetAwaiter().GetResult() is null;

    public string? Finish(Process process, string output)
    {
        if (process.HasExited) return $"the server has ended: {Launcher.TextOf(process).Trim()}";
        try
        {
            return FinishJobAsync(process, Patience).GetAwaiter().GetResult();
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    public bool Varies(string file) => file.Contains("jobs", StringComparison.Ordinal);

    private static async Task<string?> FinishJobAsync(Process process, TimeSpan patience)
    {
        var clock = Stopwatch.StartNew();
        string state = "none";
        while (clock.Elapsed < patience && !process.HasExited)
        {
            if (AddressOf(process) is { } address)
            {
                using var client = new HttpClient { BaseAddress = address, DefaultRequestHeaders = { { "X-Tinctor", "1" } } };
                JsonElement jobs = await client.GetFromJsonAsync<JsonElement>("/api/v1/jobs");
                state = jobs.GetArrayLength() == 0 ? "none" : jobs[0].GetProperty("state").GetString()!;
                if (state == "finished" && jobs.GetArrayLength() == 1) return null;
                if (state == "failed") return $"the job failed: {jobs[0].GetProperty("error")}";
                if (jobs.GetArrayLength() > 1) return "the job is there twice";
            }
            await Task.Delay(20);
        }
        return $"the job is not finished: {state}; {Launcher.TextOf(process).Trim()}";
    }

    private static async Task AddJobAsync(Process process)
    {
        try
        {
            while (!process.HasExited)
            {
                if (AddressOf(process) is { } address)
                {
                    using var client = new HttpClient { BaseAddress = address, DefaultRequestHeaders = { { "X-Tinctor", "1" } } };
                    if ((await client.GetFromJsonAsync<JsonElement>("/api/v1/jobs")).GetArrayLength() > 0) return;
                    JsonElement slides = await client.GetFromJsonAsync<JsonElement>("/api/v1/slides");
                    string slide = slides.GetProperty("items")[0].GetProperty("id").GetString()!;
                    string model = (await client.GetFromJsonAsync<JsonElement>("/api/v1/models"))[0].GetProperty("id").GetString()!;
                    (await client.PostAsJsonAsync("/api/v1/jobs", new { slide, model })).EnsureSuccessStatusCode();
                    return;
                }
                await Task.Delay(5);
            }
        }
        catch (Exception e) when (e is HttpRequestException or InvalidOperationException)
        {
            // The server was killed meanwhile.
        }
    }

    private static Uri? AddressOf(Process process) =>
        Launcher.TextOf(process).Split('\n').FirstOrDefault(line => line.Contains("serves at")) is { } line
            ? new(line.Trim().Split(' ')[^1]) : null;
}
