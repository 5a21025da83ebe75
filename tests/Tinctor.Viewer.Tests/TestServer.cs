using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Viewer.Tests;

/// <summary>Server on a free port, with folders of its own.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly TemporaryFolder folder;
    private readonly ViewerServer server;

    private TestServer(TemporaryFolder folder, ViewerServer server)
    {
        (this.folder, this.server) = (folder, server);
        Client = new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Address };
    }

    public HttpClient Client { get; }

    public ViewerServer Server => server;

    /// <summary>Starts a server of a folder, which it deletes at the end.</summary>
    public static async Task<TestServer> StartAsync(TemporaryFolder folder, Func<ViewerOptions, ViewerOptions>? change = null)
    {
        string slides = Directory.CreateDirectory(folder.File("slides")).FullName;
        var options = new ViewerOptions
        {
            Slides = [slides],
            Port = 0,
            CacheFolder = folder.File("cache"),
            Results = folder.File("results"),
            RefreshInterval = TimeSpan.Zero,
        };
        return new(folder, await ViewerServer.StartAsync(change?.Invoke(options) ?? options));
    }

    /// <summary>Writes a slide of smooth colourful noise into the folder of slides, and returns its path.</summary>
    public static string WriteSlide(TemporaryFolder folder, string name, int width, int height, int seed = 1)
    {
        Directory.CreateDirectory(folder.File("slides"));
        string path = folder.File("slides/" + name);
        Image image = Picture(width, height, seed);
        if (name.EndsWith(".ome.tif", StringComparison.Ordinal))
            SlideWriter.Write(path, new SlideSpec(width, height) { Tile = 128, Mpp = 0.5, JpegQuality = null }, image);
        else image.Write(path);
        return path;
    }

    /// <summary>Writes he.ome.tif, 700x500 pixels of the sample slide, into the folder of slides, and returns its path.</summary>
    public static string WriteSample(TemporaryFolder folder, string name = "he.ome.tif", int width = 700, int height = 500)
    {
        string path = Path.Combine(Directory.CreateDirectory(folder.File("slides")).FullName, name);
        using Slide sample = Slide.Open(RepositoryFiles.Path("samples/data/phantom/he.ome.tif"));
        SlideWriter.Write(path, new SlideSpec(width, height) { Mpp = 0.5 }, sample.Read(0, 200, 100, width, height));
        return path;
    }

    public static Image Picture(int width, int height, int seed)
    {
        var random = new Random(seed);
        var blocks = new Image((width / 128) + 1, (height / 128) + 1, 3);
        for (int i = 0; i < blocks.Data.Length; i++) blocks.Data[i] = (byte)random.Next(60, 256);
        return blocks.Resize(width, height, ResizeKernel.Linear);
    }

    public async Task<JsonElement> JsonAsync(string address)
    {
        using HttpResponseMessage answer = await Client.GetAsync(address);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{address}: {answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<JsonElement[]> SlidesAsync(string query = "") =>
        [.. (await JsonAsync("/api/v1/slides" + query)).GetProperty("items").EnumerateArray()];

    /// <summary>Identifier of the only slide with a name.</summary>
    public async Task<string> IdAsync(string name) =>
        (await SlidesAsync()).Single(slide => slide.GetProperty("name").GetString() == name).GetProperty("id").GetString()!;

    public async Task<Image> ImageAsync(string address)
    {
        using HttpResponseMessage answer = await Client.GetAsync(address);
        byte[] bytes = await answer.Content.ReadAsByteArrayAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{address}: {answer.StatusCode} {Encoding.UTF8.GetString(bytes)}");
        using var file = new TemporaryFolder();
        return Image.Read(file.File("image", bytes));
    }

    /// <summary>Sends bytes as they are and returns everything that the server answers until it closes the connection.</summary>
    public async Task<string> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await server.DisposeAsync();
        folder.Dispose();
    }
}
