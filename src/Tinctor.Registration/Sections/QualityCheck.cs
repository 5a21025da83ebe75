using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>Measures how good a transform is, and says what is wrong with it.</summary>
internal static class QualityCheck
{
    private const int Side = 256, Window = 15;
    private const double LeastDistinctness = 10, LeastOverlap = 0.25, LargestScale = 1.6, LargestStretch = 1.4;

    public static TransformQuality Of(Tensor source, Tensor target, Tensor tissue, AffineTransform affine, DisplacementField? field,
        Similarity similarity)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        (Tensor a, Tensor b) = Levels.Reduce(source, target, Side);
        AffineTransform down = Levels.Scaling(source, a), downTarget = Levels.Scaling(target, b);
        AffineTransform map = affine.Between(down, downTarget);
        double Measure(AffineTransform transform) => AffineRefinement.Measure(a, b, transform, similarity, Window);
        double aligned = Measure(map);
        double[] wrong = [.. Wrong(map, (int)a.size(3), (int)a.size(2)).Select(Measure)];
        double chance = wrong.Average(), spread = Math.Sqrt(wrong.Average(value => (value - chance) * (value - chance)));
        (Tensor u, Tensor v) = Positions(map, field?.Between(down, downTarget), (int)a.size(3), (int)a.size(2));
        (Tensor warped, Tensor inside) = Warp.Sample(b, u, v);
        Tensor covered = F.interpolate(tissue, size: (a.size(2), a.size(3)), mode: "bilinear");
        (double scale, double stretch) = ScaleAndStretch(affine);
        (double smallest, double folded) = field?.Determinants(affine) ?? (1, 0);
        var quality = new TransformQuality
        {
            Measure = similarity,
            Similarity = Similarities.Of(similarity, a, warped, inside, Window).item(),
            AffineSimilarity = aligned,
            Chance = chance,
            Distinctness = (aligned - chance) / Math.Max(spread, 1e-6),
            Overlap = (inside * covered).sum().item() / covered.sum().item(),
            Scale = scale,
            Stretch = stretch,
            SmallestDeterminant = smallest,
            Folded = folded,
        };
        return quality with { Reasons = [.. Reasons(quality)] };
    }

    private static IEnumerable<string> Reasons(TransformQuality q)
    {
        if (!(q.Distinctness >= LeastDistinctness))
            yield return FormattableString.Invariant(
                $"the sections are hardly more alike than by chance ({q.Distinctness:0.0} deviations above wrong alignments)");
        if (q.Overlap < LeastOverlap)
            yield return FormattableString.Invariant($"only {q.Overlap:0%} of the source is covered by the target");
        if (q.Scale > LargestScale || q.Scale < 1 / LargestScale)
            yield return FormattableString.Invariant($"the target would be {q.Scale:0.00} times as large as expected");
        if (q.Stretch > LargestStretch)
            yield return FormattableString.Invariant($"the target would be stretched {q.Stretch:0.00} times more one way than the other");
        if (q.Folded > 0)
            yield return FormattableString.Invariant($"{q.Folded:0.00%} of the plane folds (Jacobian determinant {q.SmallestDeterminant:0.00})");
    }

    // The target turned about the source's centre and shifted.
    private static IEnumerable<AffineTransform> Wrong(AffineTransform map, int width, int height)
    {
        (double cx, double cy) = ((width - 1) / 2.0, (height - 1) / 2.0);
        foreach (double degrees in (double[])[0, 45, 90, 135, 180, 225, 270, 315])
        {
            for (int direction = 0; direction < 4; direction++)
            {
                double angle = (direction * Math.PI / 2) + (degrees * Math.PI / 360), far = 0.15 * Math.Max(width, height);
                yield return map.After(AffineTransform.Translation(far * Math.Cos(angle), far * Math.Sin(angle)))
                    .After(AffineTransform.Rotation(degrees * Math.PI / 180, cx, cy));
            }
        }
    }

    private static (Tensor U, Tensor V) Positions(AffineTransform map, DisplacementField? field, int width, int height)
    {
        (Tensor u, Tensor v) = Warp.Positions(map, width, height);
        if (field is null) return (u, v);
        Tensor shifts = F.interpolate(field.ToTensor().unsqueeze(0), size: (height, width), mode: "bilinear")[0];
        return (u + shifts[0], v + shifts[1]);
    }

    // From the singular values of the linear part.
    private static (double Scale, double Stretch) ScaleAndStretch(AffineTransform t)
    {
        double sum = double.Hypot(t.Xx + t.Yy, t.Yx - t.Xy), difference = double.Hypot(t.Xx - t.Yy, t.Yx + t.Xy);
        double large = (sum + difference) / 2, small = Math.Abs(sum - difference) / 2;
        return (Math.Sqrt(large * small), large / Math.Max(small, 1e-9));
    }
}
