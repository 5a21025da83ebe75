using System.Text.Json;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

/// <summary><c>tinctor bench</c> without a peer; the comparisons need PyTorch in Python.</summary>
public sealed class BenchCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Bench_lists_workloads()
    {
        Outcome list = CommandLine.Run("bench", "--list");
        Assert.Equal((0, ""), (list.Code, list.Error));
        string[] names = list.Out.TrimEnd().Split('\n');
        Assert.Equal(names, names.Distinct());
        Assert.Contains("pass:ceff:1024", names);
        Assert.Contains("step:pix2pix:256:4", names);
        Assert.Contains("slide:instance:20000:bfloat16", names);
    }

    [Fact]
    public void Bench_without_python_times_tinctor_alone()
    {
        Outcome bench = CommandLine.Run("bench", "help", "--rounds", "2", "--python", folder.File("no-python"), "--work",
            folder.File("work"), "-o", folder.File("speed.json"));
        Assert.Equal(0, bench.Code);
        Assert.Contains("PyTorch does not start", bench.Messages);
        Assert.Matches(@"\| help +\| [\d.]+ +\| +\| +\| +\| 0\.2 s", bench.Out);
        JsonElement speed = JsonDocument.Parse(File.ReadAllText(folder.File("speed.json"))).RootElement;
        Assert.True(speed.GetProperty("peaks").GetProperty("float32").GetDouble() > 1e9);
        Assert.Equal(2, speed.GetProperty("workloads")[0].GetProperty("tinctor").GetArrayLength());
    }

    [Theory]
    [InlineData("no workload is called passes:*", "bench", "passes:*")]
    [InlineData("the number of rounds is 0", "bench", "help", "--rounds", "0")]
    public void Bench_errors_are_one_line(string expected, params string[] arguments) =>
        Assert.Contains(expected, CommandLine.Run([.. arguments, "--python", folder.File("no-python"), "--work", folder.File("work")])
            .OneError());
}
