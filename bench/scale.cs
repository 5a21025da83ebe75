#:project ../src/Tinctor.Staining/Tinctor.Staining.csproj
#:property PublishAot=false
// Measures what a tile of a slide costs, and simulates many slides on many GPUs with these figures, for bench/scale and docs/scale.md.
//   measure SLIDE MODEL FOLDER FIGURES        seconds, bytes and system calls for each tile, with one thread; writes FIGURES (JSON)
//   machine FIGURES                           the simulation of one machine beside the measured run
//   fleet FIGURES [NAME=VALUE...]             1,000 and 100,000 slides on 8, 64 and 512 GPUs; NAME is a member of Assumptions
//   training FIGURES [NAME=VALUE...]          a training step on 1 to 512 GPUs
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.WholeSlides;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["measure", var slide, var model, var folder, var figures]:
        File.WriteAllText(figures, JsonSerializer.Serialize(Measurement.Run(slide, model, folder), Figures.Json));
        break;
    case ["machine", var figures]:
        Reports.Machine(Figures.Load(figures));
        break;
    case ["fleet", var figures, .. var changes]:
        Reports.Fleet(Figures.Load(figures), Assumptions.From(changes));
        break;
    case ["training", var figures, .. var changes]:
        Reports.Training(Figures.Load(figures), Assumptions.From(changes));
        break;
    default:
        Console.Error.WriteLine("usage: measure SLIDE MODEL FOLDER FIGURES | machine FIGURES | fleet|training FIGURES [NAME=VALUE...]");
        return 2;
}
return 0;

/// <summary>Seconds of a stage: of a clock, and of processors. They differ on a machine that does other work, too.</summary>
internal readonly record struct Stage(double Clock, double Processor)
{
    public static Stage operator -(Stage a, Stage b) => new(Math.Max(0, a.Clock - b.Clock), Math.Max(0, a.Processor - b.Processor));

    public static Stage operator /(Stage a, double count) => new(a.Clock / count, a.Processor / count);
}

/// <summary>Measured figures; the network runs on one thread.</summary>
/// <param name="Tiles">Number of tiles of the slide.</param>
/// <param name="Stride">Distance from one tile of 512 pixels to the next.</param>
/// <param name="Prepare">Measuring a slide before its first tile.</param>
/// <param name="Read">Reading and decoding a tile.</param>
/// <param name="Network">The network for a tile, that for the normalisation statistics included.</param>
/// <param name="Store">Storing a stained tile (PNG).</param>
/// <param name="Encode">Reading a stored tile, blending it and encoding it into the pyramid (JPEG).</param>
/// <param name="Run">The real run, in which these overlap.</param>
/// <param name="Cores">Processors of the machine.</param>
/// <param name="ReadBytes">Bytes of the slide for a tile.</param>
/// <param name="TileBytes">Bytes of a stored tile, which is written and read once.</param>
/// <param name="ResultBytes">Bytes of the result for a tile.</param>
/// <param name="ReadRequests">System calls that read, for a tile.</param>
/// <param name="WriteRequests">System calls that write, for a tile.</param>
/// <param name="TileOperations">Operations on names of files (open, rename, remove, flush) for a tile, counted by strace.</param>
/// <param name="InputOperations">Operations on names for each input of a process that has a part of them; from strace.</param>
internal sealed record Figures(int Tiles, int Stride, Stage Prepare, Stage Read, Stage Network, Stage Store, Stage Encode, Stage Run,
    int Cores, double ReadBytes, double TileBytes, double ResultBytes, double ReadRequests, double WriteRequests, double TileOperations,
    double InputOperations)
{
    public static JsonSerializerOptions Json { get; } = new() { WriteIndented = true };

    public static Figures Load(string path) => JsonSerializer.Deserialize<Figures>(File.ReadAllText(path), Json)!;
}

