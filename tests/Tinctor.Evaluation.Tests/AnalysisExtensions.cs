using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Tests;

/// <summary>Analyses implement <see cref="IAnalysis"/> explicitly, as only the evaluator runs them.</summary>
internal static class AnalysisExtensions
{
    public static ReportSection Run(this IAnalysis analysis, TestSet set, IProgress<EvaluationProgress>? progress,
        CancellationToken cancel) =>
        analysis.Run(set, progress, cancel);
}
