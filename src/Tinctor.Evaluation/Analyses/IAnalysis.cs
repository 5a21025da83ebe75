using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Analyses;

/// <summary>
/// Analysis of a whole test set that yields one section of the report. Implementations must not hold all images in memory.
/// </summary>
public interface IAnalysis
{
    /// <summary>Runs the analysis.</summary>
    /// <param name="set">The checked image pairs and the methods to compare.</param>
    /// <param name="progress">Receives progress, from several threads.</param>
    /// <param name="cancel">Cancels between images.</param>
    /// <exception cref="TinctorException">The inputs do not fit the analysis.</exception>
    internal ReportSection Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel);
}
