using System.Text.RegularExpressions;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;

namespace Tinctor.Evaluation.Tests;

/// <summary>Tables as CSV and LaTeX.</summary>
public sealed class TableFilesTests
{
    private static readonly SectionTable Example = new("t", "Scores of A & B, 100% of a_b",
        [new("method", "Method"), new("psnr", "PSNR (dB)", 2, true), new("error", "Error", 1, false), new("ci", "Interval", 1)],
        [
            ["one, \"quoted\"", new Summary(3, 20.123, 1.5, 20, 19, 21, 0, new(19.5, 20.75)), 0.24, new Interval(-1, 2)],
            ["two", new Summary(3, double.PositiveInfinity, null, 20, 19, 21, 3, null), double.NaN, null],
            ["three", new Summary(3, 18, 1, 20, 19, 21, 0, new(17, 19)), 1.5, new Interval(0, 3)],
        ]);

    [Fact]
    public void SectionCsv_spreads_estimates_over_columns()
    {
        Assert.Equal(""""
            method,psnr,psnr_std,psnr_low,psnr_high,error,ci_low,ci_high
            "one, ""quoted""",20.123,1.5,19.5,20.75,0.24,-1,2
            two,inf,,,,nan,,
            three,18,1,17,19,1.5,0,3

            """".ReplaceLineEndings("\n"), SectionCsv.Text(Example));
    }

    [Fact]
    public void LatexTable_marks_best_and_stacks_intervals()
    {
        string tex = LatexTable.Text(Example, "a_table");
        Assert.Contains("""\caption{Scores of A \& B, 100\% of a\_b.}""", tex);
        Assert.Contains("""\label{tab:a-table}""", tex);
        Assert.Contains("""\begin{tabular}{lrrr}""", tex);
        Assert.Contains("""two & \textbf{$\infty$} & -- & -- \\""", tex);
        Assert.Contains("""one, ''quoted'' & 20.12 & \textbf{0.2} & [$-$1.0, 2.0] \\""", tex);
        Assert.Contains("""\scriptsize [19.50, 20.75]""", tex);
    }

    [Theory]
    [InlineData("a_b & c% #1 $x {y}", """a\_b \& c\% \#1 \$x \{y\}""")]
    [InlineData("x² ± 3 → ~^\\", """x$^2$ $\pm$ 3 ? \textasciitilde{}\textasciicircum{}\textbackslash{}""")]
    public void LatexTable_escapes_special_characters(string words, string tex) => Assert.Equal(tex, LatexTable.Escape(words));

    [Fact]
    public void Write_evaluation_writes_every_table()
    {
        using var set = new ExampleImages(images: 8, bciNames: true);
        var options = set.Options with { Stained = set.TwoModels, Analyses = ExampleAnalysis.All };
        EvaluationFiles.Write(Evaluator.Run(options, cancel: TestContext.Current.CancellationToken), set.Out);
        string[] names = [.. Directory.EnumerateFiles(Path.Combine(set.Out, "tables")).Select(f => Path.GetFileName(f)!).Order()];
        Assert.Equal(
            [
                "comparisons_rgb.csv", "comparisons_rgb.tex", "example_scores.csv", "example_scores.tex", "labels_rgb.csv",
                "labels_rgb.tex",
                "summary_rgb.csv", "summary_rgb.tex",
            ], names.Where(n => n.Contains("_rgb") || n.Contains("example")));
        foreach (string file in Directory.EnumerateFiles(Path.Combine(set.Out, "tables"), "*.tex"))
            IsSoundLatex(File.ReadAllText(file));
        string[] rows = File.ReadAllLines(Path.Combine(set.Out, "tables", "comparisons_rgb.csv"));
        Assert.StartsWith("metric,a,b,n,difference,ci_low,ci_high,wilcoxon_p,bootstrap_p,p_adjusted,significant", rows[0]);
        Assert.Contains(rows, r => r.StartsWith("PSNR,Careful & Co,quick,8,", StringComparison.Ordinal));
    }

    /// <summary>Braces and environments match, each row has as many cells as there are columns, all is 7-bit.</summary>
    private static void IsSoundLatex(string tex)
    {
        Assert.DoesNotContain(tex, c => c > 126);
        string plain = tex.Replace("\\{", "").Replace("\\}", "");
        Assert.Equal(plain.Count(c => c == '{'), plain.Count(c => c == '}'));
        Assert.Equal(0, plain.Replace("\\$", "").Count(c => c == '$') % 2);
        Assert.Equal(Regex.Matches(tex, @"\\begin\{(\w+)\}").Select(m => m.Groups[1].Value).Reverse(),
            Regex.Matches(tex, @"\\end\{(\w+)\}").Select(m => m.Groups[1].Value));
        int columns = Regex.Match(tex, @"\\begin\{tabular\}\{([lr]+)\}").Groups[1].Length;
        string[] rows = [.. tex.Split('\n').Where(l => l.EndsWith(@"\\", StringComparison.Ordinal))];
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(columns, Regex.Count(row, @"(?<!\\)&") + 1));
        Assert.Contains(@"\toprule", tex);
        Assert.Contains(@"\bottomrule", tex);
    }
}