/// <summary>Measures the stages of staining a slide one by one, and then the run in which they overlap.</summary>
internal static class Measurement
{
    public static Figures Run(string source, string model, string folder)
    {
        Directory.CreateDirectory(folder);
        using Slide slide = Slide.Open(source);
        using Stainer stainer = OnnxModel.LoadStainer(model, threads: 1);
        var options = new SlideStainOptions { WholeSlide = true, TileSize = 512 };
        string staged = Path.Combine(folder, "staged.ome.tif"), whole = Path.Combine(folder, "whole.ome.tif");
        string file = Path.Combine(folder, "tile.png");

        var clock = new StageClock();
        using SlideTiles tiles = new SlideStainer(stainer, slide, staged, options).Open();
        Stage prepare = clock.Restart();
        int count = tiles.Tiles.Count;
        (double reads, double writes) = Requests();
        foreach (Tile tile in tiles.Tiles) tiles.Stain(tile);
        Stage stain = clock.Restart() / count;
        (double readsNow, double writesNow) = Requests();
        foreach (Tile tile in tiles.Tiles) ReadTile(slide, tiles, tile);
        Stage read = clock.Restart() / count;
        Image stained = ReadStained(tiles, tiles.Tiles[count / 2]);
        clock.Restart();
        for (int i = 0; i < count; i++) stained.Write(file);
        Stage store = clock.Restart() / count;
        int[] starts = [.. tiles.Tiles.Select(tile => tiles.Bounds(tile).X).Distinct().Order()];
        (double readsBefore, double writesBefore) = Requests();
        clock.Restart();
        tiles.Finish();
        Stage encode = clock.Restart() / count;
        (double readsEnd, double writesEnd) = Requests();
        new SlideStainer(stainer, slide, whole, options).Stain();
        Stage run = clock.Restart();
        return new(count, starts.Length > 1 ? starts[1] - starts[0] : 512, prepare, read, stain - new Stage(read.Clock + store.Clock,
            read.Processor + store.Processor), store, encode, run, Environment.ProcessorCount, new FileInfo(source).Length / (double)count,
            new FileInfo(file).Length, new FileInfo(whole).Length / (double)count,
            (readsNow - reads + readsEnd - readsBefore) / count, (writesNow - writes + writesEnd - writesBefore) / count, 0, 0);
    }

    private static Image ReadTile(Slide slide, SlideTiles tiles, Tile tile)
    {
        (int x, int y, int width, int height) = tiles.Bounds(tile);
        return slide.ReadAt(1, x, y, width, height);
    }

    private static Image ReadStained(SlideTiles tiles, Tile tile)
    {
        (int x, int y, int width, int height) = tiles.Bounds(tile);
        return tiles.Read(x, y, width, height);
    }

    private static (double Reads, double Writes) Requests()
    {
        Dictionary<string, double> io = File.ReadLines("/proc/self/io").Select(line => line.Split(": "))
            .ToDictionary(pair => pair[0], pair => double.Parse(pair[1]));
        return (io["syscr"], io["syscw"]);
    }

    private sealed class StageClock
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;

        public Stage Restart()
        {
            TimeSpan now = Process.GetCurrentProcess().TotalProcessorTime;
            var stage = new Stage(clock.Elapsed.TotalSeconds, (now - processor).TotalSeconds);
            processor = now;
            clock.Restart();
            return stage;
        }
    }
}

/// <summary>Machines and slides that were not measured. Each may be changed on the command line, as GpuTeraflops=20.</summary>
internal sealed record Assumptions
{
    /// <summary>Sustained 10^12 operations per second of a GPU in the network.</summary>
    public double GpuTeraflops { get; init; } = 40;

    /// <summary>10^12 operations of the network for a tile of 512 pixels, with the statistics of kernelized normalisation.</summary>
    public double TileTeraflops { get; init; } = 0.455 * 1.125;

    /// <summary>GPUs in a node.</summary>
    public int GpusPerNode { get; init; } = 8;

    /// <summary>Processes that share a GPU, each with an encoder of its own.</summary>
    public int ProcessesPerGpu { get; init; } = 1;

    /// <summary>Processors for each GPU, as fast as that of the measurement.</summary>
    public int CoresPerGpu { get; init; } = 8;

    /// <summary>Bytes per second of a node's network.</summary>
    public double NodeBandwidth { get; init; } = 12.5e9;

    /// <summary>Bytes per second of the storage.</summary>
    public double StorageBandwidth { get; init; } = 20e9;

    /// <summary>Operations on names per second of the storage.</summary>
    public double StorageOperations { get; init; } = 50e3;

    /// <summary>Share of the tiles' files that are on the shared storage: 0 if they are on a disk of the node.</summary>
    public double SharedTiles { get; init; } = 1;

    /// <summary>Median of the stained area of a slide in mm2, at 0.5 micrometres per pixel; its logarithm has a deviation of 0.5.</summary>
    public double Area { get; init; } = 200;

    /// <summary>Tiles that a process may have in work.</summary>
    public int Ahead { get; init; } = 9;

    /// <summary>Slides simulated for each GPU; more are extrapolated.</summary>
    public int SlidesPerGpu { get; init; } = 8;

    /// <summary>Parts of a slide that are simulated as one.</summary>
    public int Chunks { get; init; } = 150;

