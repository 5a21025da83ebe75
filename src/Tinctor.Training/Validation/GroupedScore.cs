using Tinctor.Data;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Validation;

/// <summary>Validation score of pairs of one or more data sets and stains.</summary>
/// <param name="Mean">Mean over data sets and stains of the means over their pairs; it selects the best checkpoint.</param>
/// <param name="Parts">Mean of each data set or stain, and "tiles" for the mean over all pairs; empty without several.</param>
internal sealed record GroupedScore(double Mean, IReadOnlyDictionary<string, double> Parts)
{
    /// <summary>Computes the means of the numbers of pairs.</summary>
    public static GroupedScore Create(IReadOnlyList<Pair> pairs, IReadOnlyList<double> values)
    {
        var groups = PairGroups.Find(pairs);
        if (groups.Count < 2) return new(values.Sum() / values.Count, new Dictionary<string, double>());
        Dictionary<string, double> parts = groups.ToDictionary(group => group.Name, group => group.Indices.Average(i => values[i]));
        double mean = parts.Values.Average();
        parts["tiles"] = values.Average();
        return new(mean, parts);
    }
}
