namespace Tinctor.Transforms;

/// <summary>Checks of a transform that need no pixels: overlap, scale, stretch and folds.</summary>
internal static class GeometryCheck
{
    private const int Positions = 64; // along each side of the source

    /// <summary>Computes the geometric quality of a transform between slides or images at level 0.</summary>
    /// <param name="transform">Transform; its quality is not used.</param>
    public static RegistrationQuality Measure(RegistrationTransform transform)
    {
        (double scale, double stretch) = ScaleAndStretch(transform.Affine);
        (double smallest, double folded) = transform.Displacement?.Determinants(transform.Affine) ?? (1, 0);
        var quality = new RegistrationQuality
        {
            Metric = transform.Quality.Metric,
            Similarity = double.NaN,
            Overlap = Overlap(transform),
            Scale = scale / transform.Source.ExpectedScale(transform.Target),
            Stretch = stretch,
            SmallestDeterminant = smallest,
            Folded = folded,
        };
        return quality with { Reasons = [.. Reasons(quality)] };
    }

    /// <summary>Gets the reasons to reject a transform by its overlap, scale, stretch and folds.</summary>
    public static IEnumerable<string> Reasons(RegistrationQuality q)
    {
        const double overlap = RegistrationQuality.MinOverlap, scale = RegistrationQuality.MaxScale;
        const double stretch = RegistrationQuality.MaxStretch;
        static string Text(FormattableString text) => FormattableString.Invariant(text);
        if (q.Overlap < overlap)
            yield return Text($"the target covers only {q.Overlap:0%} of the source's tissue, but must cover {overlap:0%}");
        if (q.Scale > scale || q.Scale < 1 / scale)
            yield return Text($"the scale is {q.Scale:0.00}, but must be {1 / scale:0.00} to {scale:0.00}");
        if (q.Stretch > stretch)
            yield return Text($"the stretch is {q.Stretch:0.00}, but must be at most {stretch:0.00}");
        if (q.Folded > 0)
            yield return Text($"{q.Folded:0.00%} of the plane folds (Jacobian determinant {q.SmallestDeterminant:0.00})");
    }

    /// <summary>Computes the geometric mean and the ratio of the singular values of the linear part.</summary>
    public static (double Scale, double Stretch) ScaleAndStretch(AffineTransform t)
    {
        double sum = double.Hypot(t.Xx + t.Yy, t.Yx - t.Xy), difference = double.Hypot(t.Xx - t.Yy, t.Yx + t.Xy);
        double large = (sum + difference) / 2, small = Math.Abs(sum - difference) / 2;
        return (Math.Sqrt(large * small), large / Math.Max(small, 1e-9));
    }

    private static double Overlap(RegistrationTransform transform)
    {
        int inside = 0;
        for (int i = 0; i < Positions * Positions; i++)
        {
            (double u, double v) = transform.Apply(((i % Positions) + 0.5) / Positions * transform.Source.Width,
                ((i / Positions) + 0.5) / Positions * transform.Source.Height);
            if (u >= 0 && v >= 0 && u <= transform.Target.Width - 1 && v <= transform.Target.Height - 1) inside++;
        }
        return inside / (double)(Positions * Positions);
    }
}
