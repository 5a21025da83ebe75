using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Measurement of the quality of a transform, and the reasons to reject it.</summary>
internal static class QualityCheck
{
    private const int Side = 256, Window = 15;

    public static RegistrationQuality Measure(Tensor source, Tensor target, Tensor tissue, AffineTransform affine, DisplacementField? field,
        SimilarityMetric metric)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        (Tensor a, Tensor b) = Resolutions.Reduce(source, target, Side);
        AffineTransform down = Resolutions.Scaling(source, a), downTarget = Resolutions.Scaling(target, b);
        AffineTransform map = affine.Rescaled(down, downTarget);
        double Similarity(AffineTransform transform) => AffineRefinement.Measure(a, b, transform, metric, Window);
        double aligned = Similarity(map);
        double[] wrong = [.. Wrong(map, (int)a.size(3), (int)a.size(2)).Select(Similarity)];
        double chance = wrong.Average(), spread = Math.Sqrt(wrong.Average(value => (value - chance) * (value - chance)));
        (Tensor warped, Tensor inside) = Warp.Sample(b, Positions(a, b, map, field?.Rescaled(down, downTarget)));
        Tensor covered = F.interpolate(tissue, size: (a.size(2), a.size(3)), mode: "bilinear");
        (double scale, double stretch) = GeometryCheck.ScaleAndStretch(affine);
        (double smallest, double folded) = field?.Determinants(affine) ?? (1, 0);
        var quality = new RegistrationQuality
        {
            Metric = metric,
            Similarity = SimilarityMetrics.Compute(metric, a, warped, inside, Window).item(),
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

    private static IEnumerable<string> Reasons(RegistrationQuality q)
    {
        const double least = RegistrationQuality.MinDistinctness;
        static string Text(FormattableString text) => FormattableString.Invariant(text);
        if (!(q.Distinctness >= least))
            yield return Text($"the similarity is hardly above chance ({q.Distinctness:0.0} standard deviations above wrong alignments, ")
                + Text($"at least {least} expected)");
        foreach (string reason in GeometryCheck.Reasons(q)) yield return reason;
    }

    // Wrong alignments: the target rotated about the source's centre and shifted.
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

    private static Tensor Positions(Tensor source, Tensor target, AffineTransform map, DisplacementField? field)
    {
        Tensor positions = Warp.Positions(map, target, source.size(3), source.size(2));
        if (field is null) return positions;
        AffineTransform toGrid = Warp.ToGrid(target);
        Tensor shifts = F.interpolate(field.ToTensor().unsqueeze(0), size: (source.size(2), source.size(3)), mode: "bilinear");
        return positions + (shifts * torch.tensor([(float)toGrid.Xx, (float)toGrid.Yy], 2, 1, 1));
    }
}
