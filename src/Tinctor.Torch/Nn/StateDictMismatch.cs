namespace Tinctor.Torch.Nn;

/// <summary>Differences of a state dictionary and a module.</summary>
/// <param name="missing">Keys of the module that the dictionary lacks.</param>
/// <param name="unexpected">Keys of the dictionary that the module lacks.</param>
/// <param name="misshapen">Keys whose shapes differ, each as "key [dictionary's shape] -> [module's shape]".</param>
public sealed record StateDictMismatch(IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misshapen)
{
    private const int MostNamesShown = 8;

    /// <summary>Whether everything fits.</summary>
    public bool IsEmpty => missing.Count + unexpected.Count + misshapen.Count == 0;

    /// <summary>Describes missing, unexpected and misshapen keys in one line, with the first names of each.</summary>
    public override string ToString() =>
        string.Join("; ", Part("missing", missing).Concat(Part("unexpected", unexpected)).Concat(Part("misshapen", misshapen)));

    internal static StateDictMismatch Between(IReadOnlyDictionary<string, Tensor> own, IReadOnlyDictionary<string, Tensor> given)
    {
        var misshapen = from pair in own
                        where given.ContainsKey(pair.Key)
                        where !given[pair.Key].shape.SequenceEqual(pair.Value.shape)
                        select $"{pair.Key} {given[pair.Key].ShapeText} -> {pair.Value.ShapeText}";
        return new(
            [.. own.Keys.Where(name => !given.ContainsKey(name) && !name.EndsWith("num_batches_tracked", StringComparison.Ordinal))],
            [.. given.Keys.Where(name => !own.ContainsKey(name))],
            [.. misshapen]);
    }

    private static IEnumerable<string> Part(string what, IReadOnlyList<string> names)
    {
        if (names.Count == 0) yield break;
        string more = names.Count > MostNamesShown ? $" and {names.Count - MostNamesShown} more" : "";
        yield return $"{names.Count} {what}: {string.Join(", ", names.Take(MostNamesShown))}{more}";
    }
}
