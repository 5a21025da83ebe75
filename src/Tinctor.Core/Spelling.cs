namespace Tinctor.Core;

/// <summary>Suggestions for misspelt names.</summary>
internal static class Spelling
{
    /// <summary>Finds the name that a user probably meant.</summary>
    /// <param name="word">What the user wrote.</param>
    /// <param name="names">Names that exist.</param>
    /// <returns>The closest name; null if none is within a third of its length, counted in edits.</returns>
    public static string? Closest(string word, IEnumerable<string> names) => names
        .Select(name => (Name: name, Distance: Distance(word.ToLowerInvariant(), name.ToLowerInvariant())))
        .Where(found => found.Distance <= Math.Max(1, Math.Max(word.Length, found.Name.Length) / 3))
        .OrderBy(found => found.Distance).Select(found => found.Name).FirstOrDefault();

    /// <summary>Number of edits between two words: insertions, deletions, substitutions and swaps of neighbours.</summary>
    /// <remarks>The restricted Damerau-Levenshtein distance.</remarks>
    public static int Distance(string a, string b)
    {
        var cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) cost[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) cost[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int change = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(change, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (swapped) cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
