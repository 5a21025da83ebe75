using System.Diagnostics;

namespace Tinctor.Cli.Commands.Doctor;

/// <summary>Measured speed of an operator.</summary>
internal static class Speed
{
    /// <summary>Channels of the measured 3x3 convolution, in and out.</summary>
    public const int Channels = 256;

    /// <summary>Side of the convolved image in pixels.</summary>
    public const int Side = 64;

    private const double ConvolutionOperations = 2.0 * Channels * Channels * 9 * Side * Side;

    /// <summary>Measures an operator and formats its rate.</summary>
    /// <param name="run">Computes it once.</param>
    /// <param name="operations">Number of additions and multiplications.</param>
    /// <param name="sizes">Sizes, for the text.</param>
    public static string Measure(Action run, double operations, string sizes) =>
        $"{operations / BestSeconds(run) / 1e9:F0} GFLOP/s (float32, {sizes})";

    /// <summary>Measures the 3x3 convolution and formats its rate.</summary>
    /// <param name="run">Computes it once.</param>
    public static string MeasureConvolution(Action run) =>
        Measure(run, ConvolutionOperations, $"3 x 3, {Channels} channels at {Side} x {Side}");

    // The best of half a second's worth of runs: other programs only ever make it slower.
    private static double BestSeconds(Action run)
    {
        run();
        double best = double.MaxValue;
        for (var total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < 0.5;)
        {
            var watch = Stopwatch.StartNew();
            run();
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return best;
    }
}
