#:project ../src/Tinctor.Evaluation/Tinctor.Evaluation.csproj
#:property PublishAot=false
// Times image metrics on one pair of noise images of 1024x1024 pixels and prints the best of several rounds.
//   dotnet run -c Release bench/metrics.cs [rounds]
using System.Diagnostics;
using System.Globalization;
using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;

const int side = 1024;
int rounds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10;
Image left = Noise(4), right = Noise(5);

Console.WriteLine($"{side}x{side} RGB, best of {rounds} rounds, {Environment.ProcessorCount} cores");
foreach (SsimVariant variant in new[] { SsimVariant.Uniform7, SsimVariant.Gaussian11 })
    Report($"ssim {variant}", Ssim.Metric(variant));
foreach (PairMetric metric in PairMetric.Defaults().Where(metric => metric.Key != "ssim")) Report(metric.Key, metric);

// The images are wrapped anew in each round, so that metrics of stains include the separation of the stains.
void Report(string name, PairMetric metric)
{
    double best = Enumerable.Range(0, rounds).Min(_ =>
    {
        var watch = Stopwatch.StartNew();
        metric.Compute(new ScoredImage(left), new ScoredImage(right));
        return watch.Elapsed.TotalMilliseconds;
    });
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-18}{best,8:F1} ms"));
}

static Image Noise(int seed)
{
    var data = new byte[side * side * 3];
    new Random(seed).NextBytes(data);
    return new(side, side, 3, SampleType.UInt8, data);
}
