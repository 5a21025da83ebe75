using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Data;

/// <summary>
/// Cross-validation by slide, or by image where slides are not known. The slides are ordered by label and by a hash of their names, and
/// dealt out in turn: every fold gets some of each label, and which slide is in which fold depends on nothing but the data.
/// </summary>
public static class Folds
{
    /// <summary>Splits pairs into those to train on and those of one fold, held out.</summary>
    /// <param name="pairs">What is split.</param>
    /// <param name="fold">Which fold is held out, from 0.</param>
    /// <param name="folds">How many there are; 1 holds nothing out.</param>
    /// <exception cref="TinctorException">There is no such fold, or there are fewer slides than folds.</exception>
    public static (IReadOnlyList<Pair> Train, IReadOnlyList<Pair> Held) Split(IReadOnlyList<Pair> pairs, int fold, int folds)
    {
        if (fold < 0 || fold >= folds) throw new TinctorException($"there is no fold {fold} of {folds}; folds count from 0");
        if (folds == 1) return (pairs, []);
        bool bySlide = SlidesKnown(pairs);
        var units = pairs.GroupBy(pair => bySlide ? pair.SlideId : $"{pair.Label}/{pair.Name}")
            .OrderBy(Label, StringComparer.Ordinal).ThenBy(unit => Rank(unit.Key)).ToArray();
        if (units.Length < folds)
            throw new TinctorException($"{units.Length} {(bySlide ? "slides" : "images")} cannot be dealt out to {folds} folds; "
                + $"use {Math.Max(1, units.Length)} folds or fewer");
        var held = units.Where((_, i) => i % folds == fold).Select(unit => unit.Key).ToHashSet();
        ILookup<bool, Pair> split = units.SelectMany(unit => unit, (unit, pair) => (unit.Key, pair))
            .ToLookup(item => held.Contains(item.Key), item => item.pair);
        return ([.. split[false]], [.. split[true]]);
    }

    /// <summary>Whether every pair's slide is known.</summary>
    public static bool SlidesKnown(IEnumerable<Pair> pairs) => pairs.All(pair => pair.SlideId.Length > 0);

    // The label that most of a slide's images have.
    private static string Label(IEnumerable<Pair> unit) =>
        unit.CountBy(pair => pair.Label ?? "").OrderByDescending(count => count.Value).ThenBy(count => count.Key, StringComparer.Ordinal)
            .First().Key;

    private static ulong Rank(string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
