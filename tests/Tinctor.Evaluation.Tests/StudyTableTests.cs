using System.Globalization;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Tests;

/// <summary>Tables of a study over two seeds; the models are exchanged in the second.</summary>
public sealed class StudyTableTests : IDisposable
{
    private readonly ExampleImages set = new(images: 8, bciNames: true);
    private readonly EvaluationResult first, second;
    private readonly string folder;

    public StudyTableTests()
    {
        (first, second) = (Evaluate(set.Stained, set.Second), Evaluate(set.Second, set.Stained));
        folder = set.Out;
        foreach ((EvaluationResult result, string name) in new[] { (first, "seed0"), (second, "seed1") })
            EvaluationFiles.Write(result, Path.Combine(folder, name));
    }

    [Fact]
    public void Paper_table_has_means_over_seeds_and_best_in_bold()
    {
        SectionTable table = Study("seed0").PaperTable("c");
        Assert.Equal(["Methods", "SSIM", "PSNR (dB)"], table.Columns.Select(column => column.Title));
        Assert.Equal(["Careful", "quick", "gone"], table.Rows.Select(row => row[0]));
        Assert.Equal(Mean(first, "careful", "psnr"), (double)table.Rows[0][2]!, 1e-9);
        Assert.Null(table.Rows[2][1]);
        string ssim = Mean(first, "careful", "ssim").ToString("F3", CultureInfo.InvariantCulture);
        Assert.Contains($"| Careful | **{ssim}** |", StudyTable.Markdown(table, boldBest: true));
        Assert.Contains("| gone | - | - |", StudyTable.Markdown(table, boldBest: true));
        Assert.Equal((Mean(first, "careful", "psnr") + Mean(second, "careful", "psnr")) / 2,
            (double)Study("seed0", "seed1").PaperTable("c").Rows[0][2]!, 1e-9);
    }

    [Fact]
    public void Labels_have_mean_of_each_label()
    {
        SectionTable table = Study("seed0").Labels("c");
        ImageGroup group = first.Groups.Single(each => each.Label == "2+");
        IReadOnlyList<object?> row = table.Rows.Single(each => (string?)each[0] == "2+" && (string?)each[1] == "quick");
        int psnr = table.Columns.ToList().FindIndex(column => column.Key == "psnr");
        Assert.Equal(group.Summaries["quick"][Index(first, "psnr")].Mean, (double)row[psnr]!, 1e-9);
        Assert.Equal(4 * 3, table.Rows.Count);
    }

    [Fact]
    public void Comparisons_of_one_seed_equal_evaluation_and_exchanged_models_cancel()
    {
        Comparison expected = first.Comparisons.Single(c => c is { A: "careful", B: "quick", Metric: "psnr" });
        IReadOnlyList<object?> row = Psnr(Study("seed0"));
        Assert.Equal(("Careful", "quick", 8), (row[1], row[2], row[3]));
        Assert.Equal(expected.Difference, (double)row[4]!, 1e-4);
        Assert.Equal(expected.WilcoxonP, row[6]);
        Assert.Equal(expected.Difference > 0 ? "yes" : "no", row[9]);
        IReadOnlyList<object?> both = Psnr(Study("seed0", "seed1"));
        Assert.Equal(0, (double)both[4]!, 1e-9);
        Assert.Equal("no", both[9]);

        static IReadOnlyList<object?> Psnr(StudyTable study) =>
            study.Comparisons().Rows.First(each => (string?)each[0] == "PSNR (dB)" && (string?)each[2] == "quick");
    }

    [Fact]
    public void Write_writes_every_table()
    {
        Study("seed0", "seed1").Write(folder, "Caption");
        foreach (string name in (string[])["table", "table1", "labels", "comparisons"])
            foreach (string extension in (string[])[".csv", ".md", ".tex"])
                Assert.True(File.Exists(Path.Combine(folder, name + extension)));
        Assert.Contains("\\caption{Caption.}", File.ReadAllText(Path.Combine(folder, "table1.tex")));
    }

    public void Dispose() => set.Dispose();

    private EvaluationResult Evaluate(string careful, string quick) => Evaluator.Run(
        set.Options with { Stained = [new StainedFolder("careful", careful), new StainedFolder("quick", quick)] },
        cancel: TestContext.Current.CancellationToken);

    private StudyTable Study(params string[] seeds) => new([("careful", "Careful"), ("quick", "quick"), ("gone", "gone")],
        [.. seeds.Select((seed, i) => ((ulong)i, Path.Combine(folder, seed, "metrics.json")))]);

    private static double Mean(EvaluationResult result, string model, string metric) =>
        result.Groups[0].Summaries[model][Index(result, metric)].Mean;

    private static int Index(EvaluationResult result, string metric) => result.Metrics.ToList().FindIndex(each => each.Key == metric);
}
