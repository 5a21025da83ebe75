using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.Tests;

/// <summary>The test of a model in 16 bits against float32.</summary>
public sealed class PrecisionTestTests : IDisposable
{
    private static readonly TimeSpan Quick = TimeSpan.Zero, Slow = TimeSpan.FromMilliseconds(20);

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-precision-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Least_psnr_costs_a_tenth_of_a_decibel_at_30()
    {
        double error = Math.Pow(10, -3), rounding = Math.Pow(10, -PrecisionTest.LeastPsnr / 10);
        Assert.Equal(29.9, -10 * Math.Log10(error + rounding), 1e-9);
    }

    [Theory]
    [InlineData(0.009, true, true), InlineData(0.0101, true, false), InlineData(0.009, false, false)]
    public void Run_passes_close_and_faster_results(double error, bool isFaster, bool isPassed)
    {
        using Stainer float32 = Create(0, isFaster ? Slow : Quick), reduced = Create((float)error, isFaster ? Quick : Slow);
        PrecisionTest test = PrecisionTest.Run(float32, reduced, Tiles(20));
        Assert.Equal(8, test.Tiles);
        Assert.Equal(10 * Math.Log10(4 / (error * error)), test.Psnr, 1e-3);
        Assert.Equal(isFaster, test.Speedup > 1);
        Assert.Equal(isPassed, test.IsPassed);
    }

    [Fact]
    public void Run_fails_on_overflow()
    {
        using Stainer float32 = Create(0, Quick), reduced = Create(float.PositiveInfinity, Quick);
        PrecisionTest test = PrecisionTest.Run(float32, reduced, Tiles(2));
        Assert.False(test.IsPassed);
        Assert.Equal("overflows", test.ToString());
        using Stainer equal = Create(0, Quick);
        Assert.Equal(100, PrecisionTest.Run(float32, equal, Tiles(2)).Psnr);
    }

    [Fact]
    public void Test_is_read_back_for_same_weights_and_format()
    {
        using Stainer float32 = Create(0, Slow), reduced = Create(0.001f, Quick), other = Create(0.001f, Quick, "other weights");
        Assert.Null(PrecisionTest.Read(folder, reduced));
        PrecisionTest.Run(float32, reduced, Tiles(1)).Write(folder);
        PrecisionTest test = PrecisionTest.Run(float32, reduced, Tiles(2));
        test.Write(folder);
        Assert.Equal(test, PrecisionTest.Read(folder, reduced));
        Assert.Null(PrecisionTest.Read(folder, other));
        Assert.Null(PrecisionTest.Read(folder, float32));

        string path = Path.Combine(folder, "precision.json");
        foreach (string text in new[] { "{", "[]", "null", """{"format": "tinctor-precision-tests", "version": 2, "tests": []}""",
            """{"format": "tinctor-precision-tests", "version": 1, "tests": [null]}""" })
        {
            File.WriteAllText(path, text);
            TinctorException problem = Assert.Throws<TinctorException>(() => PrecisionTest.Read(folder, reduced));
            Assert.Contains("precision.json: is no list of tests", problem.Message);
        }
    }

    private static Stainer Create(float error, TimeSpan time, string id = "weights") => new(new Halving(error, time),
        new ModelDescription { Method = "test", InputChannels = 3, OutputChannels = 3 }, id);

    private static Image[] Tiles(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var tile = new Image(16, 16, 3);
        new Random(i).NextBytes(tile.Data);
        return tile;
    })];

    /// <summary>Halves the source and adds an error of alternating sign.</summary>
    private sealed class Halving(float error, TimeSpan time) : INetworkExecutor
    {
        public bool NormalizesByImage => false;

        public string Precision => $"error {error}";

        public NetworkOutput Run(NetworkInput input)
        {
            Thread.Sleep(time);
            ImageBatch source = input.Source;
            return new(new ImageBatch(source.Count, 3, source.Height, source.Width,
                [.. source.Values.Select((value, i) => (value / 2) + (i % 2 == 0 ? error : -error))]));
        }

        public ImageBatch Predict(ImageBatch state, double time, ImageBatch end) => throw new NotSupportedException();

        public void Dispose() { }
    }
}
