using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

public sealed class UncertaintyTests : IDisposable
{
    private const int Side = 96, Level = 120;
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-uncertainty-");

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public void Run_noise_of_known_variation_gives_its_value()
    {
        ReportSection section = Run(runs: 40, Constant(6), Constant(6));
        var row = Row(section);
        Assert.Equal(6.0 / Level, row["cv"], 0.05 * 6 / Level);
        Assert.Equal(6, row["std"], 0.15);
        Assert.Equal(40, row["runs"]);
    }

    [Fact]
    public void RunStatistics_variance_is_sample_variance()
    {
        Write("runs/1", "a", Flat(10));
        Write("runs/2", "a", Flat(16));
        Write("runs/3", "a", Flat(10));
        var one = RunStatistics.Compute(
            Directory.GetFiles(root.FullName, "a.png", SearchOption.AllDirectories).Select(RgbReader.Read), Flat(13));
        // Values 10, 16, 10: mean 12, sample standard deviation sqrt(12).
        Assert.All(one.Uncertainty, u => Assert.Equal(Math.Sqrt(12), u, 1e-6));
        Assert.All(one.Error, e => Assert.Equal(1, e, 1e-6));
        Assert.Equal(Math.Sqrt(12) / 12, one.Variation, 1e-9);
        Assert.All(one.Mean.Data, v => Assert.Equal(12, v));
    }

    [Fact]
    public void Run_calibrated_uncertainty_lies_on_diagonal()
    {
        // The real image is one more draw of what the runs are draws of; the spread rises from 2 to 14 across the image.
        ReportSection section = Run(runs: 24, Rising, Rising);
        var row = Row(section);
        Assert.True(row["auroc"] > 0.7, $"AUROC {row["auroc"]:F3}");
        Assert.InRange(row["calibration_error"], 0, 0.6);
        Assert.True(row["spearman"] > 0.3 && row["pearson"] > 0.3);
        var curve = Assert.IsType<CurveChart>(section.Charts[0]).Series[0];
        // The groups at the ends hold the pixels whose spread over 24 runs came out too small or too large.
        Assert.All(curve.X.Zip(curve.Y), point => Assert.Equal(point.First, point.Second, 0.15 * point.First + 0.3));
        Assert.Equal(curve.X.Order(), curve.X);
    }

    [Fact]
    public void Run_unrelated_uncertainty_is_chance()
    {
        var row = Row(Run(runs: 24, Rising, Constant(8)));
        Assert.InRange(row["auroc"], 0.45, 0.58); // the mean of 24 runs still errs a little more where they vary more
        Assert.InRange(row["spearman"], -0.1, 0.12);
    }

    [Fact]
    public void Run_misplaced_uncertainty_is_worse_than_chance()
    {
        ReportSection section = Run(runs: 24, Rising, x => 16 - Rising(x));
        var row = Row(section);
        Assert.True(row["auroc"] < 0.35, $"AUROC {row["auroc"]:F3}");
        Assert.True(row["spearman"] < -0.2);
        Assert.Contains(section.Warnings, warning => warning.Contains("hardly predicts errors"));
    }

    [Fact]
    public void Run_equal_runs_give_warning()
    {
        ReportSection section = Run(runs: 3, Constant(0), Constant(5));
        var row = section.Tables[0].Rows[0];
        Assert.Equal(0.0, row[3]);
        Assert.Null(row[7]);
        Assert.Contains(section.Warnings, warning => warning.Contains("a different seed for each run"));
        Assert.Contains(section.Warnings, warning => warning.Contains("only 3 runs"));
    }

    [Fact]
    public void Run_shows_maps_of_highest_and_median_image()
    {
        ReportSection section = Run(runs: 6, Rising, Rising, images: 3);
        Assert.Equal(2, section.Pictures.Count);
        Assert.Contains("highest", section.Pictures[0].Title);
        Assert.Equal(((3 * Side) + 16, Side), (section.Pictures[0].Image.Width, section.Pictures[0].Image.Height));
        // The uncertainty rises to the right: from violet towards yellow, so red and green rise.
        byte Green(int x) => section.Pictures[0].Image.Data[(3 * ((40 * section.Pictures[0].Image.Width) + Side + 8 + x)) + 1];
        Assert.True(Enumerable.Range(0, 10).Average(x => Green(x)) + 40 < Enumerable.Range(Side - 10, 10).Average(x => Green(x)));
    }

