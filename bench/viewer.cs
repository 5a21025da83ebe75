#:project ../src/Tinctor.Slides/Tinctor.Slides.csproj
#:property PublishAot=false
// Load test of the viewer's server, for bench/viewer.
//   make SIDE SAMPLE FILE                  a square slide that repeats a sample
//   pan ADDRESS PID CLIENTS SECONDS        clients that pan; prints latencies, errors and the server's memory
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Tinctor.Slides;

const int band = 512, tile = 256, viewWidth = 1280, viewHeight = 800, arrivals = 10_000;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    case ["make", string side, string sample, string file]:
        Make(int.Parse(side), sample, file);
        break;
    case ["pan", string address, string process, string clients, string seconds]:
        await PanAsync(new Uri(address), int.Parse(process), int.Parse(clients), int.Parse(seconds));
        break;
}

static void Make(int side, string sample, string file)
{
    using Slide slide = Slide.Open(sample);
    Image pixels = slide.Read(0, 0, 0, slide.Width, slide.Height);
    var spec = new SlideSpec(side, side) { Mpp = 0.25, JpegQuality = 85 };
    SlideWriter.Write(file, spec, spec.TilesOf(Enumerable.Range(0, (side + band - 1) / band).Select(i => Band(i * band))));

    Image Band(int top)
    {
        var rows = new Image(side, Math.Min(band, side - top), 3);
        for (int y = 0; y < rows.Height; y++)
        {
            for (int x = 0; x < side; x += pixels.Width)
            {
                int count = Math.Min(pixels.Width, side - x) * 3;
                pixels.Data.AsSpan((top + y) % pixels.Height * pixels.Width * 3, count).CopyTo(rows.Data.AsSpan(((y * side) + x) * 3));
            }
        }
        return rows;
    }
}

static async Task PanAsync(Uri address, int process, int clients, int seconds)
{
    // As many connections as the browsers of all clients have.
    using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 6 * clients }) { BaseAddress = address };
    var watch = Stopwatch.StartNew();
    JsonElement slide = (await JsonAsync(http, "/api/v1/slides")).GetProperty("items")[0];
    string tiles = $"/api/v1/slides/{slide.GetProperty("id").GetString()}/dzi/source_files";
    int side = slide.GetProperty("width").GetInt32(), finest = (int)Math.Ceiling(Math.Log2(side));
    int home = finest - (int)Math.Ceiling(Math.Log2((double)side / viewHeight));
    await Task.WhenAll(from x in Enumerable.Range(0, Columns(home)) from y in Enumerable.Range(0, Columns(home))
                       select http.GetByteArrayAsync($"{tiles}/{home}/{x}_{y}.jpg"));
    Console.WriteLine($"first view of the cold slide, list and {Columns(home) * Columns(home)} tiles: {watch.ElapsedMilliseconds} ms");

    // One area is in the server's cache, the rest is not.
    const int cachedColumns = 24;
    foreach (int row in Enumerable.Range(0, cachedColumns))
        await Task.WhenAll(Enumerable.Range(0, cachedColumns)
            .Select(column => http.GetByteArrayAsync($"{tiles}/{finest}/{column}_{row}.jpg")));
    var times = new List<(bool Cached, double Milliseconds)>();
    int errors = 0, refused = 0;
    long start = Memory(process);
    var memory = new List<long>();
    using var end = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
    Task[] all = [.. Enumerable.Range(0, clients).Select(i => Task.Run(() => ClientAsync(i)))];
    while (!end.IsCancellationRequested)
    {
        await Task.Delay(1000);
        memory.Add(Memory(process));
    }
    await Task.WhenAll(all);
    foreach (bool cached in new[] { true, false })
    {
        double[] sorted = [.. times.Where(time => time.Cached == cached).Select(time => time.Milliseconds).Order()];
        if (sorted.Length == 0) continue;
        Console.WriteLine($"{(cached ? "cached" : "uncached")}: {sorted.Length} tiles, median {sorted[sorted.Length / 2]:0.0} ms, "
            + $"95th percentile {sorted[sorted.Length * 95 / 100]:0.0} ms, largest {sorted[^1]:0} ms");
    }
    Console.WriteLine($"{clients} clients, {seconds} s: {errors} errors, {refused} answers 429 that were repeated");
    Console.WriteLine($"memory of the server: {start / 1e6:0} MB before, "
        + string.Join(", ", new[] { 0.25, 0.5, 0.75, 1 }.Select(part => $"{memory[(int)(part * (memory.Count - 1))] / 1e6:0}"))
        + $" MB after each quarter, largest {memory.Max() / 1e6:0} MB");

    int Columns(int level) => (int)Math.Ceiling(Math.Ceiling(side / Math.Pow(2, finest - level)) / tile);

    // Arrives within some seconds. Pans by a quarter of the view each second, and requests the tiles that come into view.
    async Task ClientAsync(int number)
    {
        var random = new Random(number);
        bool isCached = number % 2 == 0;
        int largest = isCached ? (cachedColumns * tile) - viewWidth : side - viewWidth, least = isCached ? 0 : cachedColumns * tile;
        double x = random.Next(least, largest), y = random.Next(0, (isCached ? cachedColumns * tile : side) - viewHeight);
        double angle = random.NextDouble() * 2 * Math.PI;
        var seen = new HashSet<(int, int)>();
        await Task.Delay(random.Next(arrivals));
        while (!end.IsCancellationRequested)
        {
            // Browsers forget tiles that were not visible for long; here only those that are visible are known.
            var visible = new HashSet<(int, int)>();
            for (int row = (int)y / tile; row <= (int)(y + viewHeight) / tile; row++)
                for (int column = (int)x / tile; column <= (int)(x + viewWidth) / tile; column++) visible.Add((column, row));
            await Task.WhenAll(visible.Except(seen).Select(place => TileAsync(place, isCached)));
            seen = visible;
            await Task.Delay(1000);
            double dx = Math.Cos(angle) * viewWidth / 4, dy = Math.Sin(angle) * viewWidth / 4;
            if (x + dx < least || x + dx > largest || y + dy < 0 || y + dy > largest) angle = random.NextDouble() * 2 * Math.PI;
            else (x, y) = (x + dx, y + dy);
        }
    }

    async Task TileAsync((int Column, int Row) place, bool cached)
    {
        try
        {
            long began = Stopwatch.GetTimestamp();
            for (; ; )
            {
                using HttpResponseMessage answer = await http.GetAsync($"{tiles}/{finest}/{place.Column}_{place.Row}.jpg");
                if (answer.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(1000);
                    continue;
                }
                answer.EnsureSuccessStatusCode();
                await answer.Content.ReadAsByteArrayAsync();
                break;
            }
            double time = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            lock (times) times.Add((cached, time));
        }
        catch (HttpRequestException)
        {
            Interlocked.Increment(ref errors);
        }
    }
}

static async Task<JsonElement> JsonAsync(HttpClient client, string address) =>
    JsonDocument.Parse(await client.GetStringAsync(address)).RootElement;

static long Memory(int process) => long.Parse(File.ReadLines($"/proc/{process}/status")
    .First(line => line.StartsWith("VmRSS")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
