using Tinctor.Torch;

namespace Tinctor.Training.Learners;

/// <summary>Means of losses over a batch from the means over its parts.</summary>
internal sealed class LossMeans
{
    private readonly Dictionary<string, Tensor> means = [];

    /// <summary>Adds the mean of a part. The result belongs to the scope around the part's.</summary>
    /// <param name="part">Part of the batch.</param>
    /// <param name="name">Name of the loss.</param>
    /// <param name="mean">Mean over the part.</param>
    /// <param name="share">Weight of the part's mean; null for the part's share of the pairs.</param>
    public void Add(BatchPart part, string name, Tensor mean, double? share = null)
    {
        Tensor value = mean.detach();
        double weight = share ?? part.Share;
        if (weight != 1) value = value * weight;
        if (means.TryGetValue(name, out Tensor? before)) value = before + value;
        means[name] = value.MoveToOuterDisposeScope();
    }

    /// <summary>Gets the means in the order of their first addition.</summary>
    public IReadOnlyDictionary<string, Tensor> ToDictionary() => means;

    /// <summary>Gets the means in a given order.</summary>
    public IReadOnlyDictionary<string, Tensor> InOrder(params string[] names) => names.ToDictionary(name => name, name => means[name]);
}