    [Fact]
    public void Histogram_equals_statistics_of_all_pixels()
    {
        var random = new Random(5);
        // Numbers in the middle of bins, so that binning loses nothing.
        float[] u = [.. Enumerable.Range(0, 2000).Select(_ => (random.Next(60) * 0.25f) + 0.125f)];
        float[] e = [.. u.Select(v => (random.Next(80) * 0.25f) + 0.125f + (random.Next(2) * (float)Math.Floor(v)))];
        var histogram = new UncertaintyHistogram();
        histogram.Add(u.AsSpan(0, 700), e.AsSpan(0, 700));
        var other = new UncertaintyHistogram();
        other.Add(u.AsSpan(700), e.AsSpan(700));
        histogram.Add(other);
        Assert.Equal(PearsonOf(Ranks(u), Ranks(e)), histogram.Spearman()!.Value, 1e-9);
        Assert.Equal(PearsonOf([.. u.Select(v => (double)v)], [.. e.Select(v => (double)v)]), histogram.Pearson!.Value, 1e-9);
        var (roc, threshold) = histogram.Worst(0.1);
        bool[] worst = [.. e.Select(v => v >= threshold)];
        Assert.InRange(worst.Count(w => w), 200, 280);
        Assert.Equal(Roc.Compute([.. u.Select(v => (double)v)], worst)!.Auroc, roc!.Auroc, 1e-12);
        Assert.Equal(2000, histogram.Calibration(20).Sum(group => group.Count));

        static double[] Ranks(float[] values) =>
            [.. values.Select(v => values.Count(w => w < v) + (values.Count(w => w == v) / 2.0))];
        static double PearsonOf(double[] x, double[] y)
        {
            double mx = x.Average(), my = y.Average();
            return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum()
                / Math.Sqrt(x.Sum(a => (a - mx) * (a - mx)) * y.Sum(b => (b - my) * (b - my)));
        }
    }

    [Fact]
    public void Run_missing_images_are_named()
    {
        Write("real", "a", Flat(9));
        Write("runs/1", "a", Flat(9));
        var pairs = Pairs(1);
        Assert.Contains("at least two", Assert.Throws<TinctorException>(() => Analyse(pairs)).Message);
        Write("runs/2", "b", Flat(9));
        string message = Assert.Throws<TinctorException>(() => Analyse(pairs)).Message;
        Assert.Contains("no image a", message);
        Write("runs/2", "a", new Image(7, 7, 3));
        Assert.Contains("7x7", Assert.Throws<TinctorException>(() => Analyse(pairs)).Message);
        Assert.Throws<TinctorException>(() => new UncertaintyAnalysis([new(new("model", "/nowhere"))])
            .Run(new(pairs, [], [], 0), null, CancellationToken.None));
    }

    private static Func<double, double> Constant(double spread) => _ => spread;

    private static double Rising(double x) => 2 + (12 * x);

    private ReportSection Run(int runs, Func<double, double> spread, Func<double, double> error, int images = 2)
    {
        var random = new Random(7);
        for (int i = 0; i < images; i++)
        {
            string name = ((char)('a' + i)).ToString();
            Write("real", name, Drawn(error, random));
            for (int run = 0; run < runs; run++)
                Write($"runs/{run:D2}", name, Drawn(spread, random));
        }
        return Analyse(Pairs(images));
    }

    private ImagePair[] Pairs(int images) =>
    [
        .. Enumerable.Range(0, images).Select(i => ((char)('a' + i)).ToString()).Select(name =>
            new ImagePair(name, new Dictionary<string, string>(), Path.Combine(root.FullName, "real", name + ".png"), null, null, null)),
    ];

    private ReportSection Analyse(ImagePair[] pairs) => new UncertaintyAnalysis([new(new("model", Path.Combine(root.FullName, "runs")))])
        .Run(new(pairs, [], [], 0), null, CancellationToken.None);

    private static Dictionary<string, double> Row(ReportSection section) => section.Tables[0].Columns.Zip(section.Tables[0].Rows[0])
        .Where(cell => cell.Second is double or int).ToDictionary(cell => cell.First.Key, cell => Convert.ToDouble(cell.Second));

    private void Write(string folder, string name, Image image) =>
        image.Write(Path.Combine(Directory.CreateDirectory(Path.Combine(root.FullName, folder)).FullName, name + ".png"));

    private static Image Flat(byte value)
    {
        var image = new Image(8, 8, 3);
        Array.Fill(image.Data, value);
        return image;
    }

    private static Image Drawn(Func<double, double> spread, Random random)
    {
        var image = new Image(Side, Side, 3);
        for (int i = 0; i < image.Data.Length; i++)
        {
            double x = i / 3 % Side / (Side - 1.0);
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            image.Data[i] = (byte)Math.Clamp(Math.Round(Level + (spread(x) * normal)), 0, 255);
        }
        return image;
    }
}
