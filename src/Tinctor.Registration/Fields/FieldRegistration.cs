using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Fields;

/// <summary>
/// Registration of two fields with one translation, rigid or affine transform: rotation search (rigid and affine), phase correlation at the
/// scales of cells and of layers, refinement by cross-correlation. Torn or stretched sections need nonrigid registration of the slides.
/// </summary>
public static class FieldRegistration
{
    private const int SearchSide = 192;
    private const double SearchStep = 1.5; // degrees
    private const double MaxRefinement = 0.5; // of the largest shift
    private const double FarMoveGain = 0.1; // gain in correlation required per move by the image's side; noise gains a little too
    private const double NotWorthResampling = 0.05; // pixels

    /// <summary>Estimates the transform from source to target pixels.</summary>
    /// <param name="source">Source image; it stays fixed.</param>
    /// <param name="target">Target image; may have another size.</param>
    /// <param name="options">Options.</param>
    /// <returns>
    /// The transform. Its similarity is the normalised cross-correlation over the overlap, never below the initial similarity.
    /// </returns>
    /// <exception cref="OptionException">An option is out of range, or the transform is nonrigid.</exception>
    /// <exception cref="TinctorException">Haematoxylin is requested of an image that is not brightfield.</exception>
    public static RegistrationTransform Estimate(Image source, Image target, RegistrationOptions options)
    {
        options.Validate();
        TransformModel model = Model(options);
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        var pair = new FieldImages(source, target, options.Channel);
        (Tensor a, Tensor b) = pair.Structures();
        double before = Correlation.Warped(a, b, AffineTransform.Identity);
        double largest = options.MaxShift * Math.Min(Math.Min(source.Width, source.Height), Math.Min(target.Width, target.Height));
        AffineTransform rotation = model == TransformModel.Translation ? AffineTransform.Identity
            : SearchRotation(a, b, options.MaxRotation, largest);
        (AffineTransform best, double after) = (AffineTransform.Identity, before);
        foreach (double scale in (double[])[PhaseCorrelation.Cells, PhaseCorrelation.Layers])
        {
            AffineTransform start = Shifted(a, b, rotation, largest, scale), refined = EccRefinement.Refine(a, b, start, model);
            AffineTransform found = refined.CornerDistance(start, source.Width, source.Height) <= MaxRefinement * Math.Max(largest, 1)
                ? refined : start;
            double ncc = Correlation.Warped(a, b, found);
            double moved = found.CornerDistance(rotation, source.Width, source.Height) / Math.Max(source.Width, source.Height);
            if (ncc > after && ncc > before + (FarMoveGain * moved)) (best, after) = (found, ncc);
        }
        var quality = new RegistrationQuality { Metric = SimilarityMetric.GlobalNcc, Similarity = after, InitialSimilarity = before };
        return new(ImageFrame.From(source), ImageFrame.From(target), Snapped(best, source.Width, source.Height), null, quality);
    }

    private static TransformModel Model(RegistrationOptions options) => options.Transform switch
    {
        TransformModel.Nonrigid => throw new OptionException(nameof(RegistrationOptions.Transform),
            "nonrigid registration is for slides, not for fields", "Use translation, rigid or affine"),
        null => TransformModel.Translation,
        { } model => model,
    };

    // Copying is better than resampling next to a translation by whole pixels.
    private static AffineTransform Snapped(AffineTransform transform, int width, int height)
    {
        (double u, double v) = transform.Apply(width / 2.0, height / 2.0);
        AffineTransform whole = AffineTransform.Translation(Math.Round(u - (width / 2.0)), Math.Round(v - (height / 2.0)));
        return transform.CornerDistance(whole, width, height) < NotWorthResampling ? whole : transform;
    }

    // The rotation with the translation that remains after it.
    private static AffineTransform Shifted(Tensor source, Tensor target, AffineTransform rotation, double largest, double scale)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor turned, Tensor mask) = rotation == AffineTransform.Identity ? (target, target)
            : Correlation.Resample(target, rotation, (int)source.size(3), (int)source.size(2));
        if (rotation != AffineTransform.Identity) turned = turned * mask;
        Shift shift = PhaseCorrelation.Estimate(source, turned, largest, scale);
        return rotation.After(AffineTransform.Translation(shift.X, shift.Y));
    }

    private static AffineTransform SearchRotation(Tensor source, Tensor target, double largestAngle, double largestShift)
    {
        using var scope = torch.NewDisposeScope();
        int factor = (int)Math.Max(1, Math.Max(source.size(2), source.size(3)) / SearchSide);
        Tensor a = F.avg_pool2d(source, factor), b = F.avg_pool2d(target, factor);
        (double cx, double cy) = ((a.size(3) - 1) / 2.0, (a.size(2) - 1) / 2.0);
        int steps = (int)Math.Floor(largestAngle / SearchStep);
        (AffineTransform best, double bestNcc) = (AffineTransform.Identity, double.NegativeInfinity);
        for (int step = -steps; step <= steps; step++)
        {
            AffineTransform rotation = AffineTransform.Rotation(step * SearchStep * Math.PI / 180, cx, cy);
            double ncc = Correlation.Warped(a, b, Shifted(a, b, rotation, largestShift / factor, PhaseCorrelation.Cells));
            if (ncc > bestNcc) (best, bestNcc) = (rotation, ncc);
        }
        return best.Enlarged(factor);
    }
}
