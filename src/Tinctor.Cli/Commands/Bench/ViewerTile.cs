using System.Diagnostics;
using System.Text.Json.Nodes;
using Tinctor.Viewer;

namespace Tinctor.Cli.Commands.Bench;

/// <summary>
/// Tile that the viewer stains on demand, from the request to the image. Each slide is one tile of the network, so a pass of the same
/// network over an image of this size is the other side.
/// </summary>
internal sealed class ViewerTile : Workload
{
    private const int Side = 512, FinestLevel = 9, Slides = 32;
    private const string Network = "resnet9-batch";

    private readonly string folder;
    private readonly bool cached;
    private readonly Action<string[]> own;
    private readonly NetworkPass pass;
    private readonly Queue<string> tiles = [];
    private ViewerServer? server;
    private HttpClient? client;

    /// <summary>Creates the workload.</summary>
    /// <param name="cached">Whether the tile was stained before.</param>
    /// <param name="threads">Number of threads of the pass.</param>
    /// <param name="folder">Folder for the model and the slides.</param>
    /// <param name="own">Runs this program with arguments.</param>
    public ViewerTile(bool cached, int threads, string folder, Action<string[]> own) : base(cached ? "viewer:cached" : "viewer:cold")
    {
        (this.cached, this.folder, this.own) = (cached, folder, own);
        pass = new NetworkPass(Network, Side, threads, peer: null, At("models"));
    }

    /// <inheritdoc/>
    public override void Prepare()
    {
        pass.Prepare();
        string slides = At("viewer/slides");
        if (!Directory.Exists(slides))
        {
            own(["phantom", "-o", At("viewer/phantom"), "--slides", $"{Slides}", "--size", $"{Side}x{Side}", "--stains", "he",
                "--whole-slides", "--overwrite"]);
            Directory.Move(At("viewer/phantom/he"), slides);
        }
        if (Directory.Exists(At("viewer/results"))) Directory.Delete(At("viewer/results"), recursive: true);
        var options = new ViewerOptions
        {
            Slides = [slides],
            Models = [At($"models/{Network}")],
            Results = At("viewer/results"),
            CacheFolder = At("viewer/cache"),
            Port = 0,
        };
        server = ViewerServer.StartAsync(options).GetAwaiter().GetResult();
        client = new HttpClient { BaseAddress = server.Address };
        var model = (string)Ask("/api/v1/models").AsArray()[0]!["id"]!;
        foreach (JsonNode? slide in Ask($"/api/v1/slides?limit={Slides}")["items"]!.AsArray())
            tiles.Enqueue($"/api/v1/slides/{(string)slide!["id"]!}/stained/{model}");
    }

    /// <inheritdoc/>
    public override double Run()
    {
        if (!tiles.TryPeek(out string? slide)) throw new TinctorException(Name, $"there are {Slides} slides for as many rounds");
        // A cold tile is the first one of the next slide; a cached one is stained by the warm-up.
        if (!cached) tiles.Dequeue();
        Ask(slide);
        var watch = Stopwatch.StartNew();
        client!.GetByteArrayAsync($"{slide}/dzi/stained_files/{FinestLevel}/0_0.jpg").GetAwaiter().GetResult();
        return watch.Elapsed.TotalSeconds;
    }

    /// <inheritdoc/>
    public override double? RunPeer() => cached ? null : pass.Run();

    /// <inheritdoc/>
    public override void Dispose()
    {
        client?.Dispose();
        server?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        pass.Dispose();
    }

    private JsonNode Ask(string address) => JsonNode.Parse(client!.GetStringAsync(address).GetAwaiter().GetResult())!;

    private string At(string name) => Path.Combine(folder, name);
}
