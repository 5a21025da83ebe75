using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Data;

/// <summary>
/// Cross-validation by slide, or by image if slides are unknown. Slides are sorted by label and by a hash of their names and assigned to
/// the folds in turn, which stratifies the folds by label. The assignment depends on the data only.
/// </summary>
internal static class Folds
{
    /// <summary>Splits pairs into training pairs and the held-out pairs of one fold.</summary>
    /// <param name="pairs">Pairs to split.</param>
    /// <param name="fold">Held-out fold, from 0.</param>
    /// <param name="folds">Number of folds; 1 holds nothing out.</param>
    /// <exception cref="TinctorException">The fold does not exist, or there are fewer slides than folds.</exception>
    public static (IReadOnlyList<Pair> Train, IReadOnlyList<Pair> Held) Split(IReadOnlyList<Pair> pairs, int fold, int folds)
    {
        if (fold < 0 || fold >= folds)
            throw new TinctorException(null, $"fold {fold} of {folds} folds does not exist", "Folds count from 0");
        if (folds == 1) return (pairs, []);
        bool bySlide = SlidesKnown(pairs);
        var units = pairs.GroupBy(pair => bySlide ? pair.SlideId : $"{pair.Label}/{pair.Name}")
            .OrderBy(Label, StringComparer.Ordinal).ThenBy(unit => Rank(unit.Key)).ToArray();
        if (units.Length < folds)
            throw new TinctorException(null, $"{units.Length} {(bySlide ? "slides" : "images")} are too few for {folds} folds",
                $"Use {Math.Max(1, units.Length)} folds or fewer");
        var held = units.Where((_, i) => i % folds == fold).Select(unit => unit.Key).ToHashSet();
        ILookup<bool, Pair> split = units.SelectMany(unit => unit, (unit, pair) => (unit.Key, pair))
            .ToLookup(item => held.Contains(item.Key), item => item.pair);
        return ([.. split[false]], [.. split[true]]);
    }

    /// <summary>Selects one of two halves, which have no slide in common and are stratified by label.</summary>
    /// <param name="pairs">Pairs to split.</param>
    /// <param name="half">a or b; empty for all pairs.</param>
    /// <exception cref="TinctorException">There is a single slide.</exception>
    public static IReadOnlyList<Pair> Half(IReadOnlyList<Pair> pairs, string half) =>
        half.Length == 0 ? pairs : Split(pairs, half == "a" ? 0 : 1, 2).Held;

    /// <summary>Whether the slide of every pair is known.</summary>
    public static bool SlidesKnown(IEnumerable<Pair> pairs) => pairs.All(pair => pair.SlideId.Length > 0);

    // Most frequent label of a slide's images.
    private static string Label(IEnumerable<Pair> unit) =>
        unit.CountBy(pair => pair.Label ?? "").OrderByDescending(count => count.Value).ThenBy(count => count.Key, StringComparer.Ordinal)
            .First().Key;

    private static ulong Rank(string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
