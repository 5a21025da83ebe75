using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Tinctor.Slides.Tiff;
using Tinctor.Tests;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Tests;

public sealed class SecurityTests
{
    private const string Token = "0123456789abcdef0123";

    [Theory]
    [InlineData("evil.example", 400)]
    [InlineData("127.0.0.1.evil.example", 400)]
    [InlineData("", 400)]
    [InlineData("localhost:1", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("viewer.hospital.example", 200)]
    public async Task Host_header_of_other_names_is_refused(string host, int status)
    {
        await using TestServer server = await TestServer.StartAsync(new(),
            options => options with { AllowedHosts = ["viewer.hospital.example"] });
        string answer = await server.SendRawAsync($"GET /api/v1/info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
    }

    [Theory]
    [InlineData("jobs", "{}"), InlineData("jobs", "null"), InlineData("jobs", """{"slide":null,"model":"m"}""")]
    [InlineData("jobs", """{"slide":"s"}"""), InlineData("registrations", """{"source":"s"}""")]
    [InlineData("slides/ID/measurements", """{"regions":{}}"""), InlineData("slides/ID/measurements", """{"of":[null]}""")]
    public async Task Body_without_a_field_is_malformed(string address, string body)
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.ome.tif", 300, 200);
        await using TestServer server = await TestServer.StartAsync(folder);
        using var request = new HttpRequestMessage(HttpMethod.Post,
            $"/api/v1/{address.Replace("ID", await server.IdAsync("a.ome.tif"))}")
        { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Tinctor", "1");
        using HttpResponseMessage answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("POST", null, null, 403)]
    [InlineData("PUT", "0", null, 403)]
    [InlineData("DELETE", null, null, 403)]
    [InlineData("POST", "1", "https://evil.example", 403)]
    [InlineData("POST", "1", "null", 403)]
    [InlineData("POST", "1", null, 405)]
    [InlineData("POST", "1", "own", 405)]
    public async Task Write_from_another_site_is_refused(string method, string? header, string? origin, int status)
    {
        await using TestServer server = await TestServer.StartAsync(new());
        using var request = new HttpRequestMessage(new(method), "/api/v1/slides");
        if (header is not null) request.Headers.Add("X-Tinctor", header);
        if (origin is not null) request.Headers.Add("Origin",
            origin == "own" ? server.Server.Address.GetLeftPart(UriPartial.Authority) : origin);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/info")]
    [InlineData("/")]
    [InlineData("/nothing")]
    [InlineData("/api/v1/slides?limit=x")]
    public async Task Answers_have_headers_that_protect_browsers(string address)
    {
        await using TestServer server = await TestServer.StartAsync(new());
        using HttpResponseMessage answer = await server.Client.GetAsync(address);
        string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'self'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("/../../../../etc/passwd")]
    [InlineData("/..%2f..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("/%2e%2e/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("//etc/passwd")]
    [InlineData("/reference/../../secret.png")]
    [InlineData("/api/v1/slides/..%2f..%2fsecret.png/thumbnail")]
    [InlineData("/api/v1/slides/../../secret.png")]
    [InlineData("/iiif/3/..%2fsecret.png/full/max/0/default.png")]
    [InlineData("/api/v1/slides/%00/thumbnail")]
    public async Task Path_traversal_finds_nothing(string path)
    {
        var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("secret.png"), [1]);
        await using TestServer server = await TestServer.StartAsync(folder);
        string answer = await server.SendRawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.Matches("^HTTP/1.1 (400|404) ", answer);
        Assert.DoesNotContain("root:", answer);
    }

    [Fact]
    public async Task Links_out_of_folder_are_not_listed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need special rights");
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.png", 64, 64);
        string outside = Directory.CreateDirectory(folder.File("outside")).FullName;
        TestServer.Picture(64, 64, 2).Write(Path.Combine(outside, "secret.png"));
        File.CreateSymbolicLink(folder.File("slides/link.png"), Path.Combine(outside, "secret.png"));
        File.CreateSymbolicLink(folder.File("slides/relative.png"), "../outside/secret.png");
        File.CreateSymbolicLink(folder.File("slides/inner.png"), "slide.png");
        Directory.CreateSymbolicLink(folder.File("slides/linked"), outside);
        Directory.CreateSymbolicLink(folder.File("slides/circle"), folder.File("slides"));
        File.CreateSymbolicLink(folder.File("slides/circle.png"), "circle.png");
        await using TestServer server = await TestServer.StartAsync(folder);
        Assert.Equal(["inner.png", "slide.png"], (await server.SlidesAsync()).Select(slide => slide.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task File_that_becomes_a_link_is_not_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need special rights");
        var folder = new TemporaryFolder();
        string path = TestServer.WriteSlide(folder, "slide.png", 64, 64);
        TestServer.Picture(64, 64, 2).Write(folder.File("secret.png"));
        await using TestServer server = await TestServer.StartAsync(folder,
            options => options with { RefreshInterval = TimeSpan.FromHours(1) });
        Assert.Single(server.Server.Services.GetRequiredService<Folders.SlideCatalogue>().Current.All);
        File.Delete(path);
        File.CreateSymbolicLink(path, folder.File("secret.png"));
        string id = (await server.SlidesAsync()).Single().GetProperty("id").GetString()!;
        using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/slides/{id}/dzi/source_files/6/0_0.jpg");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("leads out of the folders", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Pipes_are_not_opened()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.png", 64, 64);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [folder.File("slides/pipe.png"), folder.File("slides/pipe")]))
            await made.WaitForExitAsync();
        await using TestServer server = await TestServer.StartAsync(folder);
        Assert.Single(await server.SlidesAsync());
    }

    [Theory]
    [InlineData("<script>alert(1)<")]
    [InlineData("a\nb\t\u001b[31m")]
    [InlineData("%2e%2e%2f")]
    [InlineData("..")]
    [InlineData("ü 名 \"quoted\" 'x'; --")]
    [InlineData("\u202Egnp.evil")]
    public async Task Hostile_file_name_is_text(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows forbids such names");
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, name + "x.png", 64, 64);
        await using TestServer server = await TestServer.StartAsync(folder);
        JsonElement[] slides = await server.SlidesAsync();
        if (name == "..")
        {
            Assert.Empty(slides);
            return;
        }
        Assert.Equal(name + "x.png", slides.Single().GetProperty("name").GetString());
        string id = slides[0].GetProperty("id").GetString()!;
        Assert.Matches("^[A-Za-z0-9_-]{16}$", id);
        Assert.Equal(64, (await server.ImageAsync($"/api/v1/slides/{id}/dzi/source_files/6/0_0.jpg")).Width);
    }

