namespace Tinctor.Training.Classification;

/// <summary>Confusion matrix.</summary>
/// <param name="Classes">Classes in ascending order.</param>
/// <param name="Counts">Number of images, [true class][predicted class].</param>
internal sealed record ConfusionMatrix(IReadOnlyList<string> Classes, IReadOnlyList<IReadOnlyList<int>> Counts)
{
    /// <summary>Counts cases, given as pairs of class indices.</summary>
    public static ConfusionMatrix Create(IReadOnlyList<string> classes, IEnumerable<(int Truth, int Prediction)> cases)
    {
        int[][] counts = [.. classes.Select(_ => new int[classes.Count])];
        foreach ((int truth, int prediction) in cases) counts[truth][prediction]++;
        return new(classes, counts);
    }

    /// <summary>Number of cases.</summary>
    public int Total => Counts.Sum(row => row.Sum());

    /// <summary>Fraction of correct predictions; NaN without cases.</summary>
    public double Accuracy => Classes.Index().Sum(c => Counts[c.Index][c.Index]) / (double)Total;

    /// <summary>
    /// Cohen's kappa with quadratic weights (Cohen 1968): 1 - sum w O / sum w E with w = (i - j)², the observed frequencies O and the
    /// frequencies E of independent raters with the same marginals. For ordinal classes, such as HER2 levels. 1 is perfect agreement, 0 is
    /// chance; NaN if all cases have one class and are classified as it.
    /// </summary>
    public double QuadraticKappa
    {
        get
        {
            int n = Classes.Count;
            double[] rows = [.. Counts.Select(row => (double)row.Sum())];
            double[] columns = [.. Enumerable.Range(0, n).Select(j => (double)Counts.Sum(row => row[j]))];
            double observed = 0, expected = 0;
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    double weight = (i - j) * (i - j);
                    observed += weight * Counts[i][j];
                    expected += weight * rows[i] * columns[j] / Total;
                }
            }
            return 1 - (observed / expected);
        }
    }

    /// <summary>Lines of a table: a row a true class.</summary>
    public override string ToString()
    {
        int width = Math.Max(Classes.Max(name => name.Length), $"{Total}".Length) + 2;
        IEnumerable<string> lines = Classes.Select((name, i) =>
            name.PadLeft(width) + string.Concat(Counts[i].Select(count => $"{count}".PadLeft(width))));
        return string.Join('\n', lines.Prepend(new string(' ', width) + string.Concat(Classes.Select(name => name.PadLeft(width)))));
    }
}
