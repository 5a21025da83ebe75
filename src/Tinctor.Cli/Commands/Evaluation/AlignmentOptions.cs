using System.CommandLine;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Alignment;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for the alignment of pairs.</summary>
internal static class AlignmentOptions
{
    private static readonly Option<bool> None = new("--no-alignment")
    {
        Description = "Do not measure displacement, nor scores after re-registration",
    };

    public static IReadOnlyList<Option> All { get; } = [None];

    public static IEnumerable<IAnalysis> Analyses(ParseResult parse) => parse.GetValue(None) ? [] : [new AlignmentAnalysis()];
}