    /// <summary>Bytes of gradients of a training step: generator and discriminator of pix2pix with ResNet-9, float32.</summary>
    public double GradientBytes { get; init; } = 4 * (11.383e6 + 2.769e6);

    /// <summary>Bytes per second between the GPUs of a node.</summary>
    public double GpuBandwidth { get; init; } = 300e9;

    /// <summary>Seconds of latency of a message between nodes.</summary>
    public double Latency { get; init; } = 5e-6;

    /// <summary>Pairs in the batch of each GPU, of 512 pixels.</summary>
    public int Batch { get; init; } = 4;

    public static Assumptions From(string[] changes)
    {
        Dictionary<string, double> values = changes.Select(change => change.Split('='))
            .ToDictionary(pair => pair[0], pair => double.Parse(pair[1]));
        var result = new Assumptions();
        foreach ((string name, double value) in values)
        {
            var property = typeof(Assumptions).GetProperty(name) ?? throw new ArgumentException($"there is no assumption {name}");
            property.SetValue(result, Convert.ChangeType(value, property.PropertyType));
        }
        return result;
    }
}

/// <summary>Discrete-event simulation: a queue of events by time.</summary>
internal sealed class Simulation
{
    private readonly PriorityQueue<Action, (double Time, long Order)> events = new();
    private long order;

    public double Now { get; private set; }

    public void At(double time, Action action) => events.Enqueue(action, (time, order++));

    public double Run()
    {
        while (events.TryDequeue(out Action? action, out (double Time, long) at))
        {
            Now = at.Time;
            action();
        }
        return Now;
    }
}

/// <summary>Servers with one queue in front, first come, first served.</summary>
internal sealed class Station(Simulation simulation, int servers)
{
    private readonly Queue<(Action<Action> Work, Action Done)> waiting = new();
    private readonly int all = servers;
    private int free = servers;

    /// <summary>Seconds in which servers were busy, added up.</summary>
    public double Busy { get; private set; }

    public double Utilisation => Busy / all / Math.Max(1e-9, simulation.Now);

    /// <summary>Keeps a server busy for some seconds.</summary>
    public void Serve(double seconds, Action done)
    {
        if (seconds <= 0) done();
        else Use(leave => simulation.At(simulation.Now + seconds, leave), done);
    }

    /// <summary>Keeps a server busy until the work calls back.</summary>
    public void Use(Action<Action> work, Action done)
    {
        if (free > 0) Begin(work, done);
        else waiting.Enqueue((work, done));
    }

    private void Begin(Action<Action> work, Action done)
    {
        free--;
        double from = simulation.Now;
        work(() =>
        {
            free++;
            Busy += simulation.Now - from;
            if (waiting.TryDequeue(out var next)) Begin(next.Work, next.Done);
            done();
        });
    }
}

/// <summary>The stations of a process, some of which it shares with others.</summary>
internal sealed record Stations(Station Gpu, Station Encoder, Station Cores, Station Link, Station Storage, Station Names);

/// <summary>Seconds of a tile at each station.</summary>
internal sealed record TileCosts(double ReadBytes, double Read, double Network, double Store, double TileBytes, double TileOperations,
    double Encode, double ResultBytes, bool NetworkOnCores);

/// <summary>A process that stains slides one after the other, with some tiles in work at a time.</summary>
internal sealed class StainingProcess(Simulation simulation, Stations at, Rates rates, TileCosts tile, double prepare, int ahead,
    int chunks, Queue<int> slides)
{
    private int left, encoded, begun, inWork, size;
    private double part;

    /// <summary>Time at which the last slide was finished.</summary>
    public double Finished { get; private set; }

    public void Start()
    {
        if (!slides.TryDequeue(out int tiles))
        {
            Finished = simulation.Now;
            return;
        }
        size = Math.Min(chunks, tiles);
        part = tiles / (double)size;
        (left, encoded, begun, inWork) = (size, 0, 0, 0);
        // Before the first tile, a slide is measured: about 26 tiles are read and run through the network.
        Compute(prepare, Fill);
    }

    // Network, on a GPU or on cores.
    private void Compute(double seconds, Action done)
    {
        if (tile.NetworkOnCores) at.Gpu.Use(leave => at.Cores.Serve(seconds, leave), done);
        else at.Gpu.Serve(seconds, done);
    }

    private void Fill()
    {
        while (begun < size && inWork < Math.Max(2, ahead / part))
        {
            begun++;
            inWork++;
            Transfer(part * tile.ReadBytes, 0,
                () => at.Cores.Serve(part * tile.Read, () => Compute(part * tile.Network, Store)));
        }
    }

    private void Store()
    {
        at.Cores.Serve(part * tile.Store, () => Transfer(part * tile.TileBytes, part * tile.TileOperations, () =>
        {
            inWork--;
            Fill();
            // The encoder has one thread, which reads tiles, blends and encodes them.
            Transfer(part * tile.TileBytes, 0, () => at.Encoder.Use(leave => at.Cores.Serve(part * tile.Encode, leave),
                () => Transfer(part * tile.ResultBytes, 0, Encoded)));
        }));
    }

    private void Encoded()
    {
        if (++encoded == left) Start();
    }

    private void Transfer(double bytes, double operations, Action done) => at.Names.Serve(operations / rates.Operations, () =>
        at.Storage.Serve(bytes / rates.Storage, () => at.Link.Serve(bytes / rates.Link, done)));
}

