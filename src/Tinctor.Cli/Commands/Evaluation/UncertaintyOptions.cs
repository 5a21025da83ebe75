using System.CommandLine;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Data;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for repeated runs of stochastic models.</summary>
internal static class UncertaintyOptions
{
    private static readonly Option<string[]> Repeats = new("--samples")
    {
        Description = "Folder with one folder per sample of a stochastic model; NAME=DIR for several models",
        HelpName = "[NAME=]DIR",
        DefaultValueFactory = _ => [],
    };

    public static IReadOnlyList<Option> All { get; } = [Repeats];

    public static IEnumerable<IAnalysis> Analyses(ParseResult parse)
    {
        RepeatedRuns[] models = [.. parse.GetRequiredValue(Repeats).Select(text => new RepeatedRuns(StainedFolder.Parse(text)))];
        return models.Length == 0 ? [] : [new UncertaintyAnalysis(models)];
    }
}
