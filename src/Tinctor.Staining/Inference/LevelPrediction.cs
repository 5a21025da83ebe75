namespace Tinctor.Staining.Inference;

/// <summary>The level that a model predicts for an image from its source alone.</summary>
/// <param name="Levels">The levels that it knows.</param>
/// <param name="Probabilities">One a level, together 1.</param>
public sealed record LevelPrediction(IReadOnlyList<string> Levels, IReadOnlyList<float> Probabilities)
{
    /// <summary>The most probable level.</summary>
    public string Level => Levels[Probabilities.Index().MaxBy(p => p.Item).Index];

    /// <summary>Its probability.</summary>
    public float Probability => Probabilities.Max();
}
