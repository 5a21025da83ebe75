namespace Tinctor.Evaluation.Data;

/// <summary>Progress of an evaluation.</summary>
/// <param name="Stage">The current stage, such as <c>scoring</c>.</param>
/// <param name="Done">Number of images finished in this stage.</param>
/// <param name="Total">Number of images of this stage.</param>
public readonly record struct EvaluationProgress(string Stage, int Done, int Total);