/// <summary>Bytes and operations per second.</summary>
internal sealed record Rates(double Storage, double Link, double Operations);

/// <summary>Result of a simulated fleet.</summary>
internal sealed record Outcome(double Seconds, double Start, double Gpu, double Cores, double Encoder, double Link, double Storage,
    double Names)
{
    public string Bottleneck => new (string Name, double Share)[]
    {
        ("GPU", Gpu), ("processors", Cores), ("encoder", Encoder), ("network", Link), ("storage", Storage), ("metadata", Names),
    }.MaxBy(station => station.Share).Name;
}

internal static class Reports
{
    /// <summary>One machine: the measured stages on its cores, beside the measured run.</summary>
    public static void Machine(Figures figures)
    {
        var simulation = new Simulation();
        Station fast() => new(simulation, 1_000_000);
        var at = new Stations(new(simulation, 1), new(simulation, 1), new(simulation, figures.Cores), fast(), fast(), fast());
        var tile = new TileCosts(0, figures.Read.Clock, figures.Network.Clock, figures.Store.Clock, 0, 0, figures.Encode.Clock, 0,
            NetworkOnCores: true);
        var process = new StainingProcess(simulation, at, new(1, 1, 1), tile, figures.Prepare.Clock, 5, figures.Tiles,
            new([figures.Tiles]));
        process.Start();
        simulation.Run();
        Console.WriteLine($"one slide of {figures.Tiles} tiles, {figures.Cores} processors: simulated {process.Finished:0.0} s, "
            + $"measured {figures.Run.Clock:0.0} s, ratio {process.Finished / figures.Run.Clock:0.00}");
        double sum = Sum(stage => stage.Clock), work = Sum(stage => stage.Processor);
        Console.WriteLine($"all stages one after the other: {sum:0.0} s, ratio {sum / figures.Run.Clock:0.00}");
        Console.WriteLine($"processor time: stages {work:0.0} s, measured {figures.Run.Processor:0.0} s, "
            + $"ratio {work / figures.Run.Processor:0.00}");

        double Sum(Func<Stage, double> of) => of(figures.Prepare)
            + (figures.Tiles * (of(figures.Read) + of(figures.Network) + of(figures.Store) + of(figures.Encode)));
    }

    public static void Fleet(Figures figures, Assumptions given)
    {
        Console.WriteLine("slides   GPUs  hours    slides/h  GPU-h    GPU   cores  encoder network storage metadata  start s  bottleneck");
        foreach (int slides in new[] { 1_000, 100_000 })
        {
            foreach (int gpus in new[] { 8, 64, 512 })
            {
                Outcome outcome = Simulate(figures, given, slides, gpus);
                double hours = outcome.Seconds / 3600;
                Console.WriteLine($"{slides,-8} {gpus,-5} {hours,-8:0.00} {slides / hours,-9:0} {hours * gpus,-8:0} {outcome.Gpu,-5:P0} "
                    + $"{outcome.Cores,-6:P0} {outcome.Encoder,-7:P0} {outcome.Link,-7:P0} {outcome.Storage,-7:P0} {outcome.Names,-9:P0} "
                    + $"{outcome.Start,-8:0} {outcome.Bottleneck}");
            }
        }
    }

