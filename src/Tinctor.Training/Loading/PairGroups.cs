using Tinctor.Data;

namespace Tinctor.Training.Loading;

/// <summary>Groups of pairs by data set and stain, which count equally in training and validation.</summary>
internal static class PairGroups
{
    /// <summary>Groups pairs by data set and stain, in their order.</summary>
    /// <returns>Name of each group, which is its stain or data set, and the indices of its pairs.</returns>
    public static IReadOnlyList<(string Name, int[] Indices)> Find(IReadOnlyList<Pair> pairs)
    {
        var groups = pairs.Index().GroupBy(pair => (pair.Item.Dataset, pair.Item.Stain)).ToArray();
        bool byStain = groups.Select(group => group.Key.Stain).Distinct().Count() == groups.Length;
        return [.. groups.Select(group => (Name(group.Key.Dataset, group.Key.Stain), group.Select(pair => pair.Index).ToArray()))];

        string Name(string dataset, string? stain)
        {
            string folder = Path.GetFileName(dataset);
            return stain is null ? folder : byStain || folder.Length == 0 || folder == stain ? stain : $"{folder}_{stain}";
        }
    }

    /// <summary>
    /// Draws the pairs of an epoch: the same number from each group, in total the number of pairs. Pairs of a small group are drawn several
    /// times; of a large group, each epoch has another random part. With a single group these are all pairs in their order.
    /// </summary>
    /// <returns>Index of each pair, plus a multiple of the number of pairs for further draws of it.</returns>
    public static int[] BalancedDraws(IReadOnlyList<Pair> pairs, ulong seed, int epoch)
    {
        var groups = Find(pairs);
        if (groups.Count < 2) return [.. Enumerable.Range(0, pairs.Count)];
        var draws = new List<int>(pairs.Count);
        for (int g = 0; g < groups.Count; g++)
        {
            int[] group = groups[g].Indices, order = SampleRandom.Permutation(seed + (ulong)g + 1, epoch, group.Length);
            int share = (pairs.Count / groups.Count) + (g < pairs.Count % groups.Count ? 1 : 0);
            for (int i = 0; i < share; i++) draws.Add(group[order[i % group.Length]] + (i / group.Length * pairs.Count));
        }
        return [.. draws];
    }
}
