
namespace Tinctor.Transforms;

/// <summary>Quality of a registration, and the reasons to reject it. Numbers that were not measured are NaN.</summary>
public sealed record RegistrationQuality
{
    /// <summary>Smallest <see cref="Distinctness"/> of a slide's transform that passes.</summary>
    public const double MinDistinctness = 10;

    /// <summary>Smallest <see cref="Overlap"/> that passes.</summary>
    public const double MinOverlap = 0.25;

    /// <summary>Largest <see cref="Scale"/> that passes; the smallest is its reciprocal.</summary>
    public const double MaxScale = 1.6;

    /// <summary>Largest <see cref="Stretch"/> that passes.</summary>
    public const double MaxStretch = 1.4;

    /// <summary>Metric of the similarities.</summary>
    public required SimilarityMetric Metric { get; init; }

    /// <summary>Similarity with the whole transform.</summary>
    public required double Similarity { get; init; }

    /// <summary>Similarity without registration; measured for fields.</summary>
    public double InitialSimilarity { get; init; } = double.NaN;

    /// <summary>Similarity with the affine part alone; measured for slides.</summary>
    public double AffineSimilarity { get; init; } = double.NaN;

    /// <summary>Mean similarity of wrong alignments; measured for slides.</summary>
    public double Chance { get; init; } = double.NaN;

    /// <summary>
    /// Z-score of <see cref="AffineSimilarity"/> in the distribution of the similarities of wrong alignments; measured for slides.
    /// </summary>
    public double Distinctness { get; init; } = double.NaN;

    /// <summary>Share of the source, or of its tissue, that the target covers, 0 to 1.</summary>
    public double Overlap { get; init; } = 1;

    /// <summary>Size of the target relative to the expected one: geometric mean of both axes.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Ratio of the larger to the smaller singular value of the affine part, at least 1.</summary>
    public double Stretch { get; init; } = 1;

    /// <summary>Smallest Jacobian determinant relative to the affine part; below 0 at a fold, 1 without displacement.</summary>
    public double SmallestDeterminant { get; init; } = 1;

    /// <summary>Share of the plane that folds, 0 to 1.</summary>
    public double Folded { get; init; }

    /// <summary>Reasons to reject the transform, one line each; empty if it passed.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>Whether the transform may be used.</summary>
    public bool Passed => Reasons.Count == 0;

    /// <summary>Gets the quality of the composition with an earlier transform: the worse of each number, the reasons of both.</summary>
    public RegistrationQuality After(RegistrationQuality first) => this with
    {
        Similarity = Math.Min(Similarity, first.Similarity),
        AffineSimilarity = Math.Min(AffineSimilarity, first.AffineSimilarity),
        Chance = Math.Max(Chance, first.Chance),
        Distinctness = Math.Min(Distinctness, first.Distinctness),
        Overlap = Overlap * first.Overlap,
        Scale = Scale * first.Scale,
        Stretch = Math.Max(Stretch, first.Stretch),
        SmallestDeterminant = SmallestDeterminant * first.SmallestDeterminant,
        Folded = Math.Max(Folded, first.Folded),
        Reasons = [.. first.Reasons.Concat(Reasons).Distinct()],
    };
}
