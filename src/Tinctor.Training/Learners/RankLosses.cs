using System.Globalization;
using Tinctor.Torch;

namespace Tinctor.Training.Learners;

/// <summary>Losses of a step over all ranks.</summary>
internal static class RankLosses
{
    /// <summary>Adds up the losses of the ranks, each its share of a mean. A rank may lack a loss, as that of labels.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="losses">Losses of this rank by name.</param>
    /// <param name="stopping">Whether this rank was asked to stop.</param>
    /// <returns>Losses in the order of their first occurrence; whether any rank was asked to stop.</returns>
    public static (IReadOnlyDictionary<string, double> Losses, bool Stopping) Combine(
        ProcessGroup ranks, IReadOnlyDictionary<string, double> losses, bool stopping)
    {
        IEnumerable<string> lines = losses.Select(loss => string.Create(CultureInfo.InvariantCulture, $"{loss.Key}={loss.Value:R}"));
        string[] all = ranks.Gather(string.Join('\n', lines.Prepend($"{stopping}")));
        var sums = new OrderedDictionary<string, double>();
        foreach (string line in all.SelectMany(rank => rank.Split('\n')[1..]))
        {
            int separator = line.LastIndexOf('=');
            string name = line[..separator];
            sums[name] = sums.GetValueOrDefault(name) + double.Parse(line[(separator + 1)..], CultureInfo.InvariantCulture);
        }
        return (sums, all.Any(rank => rank.Split('\n')[0] == $"{true}"));
    }
}
