using System.Globalization;
using Tinctor.Training.Validation;

namespace Tinctor.Training.Runs;

/// <summary>Validation score of a run.</summary>
/// <param name="Name">Name, such as "psnr".</param>
/// <param name="Value">Value.</param>
internal sealed record ValidationScore(string Name, double Value)
{
    private const string Prefix = "val_";

    /// <summary>The value, or its negative where lower is better.</summary>
    public double Merit => PairScore.IsLowerBetter(Name) ? -Value : Value;

    /// <summary>Reads the score of the last checkpoint of a finished run; null for a run that is not finished or has no score.</summary>
    public static ValidationScore? Last(string run)
    {
        if (!File.Exists(Path.Combine(run, "config.yaml")) || RunFolder.Open(run) is not { HasModel: true } folder) return null;
        CsvTable log = CsvFile.Read(folder.Metrics);
        string? column = log.Header.FirstOrDefault(name => name.StartsWith(Prefix, StringComparison.Ordinal));
        return column is not null && log.Rows.Select(row => row.Number(column)).LastOrDefault(value => value is not null) is double last
            ? new(column[Prefix.Length..], last) : null;
    }

    /// <summary>Formats the score, as in "psnr 23.1".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:G4}");
}
