namespace Tinctor.Registration.Sections;

/// <summary>How good a transform between two sections is, and why it is not to be used where it is not.</summary>
public sealed record TransformQuality
{
    /// <summary>What the similarities are.</summary>
    public required Similarity Measure { get; init; }

    /// <summary>Similarity of the sections with the whole transform.</summary>
    public required double Similarity { get; init; }

    /// <summary>Similarity with the affine part alone.</summary>
    public required double AffineSimilarity { get; init; }

    /// <summary>Similarity by chance: mean over wrong transforms.</summary>
    public required double Chance { get; init; }

    /// <summary>By how many standard deviations of wrong transforms' similarities the affine one's lies above their mean.</summary>
    public required double Distinctness { get; init; }

    /// <summary>Share of the source, or of its tissue, that the target covers.</summary>
    public required double Overlap { get; init; }

    /// <summary>How many times larger the target is, where 1 is expected: the geometric mean over both axes.</summary>
    public required double Scale { get; init; }

    /// <summary>How many times more it is stretched along one axis than along the other, at least 1.</summary>
    public required double Stretch { get; init; }

    /// <summary>The smallest Jacobian determinant against the affine map's: below 0 at a fold; 1 without a displacement.</summary>
    public required double SmallestDeterminant { get; init; }

    /// <summary>Share of the plane that folds.</summary>
    public required double Folded { get; init; }

    /// <summary>What is wrong, one line each; nothing if it passed.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>Whether the transform may be used.</summary>
    public bool Passed => Reasons.Count == 0;

    /// <summary>That of two transforms one after the other: the worse of each number, the reasons of both.</summary>
    public TransformQuality After(TransformQuality first) => this with
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
