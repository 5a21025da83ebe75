namespace Tinctor.Evaluation.Data;

/// <summary>Model or baseline whose images are compared with the real ones.</summary>
/// <param name="Key">
/// Name in files: the name of the model, or <see cref="Model"/>, <see cref="Identity"/>, <see cref="MeanColour"/>.
/// </param>
/// <param name="Title">Name for people.</param>
/// <param name="Definition">Origin of the images.</param>
/// <param name="NotComputed">Reason why it has no scores; null if it has.</param>
public sealed record ScoredMethod(string Key, string Title, string Definition, string? NotComputed = null)
{
    /// <summary>Key of a single model without a name.</summary>
    public const string Model = "model";

    /// <summary>Key of the baseline that returns the source image.</summary>
    public const string Identity = "identity";

    /// <summary>Key of the baseline that returns a flat image of the mean target colour.</summary>
    public const string MeanColour = "mean_colour";

    /// <summary>Whether this is a model; otherwise it is a baseline.</summary>
    public bool IsModel => Key is not (Identity or MeanColour);
}
