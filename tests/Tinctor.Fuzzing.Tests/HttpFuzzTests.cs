using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Tinctor.Tests;
using Tinctor.Viewer.Tests;

namespace Tinctor.Fuzzing.Tests;

/// <summary>Mutated requests to the viewer: no answer of 500, no hang, and the server goes on.</summary>
public sealed partial class HttpFuzzTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] Words =
    [
        "..%2f", "%00", "%c0%af", "//", "?", "&", "=", "#", "\r\n", "Host: evil.example\r\n", "Content-Length: 99999999999\r\n",
        "Transfer-Encoding: chunked\r\n", "Range: bytes=0-\r\n", "Origin: null\r\n",
        "If-None-Match: *\r\n", "/api/v1/", "pct:", "max", "full",
        "{", "}", "[", "]", "null", "\"type\":", "1e309", "-1",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        // The server has deleted it.
        if (Directory.Exists(folder.Path)) folder.Dispose();
    }

    [Fact]
    public async Task Mutated_request_is_answered_without_server_error()
    {
        TestServer.WriteSlide(folder, "a.ome.tif", 300, 200);
        TestServer.WriteSlide(folder, "b.ome.tif", 300, 200, seed: 2);
        await using TestServer server = await TestServer.StartAsync(folder);
        byte[][] seeds = [.. Requests(await server.IdAsync("a.ome.tif"), await server.IdAsync("b.ome.tif"), server.Server.Address)
            .Select(Encoding.Latin1.GetBytes)];
        var statuses = new SortedDictionary<int, int>();
        for (int i = FuzzedFormat.First; i < FuzzedFormat.First + FuzzedFormat.Cases; i++)
        {
            var random = new Random((i * 397) + 5);
            byte[] request = Mutate(seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)], random);
            int status = await SendAsync(server.Server.Address, request, i);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            Assert.False(status is >= 500 and not 501 and not 503 and not 505,
                $"case {i}: {status} for {Encoding.Latin1.GetString(request)}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Join(", ", statuses.Select(status => $"{status.Value} answers of {status.Key}")));
        Assert.Contains(statuses.Keys, status => status == 200);
        Assert.Equal(2, (await server.SlidesAsync()).Length);
    }

    // Half of the requests keep the form of HTTP, so that they reach the addresses: the path or the body is mutated.
    private static byte[] Mutate(byte[] seed, byte[] other, Random random)
    {
        var mutator = new Mutator(random, Words);
        if (random.Next(2) == 0) return mutator.Mutate(seed, other);
        string text = Encoding.Latin1.GetString(seed);
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        if (end < text.Length)
        {
            byte[] body = mutator.Mutate(seed[end..], other);
            string head = ContentLength().Replace(text[..end], $"Content-Length: {body.Length}");
            return [.. Encoding.Latin1.GetBytes(head), .. body];
        }
        string[] words = text.Split(' ', 3);
        byte[] path = mutator.Mutate(Encoding.Latin1.GetBytes(words[1]),
            Encoding.Latin1.GetBytes("/api/v1/slides/none/dzi/x_files/3/1_2.jpg?a=-1"));
        string kept = string.Concat(path.Select(letter => letter is > 32 and < 127 ? $"{(char)letter}" : $"%{letter:x2}"));
        return Encoding.Latin1.GetBytes($"{words[0]} /{kept.TrimStart('/')} {words[2]}");
    }

    // The number in the first line of the answer; 0 if the server closes the connection.
    private static async Task<int> SendAsync(Uri address, byte[] request, int number)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(address.Host, address.Port, limit.Token);
            NetworkStream stream = client.GetStream();
            await stream.WriteAsync(request, limit.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            string? line = await reader.ReadLineAsync(limit.Token);
            return line?.Split(' ') is [_, string status, ..] && int.TryParse(status, out int code) ? code : 0;
        }
        catch (IOException)
        {
            return 0;
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"case {number} hangs: {Encoding.Latin1.GetString(request)}");
            throw;
        }
    }

    [GeneratedRegex("Content-Length: [0-9]+")]
    private static partial Regex ContentLength();

    private static IEnumerable<string> Requests(string a, string b, Uri address)
    {
        string host = $"Host: {address.Authority}\r\nConnection: close\r\n";
        string slide = $"/api/v1/slides/{a}";
        string[] reads =
        [
            "/", "/view?slide=" + a, "/api/v1/info", "/api/v1/slides?search=a&skip=0&take=10", slide, $"{slide}/thumbnail?size=64",
            $"{slide}/dzi/source.dzi", $"{slide}/dzi/source_files/8/0_0.jpg", $"{slide}/regions", $"{slide}/report", $"/iiif/{a}/info.json",
            $"/iiif/{a}/0,0,64,64/32,/0/default.jpg", "/api/v1/models", "/api/v1/jobs", "/api/v1/runs", "/api/v1/registrations?slide=" + a,
            "/open?name=a.ome.tif&x=3&y=4", "/metrics", "/api/v1/measurements/defaults", "/openapi/v1.json",
        ];
        foreach (string path in reads) yield return $"GET {path} HTTP/1.1\r\n{host}\r\n";
        yield return Write("PUT", $"{slide}/regions", """
            {"type":"FeatureCollection","features":[{"type":"Feature","id":"x","geometry":
            {"type":"Polygon","coordinates":[[[1,1],[9,1],[9,9],[1,1]]]},"properties":{}}]}
            """);
        yield return Write("POST", "/api/v1/jobs", $$"""{"slide":"{{a}}","model":"none"}""");
        yield return Write("POST", $"{slide}/measurements", """{"region":"x","kind":"dab"}""");
        yield return Write("POST", "/api/v1/registrations", $$"""{"source":"{{a}}","target":"{{b}}","method":"pixel-size"}""");

        string Write(string method, string path, string body) => $"{method} {path} HTTP/1.1\r\n{host}X-Tinctor: 1\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
    }
}