    [Fact]
    public async Task Decompression_bombs_are_refused()
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("slides"));
        File.WriteAllBytes(folder.File("slides/bomb.png"), PngHeader(60_000, 60_000));
        using (FileStream file = File.Create(folder.File("slides/bomb.tif"))) WriteTiffPage(file, 60_000, tile: 60_000);
        using (FileStream file = File.Create(folder.File("slides/strips.tif"))) WriteTiffPage(file, 60_000, tile: 0);
        await using TestServer server = await TestServer.StartAsync(folder);
        foreach (JsonElement slide in await server.SlidesAsync())
        {
            Assert.Contains("60000x60000 pixels", slide.GetProperty("error").GetString());
            using HttpResponseMessage answer = await server.Client.GetAsync($"/api/v1/slides/{slide.GetProperty("id")}/thumbnail");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        }
        Assert.Equal(3, (await server.SlidesAsync()).Length);
    }

    [Fact]
    public async Task Oversized_requests_are_refused()
    {
        await using TestServer server = await TestServer.StartAsync(new());
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/slides")
        { Content = new ByteArrayContent(new byte[(1 << 20) + 1]) };
        request.Headers.Add("X-Tinctor", "1");
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        string huge = await server.SendRawAsync($"GET / HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 100_000)}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 431 ", huge);
        string line = await server.SendRawAsync($"GET /{new string('x', 20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 414 ", line);
    }

    [Fact]
    public async Task Slow_client_is_disconnected()
    {
        await using TestServer server = await TestServer.StartAsync(new(),
            options => options with { HeaderTimeout = TimeSpan.FromMilliseconds(200) });
        // The server ends the connection although the client would wait for ever.
        Assert.StartsWith("HTTP/1.1 408 ", await server.SendRawAsync("GET / HTTP/1.1\r\nHost: localhost\r\nX: "));
    }

    [Fact]
    public async Task Client_that_sends_body_slowly_is_disconnected()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "a.png", 64, 64);
        // Kestrel looks at rates once a second.
        await using TestServer server = await TestServer.StartAsync(folder,
            options => options with { BodyGrace = TimeSpan.FromSeconds(1.1) });
        string regions = $"/api/v1/slides/{await server.IdAsync("a.png")}/regions";
        Assert.StartsWith("HTTP/1.1 408 ", await server.SendRawAsync(
            $"PUT {regions} HTTP/1.1\r\nHost: localhost\r\nX-Tinctor: 1\r\nContent-Type: application/json\r\n"
            + "Content-Length: 1000\r\n\r\n{"));
    }

    [Fact]
    public async Task Tile_flood_is_refused_until_reads_finish()
    {
        var folder = new TemporaryFolder();
        TestServer.WriteSlide(folder, "slide.png", 64, 64);
        await using TestServer server = await TestServer.StartAsync(folder, options => options with { Readers = 1, QueuedReads = 1 });
        string tile = $"/api/v1/slides/{await server.IdAsync("slide.png")}/dzi/source_files/6/0_0.jpg";
        ReadQueue queue = server.Server.Services.GetRequiredService<ReadQueue>();
        using var release = new ManualResetEventSlim();
        Task<bool> running = queue.RunAsync(() => release.Wait(Timeout.Infinite), default);
        Task<bool> waiting = queue.RunAsync(() => true, default);
        using (HttpResponseMessage answer = await server.Client.GetAsync(tile))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        }
        release.Set();
        Assert.True(await running && await waiting);
        Assert.Equal(64, (await server.ImageAsync(tile)).Width);
    }

    [Fact]
    public async Task Cancelled_read_leaves_queue()
    {
        await using TestServer server = await TestServer.StartAsync(new(), options => options with { Readers = 1, QueuedReads = 1 });
        ReadQueue queue = server.Server.Services.GetRequiredService<ReadQueue>();
        using var release = new ManualResetEventSlim();
        using var cancel = new CancellationTokenSource();
        Task<bool> running = queue.RunAsync(() => release.Wait(Timeout.Infinite), default);
        bool ran = false;
        Task<bool> cancelled = queue.RunAsync(() => ran = true, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Task<bool> next = queue.RunAsync(() => true, default);
        release.Set();
        Assert.True(await running && await next);
        Assert.False(ran);
    }

    [Fact]
    public async Task Token_is_required_as_bearer_or_cookie()
    {
        await using TestServer server = await TestServer.StartAsync(new(), options => options with { Token = Token });
        Assert.Equal(401, await StatusAsync(server, "/api/v1/info"));
        Assert.Equal(401, await StatusAsync(server, "/metrics"));
        Assert.Equal(401, await StatusAsync(server, "/"));
        Assert.Equal(200, await StatusAsync(server, "/health/live"));
        Assert.Equal(401, await StatusAsync(server, "/api/v1/info", "Bearer wrong"));
        Assert.Equal(200, await StatusAsync(server, "/api/v1/info", $"Bearer {Token}"));
        Assert.Equal(401, await StatusAsync(server, "/api/v1/info", cookie: $"tinctor={Token}"));
        using HttpResponseMessage login = await server.Client.GetAsync(server.Server.AddressOf("/view?slide=x"));
        Assert.Equal((HttpStatusCode.SeeOther, "/view?slide=x"), (login.StatusCode, login.Headers.Location!.OriginalString));
        string cookie = login.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        Assert.DoesNotContain(Token, cookie);
        Assert.Equal(200, await StatusAsync(server, "/api/v1/info", cookie: cookie.Split(';')[0]));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("")]
    public async Task Login_leads_to_own_pages_only(string target)
    {
        await using TestServer server = await TestServer.StartAsync(new(), options => options with { Token = Token });
        using HttpResponseMessage login = await server.Client.GetAsync($"/login?token={Token}&to={Uri.EscapeDataString(target)}");
        Assert.Equal("/", login.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Wrong_tokens_are_limited()
    {
        await using TestServer server = await TestServer.StartAsync(new(), options => options with { Token = Token });
        using HttpResponseMessage login = await server.Client.GetAsync(server.Server.AddressOf());
        string cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        for (int i = 0; i < AccessToken.MostAttempts; i++) Assert.Equal(401, await StatusAsync(server, $"/login?token=wrong{i}"));
        using HttpResponseMessage refused = await server.Client.GetAsync(server.Server.AddressOf());
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        // Clients that have logged in go on.
        Assert.Equal(200, await StatusAsync(server, "/api/v1/info", cookie: cookie));
    }

    [Fact]
    public async Task Other_addresses_get_a_generated_token()
    {
        await using TestServer server = await TestServer.StartAsync(new(), options => options with { Host = "0.0.0.0" });
        Assert.True(server.Server.Token!.Length >= 43);
        Assert.Equal("localhost", server.Server.Address.Host);
        using HttpResponseMessage answer = await server.Client.GetAsync("/api/v1/info");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Certificate_gives_encryption_and_a_secure_cookie()
    {
        var folder = new TemporaryFolder();
        using (var key = RSA.Create(2048))
        {
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            using X509Certificate2 certificate =
                request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            File.WriteAllBytes(folder.File("server.pfx"), certificate.Export(X509ContentType.Pfx, "secret"));
        }
        await using TestServer server = await TestServer.StartAsync(folder, options => options with
        { Token = Token, Certificate = folder.File("server.pfx"), CertificatePassword = "secret" });
        Assert.Equal("https", server.Server.Address.Scheme);
        using var client = new HttpClient(new HttpClientHandler
        { AllowAutoRedirect = false, UseCookies = false, ServerCertificateCustomValidationCallback = (_, _, _, _) => true });
        using HttpResponseMessage login = await client.GetAsync(server.Server.AddressOf());
        Assert.Contains("secure", login.Headers.GetValues("Set-Cookie").Single().Split("; "));
        TinctorException error = await Assert.ThrowsAnyAsync<TinctorException>(() => ViewerServer.StartAsync(
            new() { Slides = [folder.Path], Port = 0, Certificate = folder.File("server.pfx"), CertificatePassword = "wrong" }));
        Assert.Equal(nameof(ViewerOptions.CertificatePassword), error.Option);
    }

    [Fact]
    public async Task Own_computer_needs_no_token()
    {
        await using TestServer server = await TestServer.StartAsync(new());
        Assert.Null(server.Server.Token);
        Assert.Equal("127.0.0.1", server.Server.Address.Host);
    }

    [Theory]
    [InlineData("short", null, "Token")]
    [InlineData(null, "example.org", "Host")]
    public async Task Options_that_are_not_allowed_are_named(string? token, string? host, string option)
    {
        using var folder = new TemporaryFolder();
        var options = new ViewerOptions { Slides = [folder.Path], Port = 0, Token = token, Host = host ?? "127.0.0.1" };
        TinctorException error = await Assert.ThrowsAnyAsync<TinctorException>(() => ViewerServer.StartAsync(options));
        Assert.Equal(option, error.Option);
    }

    [Fact]
    public async Task Port_in_use_is_named()
    {
        await using TestServer server = await TestServer.StartAsync(new());
        using var folder = new TemporaryFolder();
        TinctorException error = await Assert.ThrowsAnyAsync<TinctorException>(() =>
            ViewerServer.StartAsync(new() { Slides = [folder.Path], Port = server.Server.Address.Port }));
        Assert.Equal(nameof(ViewerOptions.Port), error.Option);
    }

    private static async Task<int> StatusAsync(TestServer server, string address, string? authorization = null, string? cookie = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }

    // Signature, size, and the start of pixels that never come.
    private static byte[] PngHeader(int width, int height)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Chunk("IHDR", [.. BigEndian(width), .. BigEndian(height), 8, 2, 0, 0, 0]);
        Chunk("IDAT", [0x78, 0x9C]);
        return file.ToArray();

        void Chunk(string type, byte[] data)
        {
            byte[] content = [.. Encoding.ASCII.GetBytes(type), .. data];
            file.Write([.. BigEndian(data.Length), .. content, .. BigEndian((int)Crc(content))]);
        }

        static byte[] BigEndian(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    }

    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }
        return ~crc;
    }

    private static void WriteTiffPage(FileStream file, int side, int tile)
    {
        file.Write(TiffTags.Header);
        var tags = new TiffTags();
        tags.Long(TiffTag.Width, side);
        tags.Long(TiffTag.Height, side);
        tags.Shorts(TiffTag.BitsPerSample, 8, 8, 8);
        tags.Shorts(TiffTag.Compression, 1);
        tags.Shorts(TiffTag.Photometric, 2);
        tags.Shorts(TiffTag.SamplesPerPixel, 3);
        tags.Shorts(TiffTag.PlanarConfiguration, 1);
        if (tile > 0)
        {
            tags.Long(TiffTag.TileWidth, tile);
            tags.Long(TiffTag.TileLength, tile);
            tags.Longs(TiffTag.TileOffsets, [16]);
            tags.Longs(TiffTag.TileByteCounts, [16]);
        }
        else
        {
            tags.Long(TiffTag.RowsPerStrip, side);
            tags.Longs(TiffTag.StripOffsets, [16]);
            tags.Longs(TiffTag.StripByteCounts, [16]);
        }
        TiffTags.SetFirstPage(file, tags.WriteTo(file, 0));
    }
}
