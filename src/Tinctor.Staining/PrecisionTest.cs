using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tinctor.Slides;
using Tinctor.Staining.Execution;

namespace Tinctor.Staining;

/// <summary>
/// Comparison of a model in 16 bits with the same model in float32, on tiles of images to stain. A model folder stores the tests of all
/// computers in precision.json.
/// </summary>
/// <param name="Host">Name of the computer.</param>
/// <param name="Precision">Engine, device and number format, such as "libtorch cuda bfloat16".</param>
/// <param name="WeightsSha256">SHA-256 of the weights.</param>
/// <param name="Psnr">PSNR against the results in float32, over all tiles, in dB.</param>
/// <param name="Speedup">Time of a tile in float32 over its time in 16 bits; 0 if the results overflow.</param>
/// <param name="Tiles">Number of tiles.</param>
internal sealed record PrecisionTest(string Host, string Precision, string WeightsSha256, double Psnr, double Speedup, int Tiles)
{
    private const string FileName = "precision.json", Format = "tinctor-precision-tests";
    private const int Version = 1, MostTiles = 8, TimedPasses = 5;
    private const double LargestLoss = 0.1, StainedPsnr = 30, LargestPsnr = 100, LeastSpeedup = 1.1;

    /// <summary>
    /// Least PSNR against float32, 46.3 dB: with independent errors, the PSNR against real images of a stain that reaches 30 dB, more than
    /// published ones do, then falls by at most 0.1 dB.
    /// </summary>
    public static double LeastPsnr { get; } = StainedPsnr - (10 * Math.Log10(Math.Pow(10, LargestLoss / 10) - 1));

    /// <summary>Whether 16 bits are faster than float32, and their results close enough.</summary>
    [JsonIgnore]
    public bool IsPassed => Psnr >= LeastPsnr && Speedup >= LeastSpeedup;

    /// <summary>Stains tiles in both formats. A diffusion bridge takes at most ten evaluations, on one tile.</summary>
    /// <param name="float32">The model in float32.</param>
    /// <param name="reduced">The model in 16 bits.</param>
    /// <param name="tiles">Tiles of images to stain; up to eight are used.</param>
    /// <exception cref="TinctorException">The results in float32 are not finite.</exception>
    public static PrecisionTest Run(Stainer float32, Stainer reduced, IReadOnlyList<Image> tiles)
    {
        int count = Math.Min(tiles.Count, float32.Model.IsStochastic ? 1 : MostTiles);
        ImageBatch[] sources = [.. Enumerable.Range(0, count).Select(i => float32.Prepare(tiles[i * tiles.Count / count]))];
        if (float32.Model.Stains is [var stain, ..]) (float32, reduced) = (float32.ForStain(stain), reduced.ForStain(stain));
        var test = new PrecisionTest(LocalProcess.Host, reduced.Precision, reduced.ModelId, 0, 0, count);
        (double squared, long samples) = (0, 0);
        foreach (ImageBatch source in sources)
        {
            ImageBatch expected = float32.Stain(source);
            if (StainOrNull(reduced, source) is not { } actual) return test;
            squared += SquaredError(expected, actual);
            samples += expected.Values.Length;
        }
        // Values have a range of 2.
        double psnr = 10 * Math.Log10(4 * samples / squared);
        return test with { Psnr = Math.Min(psnr, LargestPsnr), Speedup = CompareTimes(float32, reduced, sources[0]) };
    }

    /// <summary>Reads the test of a model in 16 bits on this computer; null if there is none of its present weights.</summary>
    /// <param name="folder">Model folder.</param>
    /// <param name="reduced">The model in 16 bits.</param>
    /// <exception cref="TinctorException">The file is damaged, or of a newer version.</exception>
    public static PrecisionTest? Read(string folder, Stainer reduced) => ReadAll(folder).Find(test =>
        (test.Host, test.Precision, test.WeightsSha256) == (LocalProcess.Host, reduced.Precision, reduced.ModelId));

    /// <summary>Stores the test in a model folder. If the folder cannot be written to, the test is repeated next time.</summary>
    /// <param name="folder">Model folder.</param>
    /// <exception cref="TinctorException">The file of earlier tests is damaged, or of a newer version.</exception>
    public void Write(string folder)
    {
        List<PrecisionTest> tests = ReadAll(folder);
        tests.RemoveAll(test => (test.Host, test.Precision) == (Host, Precision));
        string text = JsonSerializer.Serialize(new Record(Format, Version, [.. tests, this]), JsonFormat.Readable);
        try
        {
            AtomicFile.WriteText(Path.Combine(folder, FileName), text + "\n");
        }
        catch (Exception e) when (e is TinctorException || FileErrors.IsFileError(e))
        {
            // Shared models are often read-only, and staining does not need the record.
        }
    }

    /// <summary>Describes the result: "has 52.3 dB against float32 (at least 46.3) and 1.8 times its speed".</summary>
    public override string ToString() => Speedup == 0 ? "overflows" : string.Create(CultureInfo.InvariantCulture,
        $"has {Psnr:F1} dB against float32 (at least {LeastPsnr:F1}) and {Speedup:F1} times its speed");

    private static List<PrecisionTest> ReadAll(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return [];
        try
        {
            using FileStream file = InputFile.Open(path);
            return JsonSerializer.Deserialize<Record>(file, JsonFormat.Readable) is { Format: Format, Version: Version, Tests: { } tests }
                && tests.All(test => test is not null) ? [.. tests] : throw Unknown(path);
        }
        catch (JsonException)
        {
            throw Unknown(path);
        }
    }

    private static TinctorException Unknown(string path) =>
        new(path, $"is no list of tests in version {Version} of {Format}", "Remove it to test the model again");

    // The result; null if it overflows.
    private static ImageBatch? StainOrNull(Stainer reduced, ImageBatch source)
    {
        try
        {
            return reduced.Stain(source);
        }
        catch (TinctorException)
        {
            return null;
        }
    }

    // Other programs make passes slower, never faster, so the fastest of several alternating ones count.
    private static double CompareTimes(Stainer float32, Stainer reduced, ImageBatch source)
    {
        TimeSpan[] fastest = [TimeSpan.MaxValue, TimeSpan.MaxValue];
        for (int i = 0; i < 2 * TimedPasses; i++)
        {
            long start = Stopwatch.GetTimestamp();
            (i % 2 == 0 ? float32 : reduced).Stain(source);
            TimeSpan time = Stopwatch.GetElapsedTime(start);
            if (time < fastest[i % 2]) fastest[i % 2] = time;
        }
        return fastest[0] / fastest[1];
    }

    private static double SquaredError(ImageBatch expected, ImageBatch actual)
    {
        double sum = 0;
        foreach ((float x, float y) in expected.Values.Zip(actual.Values))
        {
            double difference = Math.Clamp(x, -1, 1) - Math.Clamp(y, -1, 1);
            sum += difference * difference;
        }
        return sum;
    }

    private sealed record Record(string? Format, int Version, PrecisionTest[]? Tests);
}
