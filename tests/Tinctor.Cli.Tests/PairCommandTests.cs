using System.Globalization;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

public sealed class PairCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pair-").FullName;

    private string Out => Path.Combine(folder, "pairs");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Pair_two_scanners_aligns_fields_and_splits_by_slide()
    {
        string data = SharedFiles.Path("data/scanner_pairs");
        Assert.Equal(0, await Run(Path.Combine(data, "aperio"), Path.Combine(data, "hamamatsu"), "--slide-pattern", @"^\d\d",
            "--test-slides",
            "07,10", "--tile-size", "240"));
        PairManifest manifest = PairManifest.Read(Out);
        Assert.Equal("manifest manifest.csv: 100 pairs (train 60, test 40) of 5 slides", manifest.Describe());
        Assert.Equal(["07", "10"], manifest.InSplit("test").Select(pair => pair.SlideId).Distinct());
        PairVerification.Check(manifest.Pairs, minimumSize: 240);
        double[][] fields = [.. File.ReadLines(Path.Combine(Out, "fields.csv")).Skip(1).Select(line =>
            line.Split(',')[^2..].Select(Number).ToArray())];
        Assert.InRange(fields.Average(ncc => ncc[0]), 0.40, 0.50);
        Assert.True(fields.Average(ncc => ncc[1]) > 0.85, $"NCC {fields.Average(ncc => ncc[1])}");
        Assert.All(fields, ncc => Assert.True(ncc[1] > ncc[0] + 0.1));
        double[] residuals = [.. File.ReadLines(Path.Combine(Out, "manifest.csv")).Skip(1).Select(line =>
            Number(line.Split(',')[^1])).Order()];
        Assert.True(residuals[50] < 0.25 && residuals[95] < 1, $"residual {residuals[50]}, {residuals[95]}");
    }

    [Fact]
    public async Task Pair_phantom_recovers_known_misalignment()
    {
        string phantom = Path.Combine(folder, "phantom");
        Assert.Equal(0, await CommandLine.Invoke("phantom", "-o", phantom, "--slides", "2", "--size", "320x320", "--misalign", "10",
            "--seed", "3", "--test", "0.5"));
        Assert.Equal(0, await Run(phantom, "--transform", "affine", "--channel", "haematoxylin", "--tile-size", "128"));
        PairManifest manifest = PairManifest.Read(Out);
        Assert.Equal(["test", "train"], manifest.Pairs.Select(pair => pair.Split).Distinct().Order());
        Assert.All(manifest.Pairs, pair => Assert.Equal(pair.SlideId, pair.Name[..4]));
        foreach (string[] field in File.ReadLines(Path.Combine(Out, "fields.csv")).Skip(1).Select(line => line.Split(',')))
        {
            string truth = Path.Combine(phantom, "truth", $"{field[0]}_her2_displacement.safetensors");
            (double before, double after) = MeanErrors(truth, [.. field[2..8].Select(Number)], 320);
            // A fifth of the misalignment is elastic: 2 pixels at most, which no affine transform can follow.
            Assert.True(before > 2 && after < 1, $"{field[0]}: mean error {before} before, {after} after");
        }
    }

    [Fact]
    public async Task Pair_used_folder_and_unknown_slides_are_errors()
    {
        foreach (string name in (string[])["a/1.png", "b/1.png"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            var image = new Image(64, 64, 3);
            new Random(1).NextBytes(image.Data);
            image.Write(Path.Combine(folder, name));
        }
        string[] input = [Path.Combine(folder, "a"), Path.Combine(folder, "b"), "--tile-size", "48"];
        Assert.Contains("the slides of the fields are unknown",
            (await Assert.ThrowsAsync<OptionException>(() => Run([.. input, "--by-slide"]))).Message);
        Assert.Contains("tile size is 4",
            (await Assert.ThrowsAsync<OptionException>(() => Run([.. input[..2], "--tile-size", "4"]))).Message);
        Assert.Equal(0, await Run(input));
        Assert.Equal(Path.Combine(Out, "source", "1_0008_0008.png"), PairManifest.Read(Out).Pairs.Single().Source);
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Out, "manifest.csv"));
        Assert.Equal(0, await Run(input));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Out, "manifest.csv")));
        Assert.Equal(0, await Run([.. input[..2], "--tile-size", "0", "--overwrite"]));
        Assert.Contains("does not match",
            (await Assert.ThrowsAsync<TinctorException>(() => Run([.. input, "--overwrite", "--slide-pattern", "^ZZ"]))).Message);
        Assert.Contains("second folder", (await Assert.ThrowsAsync<TinctorException>(() => Run(input[0], "--overwrite"))).Message);
        Assert.Equal("1", PairManifest.Read(Out).Pairs.Single().Name);
    }

    [Fact]
    public void Pair_omits_unreadable_and_small_fields_with_exit_code_1()
    {
        foreach (string side in (string[])["a", "b"])
        {
            Directory.CreateDirectory(Path.Combine(folder, side));
            foreach ((string name, int size) in ((string, int)[])[("1", 64), ("2", 40), ("3", 64)])
            {
                var image = new Image(size, size, 3);
                new Random(size).NextBytes(image.Data);
                image.Write(Path.Combine(folder, side, $"{name}.png"));
            }
        }
        File.WriteAllText(Path.Combine(folder, "b", "3.png"), "broken");
        string[] command = ["pair", Path.Combine(folder, "a"), Path.Combine(folder, "b"), "--tile-size", "48", "-o", Out];
        Outcome outcome = CommandLine.Run(command);
        Assert.Equal(1, outcome.Code);
        Assert.Contains("1 of 1 tiles kept (train 1), 1 of 3 fields used", outcome.Out);
        Assert.Contains("error: 2: left out: source and target overlap by only 40x40 pixels, but tiles have 48x48. "
            + "Use tiles of 40 pixels or less "
            + "(--tile-size).", outcome.Error);
        Assert.Contains("error: 3: left out: " + Path.Combine(folder, "b", "3.png"), outcome.Error);
        Assert.Equal("1", PairManifest.Read(Out).Pairs.Single().Name[..1]);
        Assert.Contains("Existing results are kept", CommandLine.Run(command).All);

        outcome = CommandLine.Run([.. command, "--overwrite", "--allow-failures"]);
        Assert.Equal(0, outcome.Code);
        Assert.Contains("warning: 2: left out", outcome.Error);
        Assert.DoesNotContain("error:", outcome.Error);
    }

    private Task<int> Run(params string[] arguments) => CommandLine.Invoke(["pair", .. arguments, "-o", Out]);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    // Mean distance between the true source position of a target pixel and the estimated one, for no transform and for this one.
    private static (double Before, double After) MeanErrors(string file, double[] t, int size)
    {
        byte[] bytes = File.ReadAllBytes(file);
        float[] displacement = new float[2 * size * size];
        Buffer.BlockCopy(bytes, bytes.Length - (4 * displacement.Length), displacement, 0, 4 * displacement.Length);
        (double before, double after) = (0, 0);
        for (int i = 0; i < size * size; i++)
        {
            (double u, double v) = (i % size, i / size);
            (double x, double y) = (u + displacement[i], v + displacement[(size * size) + i]);
            before += double.Hypot(displacement[i], displacement[(size * size) + i]) / (size * size);
            after += double.Hypot((t[0] * x) + (t[1] * y) + t[2] - u, (t[3] * x) + (t[4] * y) + t[5] - v) / (size * size);
        }
        return (before, after);
    }
}
