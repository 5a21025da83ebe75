using System.Diagnostics;
using System.Text.Json;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

public sealed class ServeCommandTests
{
    [Theory]
    [InlineData("serve", "no folder is named", "(--slides)")]
    [InlineData("serve --slides /nowhere", "/nowhere: no such file or folder", "(--slides)")]
    [InlineData("serve --models /nowhere", "/nowhere: no such folder", "(--models)")]
    [InlineData("serve --slides . --port 70000", "--port 70000: expected 0 to 65535", "")]
    [InlineData("serve --slides . --token short", "the token has 5 characters, expected 16 or more", "(--token)")]
    [InlineData("serve --slides . --host example.org", "the host is example.org", "(--host)")]
    [InlineData("serve --slides . --iiif-origins example.org/x", "the origin is example.org/x", "(--iiif-origins)")]
    [InlineData("serve --slides . --certificate /nowhere.pfx", "/nowhere.pfx: no such file", "")]
    [InlineData("view /nowhere.svs", "/nowhere.svs: no such file", "")]
    public void Run_with_mistake_prints_one_line(string arguments, string what, string option)
    {
        string line = CommandLine.RunInProcess(arguments.Split(' ')).OneError();
        Assert.Contains(what, line);
        Assert.Contains(option, line);
    }

    [Fact]
    public async Task View_serves_one_slide_until_interrupted()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs signals");
        string slide = RepositoryFiles.Sample("slides/cmu-1-small-region.svs");
        using Process process = CommandLine.Start("view", slide, "--no-browser");
        try
        {
            string line = (await process.StandardOutput.ReadLineAsync())!;
            Assert.StartsWith($"{slide} is shown at http://127.0.0.1:", line);
            var page = new Uri(line.Split(' ')[^1]);
            using var client = new HttpClient { BaseAddress = page };
            using JsonDocument slides = JsonDocument.Parse(await client.GetStringAsync("/api/v1/slides"));
            JsonElement only = slides.RootElement.GetProperty("items").EnumerateArray().Single();
            Assert.Equal("?slide=" + only.GetProperty("id").GetString(), page.Query);
            using (Process kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync();
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