    private static Outcome Simulate(Figures figures, Assumptions given, int slides, int gpus)
    {
        int simulated = Math.Min(slides, gpus * given.SlidesPerGpu);
        var random = new Random(1);
        double perSlide = given.Area / Math.Pow(figures.Stride * 0.5e-3, 2);
        int[] tiles = [.. Enumerable.Range(0, simulated)
            .Select(_ => (int)Math.Max(1, perSlide * Math.Exp(0.5 * Normal(random))))];
        double network = given.TileTeraflops / given.GpuTeraflops;
        var tile = new TileCosts(figures.ReadBytes, figures.Read.Processor, network, figures.Store.Processor,
            figures.TileBytes * given.SharedTiles, figures.TileOperations * given.SharedTiles, figures.Encode.Processor,
            figures.ResultBytes, NetworkOnCores: false);
        double prepare = figures.Prepare.Processor * network / Math.Max(1e-9, figures.Network.Processor);

        var simulation = new Simulation();
        int nodes = Math.Max(1, gpus / given.GpusPerNode);
        Station storage = new(simulation, 1), names = new(simulation, 1);
        Station[] cores = [.. Enumerable.Range(0, nodes).Select(_ => new Station(simulation, given.GpusPerNode * given.CoresPerGpu))];
        Station[] links = [.. Enumerable.Range(0, nodes).Select(_ => new Station(simulation, 1))];
        Station[] engines = [.. Enumerable.Range(0, gpus).Select(_ => new Station(simulation, 1))];
        Stations[] stations = [.. Enumerable.Range(0, gpus * given.ProcessesPerGpu).Select(i => i % gpus).Select(gpu =>
            new Stations(engines[gpu], new(simulation, 1), cores[gpu % nodes], links[gpu % nodes], storage, names))];
        var rates = new Rates(given.StorageBandwidth, given.NodeBandwidth, given.StorageOperations);
        StainingProcess[] processes = [.. Parts(tiles, stations.Length).Zip(stations, (part, at) =>
            new StainingProcess(simulation, at, rates, tile, prepare, given.Ahead, given.Chunks, new(part)))];
        foreach (StainingProcess process in processes) process.Start();
        simulation.Run();
        double last = processes.Max(process => process.Finished), mean = processes.Average(process => process.Finished);

        // More slides than simulated: the mean time of a process grows in proportion, the wait for the last one does not.
        double seconds = (mean * slides / simulated) + (last - mean);
        // Before that, each process looks at each input.
        double start = (double)slides * stations.Length * figures.InputOperations / given.StorageOperations;
        return new(seconds + start, start, engines.Average(gpu => gpu.Utilisation), cores.Average(at => at.Utilisation),
            stations.Average(at => at.Encoder.Utilisation), links.Average(at => at.Utilisation), storage.Utilisation, names.Utilisation);
    }

    // As tinctor stain --shard: the largest slide first, each to the part with the smallest sum.
    private static List<int>[] Parts(int[] tiles, int count)
    {
        List<int>[] parts = [.. Enumerable.Range(0, count).Select(_ => new List<int>())];
        var sums = new PriorityQueue<int, (long, int)>(Enumerable.Range(0, count).Select(part => (part, (0L, part))));
        foreach (int size in tiles.OrderDescending())
        {
            sums.TryDequeue(out int part, out (long Sum, int) load);
            parts[part].Add(size);
            sums.Enqueue(part, (load.Sum + size, part));
        }
        return parts;
    }

    /// <summary>
    /// A training step: each GPU computes, with a deviation of 5 %; the gradients are averaged in a ring, as far as possible during the
    /// second half of the computation; the slowest GPU ends the step.
    /// </summary>
    public static void Training(Figures figures, Assumptions given)
    {
        // Forward and backward passes of generator and discriminator: about 3.4 times the forward pass of the generator.
        double compute = given.Batch * 3.4 * 0.455 / given.GpuTeraflops;
        Console.WriteLine($"compute {compute * 1e3:0.0} ms, gradients {given.GradientBytes / 1e6:0} MB");
        Console.WriteLine("GPUs  step ms  all-reduce ms  efficiency  pairs/s  storage GB/s");
        foreach (int gpus in new[] { 1, 8, 64, 512 })
        {
            var random = new Random(1);
            bool isOneNode = gpus <= given.GpusPerNode;
            double ring = gpus == 1 ? 0 : (2 * (gpus - 1.0) / gpus * given.GradientBytes
                / (isOneNode ? given.GpuBandwidth : given.NodeBandwidth)) + (2 * (gpus - 1) * given.Latency);
            double sum = 0;
            const int steps = 300;
            for (int step = 0; step < steps; step++)
            {
                double slowest = Enumerable.Range(0, gpus).Max(_ => compute * Math.Max(0.8, 1 + (0.05 * Normal(random))));
                sum += slowest + Math.Max(0, ring - (compute / 2));
            }
            double seconds = sum / steps, pairs = gpus * given.Batch / seconds;
            Console.WriteLine($"{gpus,-5} {seconds * 1e3,-8:0.0} {ring * 1e3,-14:0.00} {compute / seconds,-11:P0} {pairs,-8:0} "
                + $"{2 * pairs * figures.TileBytes / 1e9:0.00}");
        }
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
