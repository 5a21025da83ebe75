using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Registration;

/// <summary>How two images are registered.</summary>
public sealed record RegistrationOptions
{
    /// <summary>What may change.</summary>
    public TransformKind Transform { get; init; } = TransformKind.Translation;

    /// <summary>What is compared.</summary>
    public StructureChannel Channel { get; init; } = StructureChannel.Grey;

    /// <summary>The largest shift along an axis, as a share of the image's side: 0 to 0.5.</summary>
    public double MaxShift { get; init; } = 0.25;

    /// <summary>The largest rotation in degrees that is searched for (not for translations): 0 to 180.</summary>
    public double MaxRotation { get; init; } = 12;

    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        if (!(MaxShift is >= 0 and <= 0.5)) throw new ArgumentException($"largest shift {MaxShift}: must be 0 to 0.5 of the image's side");
        if (!(MaxRotation is >= 0 and <= 180)) throw new ArgumentException($"largest rotation {MaxRotation}: must be 0 to 180 degrees");
    }
}

/// <summary>What a registration found.</summary>
/// <param name="Transform">From source to target pixels.</param>
/// <param name="NccBefore">Normalised cross-correlation of the two structure images as they are.</param>
/// <param name="NccAfter">The same, with the target warped, where both are. Never below <paramref name="NccBefore"/>.</param>
public sealed record RegistrationResult(AffineTransform Transform, double NccBefore, double NccAfter);

/// <summary>
/// Registers two images: a rotation search (rigid and affine), phase correlation of cells and of layers, refinement by cross-correlation.
/// One transform for the whole image; sections that were torn or stretched need a non-rigid registration.
/// </summary>
public static class ImageRegistration
{
    private const int SearchSide = 192;
    private const double SearchStep = 1.5; // degrees
    private const double MaxRefinement = 0.5; // of the largest shift
    private const double FarMoveGain = 0.1; // the correlation that a move by the image's side must win: noise wins a little too
    private const double NotWorthResampling = 0.05; // pixels

    /// <summary>Finds where the source's pixels are in the target.</summary>
    /// <exception cref="TinctorException">The images do not have the channels that the options ask for.</exception>
    public static RegistrationResult Estimate(Image source, Image target, RegistrationOptions options)
    {
        options.Validate();
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        Tensor a = StructureImage.Of(source, options.Channel), b = StructureImage.Of(target, options.Channel);
        double before = Correlation.Masked(a, b, AffineTransform.Identity);
        double largest = options.MaxShift * Math.Min(Math.Min(source.Width, source.Height), Math.Min(target.Width, target.Height));
        AffineTransform rotation = options.Transform == TransformKind.Translation ? AffineTransform.Identity
            : SearchRotation(a, b, options.MaxRotation, largest);
        (AffineTransform best, double after) = (AffineTransform.Identity, before);
        foreach (double scale in (double[])[PhaseCorrelation.Cells, PhaseCorrelation.Layers])
        {
            AffineTransform start = Shifted(a, b, rotation, largest, scale), refined = EccRefinement.Refine(a, b, start, options.Transform);
            AffineTransform found = refined.CornerDistance(start, source.Width, source.Height) <= MaxRefinement * Math.Max(largest, 1)
                ? refined : start;
            double ncc = Correlation.Masked(a, b, found);
            double moved = found.CornerDistance(rotation, source.Width, source.Height) / Math.Max(source.Width, source.Height);
            if (ncc > after && ncc > before + (FarMoveGain * moved)) (best, after) = (found, ncc);
        }
        return new(Snapped(best, source.Width, source.Height), before, after);
    }

    // Next to a shift by whole pixels, copying is better than resampling.
    private static AffineTransform Snapped(AffineTransform transform, int width, int height)
    {
        (double u, double v) = transform.Apply(width / 2.0, height / 2.0);
        AffineTransform whole = AffineTransform.Translation(Math.Round(u - (width / 2.0)), Math.Round(v - (height / 2.0)));
        return transform.CornerDistance(whole, width, height) < NotWorthResampling ? whole : transform;
    }

    // What is left to shift once the target is turned.
    private static AffineTransform Shifted(Tensor source, Tensor target, AffineTransform rotation, double largest, double scale)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor turned, Tensor mask) = rotation == AffineTransform.Identity ? (target, target)
            : Correlation.Warped(target, rotation, (int)source.size(3), (int)source.size(2));
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
            double ncc = Correlation.Masked(a, b, Shifted(a, b, rotation, largestShift / factor, PhaseCorrelation.Cells));
            if (ncc > bestNcc) (best, bestNcc) = (rotation, ncc);
        }
        return best.Enlarged(factor);
    }
}
