namespace Tinctor.Staining;

/// <summary>IHC level that a model predicts for an image from its source alone.</summary>
/// <param name="Levels">Known levels.</param>
/// <param name="Probabilities">Probability of each level; they sum to 1.</param>
public sealed record IhcLevelPrediction(IReadOnlyList<string> Levels, IReadOnlyList<float> Probabilities)
{
    /// <summary>The most probable level.</summary>
    public string Level => Levels[Probabilities.Index().MaxBy(p => p.Item).Index];

    /// <summary>Probability of the most probable level.</summary>
    public float Probability => Probabilities.Max();

    /// <summary>Creates a prediction from logits, by softmax.</summary>
    internal static IhcLevelPrediction FromLogits(IReadOnlyList<string> levels, float[] logits)
    {
        // Some networks add values that tiles of a slide share, such as BCIStainer's style.
        logits = logits[..levels.Count];
        float largest = logits.Max();
        float[] powers = Array.ConvertAll(logits, logit => MathF.Exp(logit - largest));
        float sum = powers.Sum();
        return new(levels, Array.ConvertAll(powers, power => power / sum));
    }
}
