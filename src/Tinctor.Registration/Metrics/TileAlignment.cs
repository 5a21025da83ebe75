using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Metrics;

/// <summary>Residual misalignment of a pair of tiles.</summary>
/// <param name="Ncc">Normalised cross-correlation of their structure, -1 to 1.</param>
/// <param name="Residual">
/// Residual translation in pixels, by phase correlation; at most an eighth of the shorter side along an axis.
/// </param>
/// <param name="IsCertain">
/// Whether the correlation peak is above that of unrelated images, and the translation does not lower the correlation.
/// </param>
/// <param name="Gain">Increase of the correlation by the translation.</param>
internal readonly record struct TileAlignment(double Ncc, double Residual, bool IsCertain, double Gain)
{
    private const double MinGain = 0.1; // straight edges and unrelated cells have high peaks too, but gain less
    private const double Subpixel = 1; // interpolation alone may lower the correlation a little

    /// <summary>Measures two structure images [1, 1, H, W].</summary>
    public static TileAlignment Measure(Tensor source, Tensor target)
    {
        long side = Math.Min(source.size(2), source.size(3));
        Shift rest = PhaseCorrelation.Estimate(source, target, side / 8.0);
        double residual = double.Hypot(rest.X, rest.Y), ncc = Correlation.Compute(source, target);
        if (rest.Peak < PhaseCorrelation.Chance(side)) return new(ncc, residual, false, 0);
        double gain = Correlation.Warped(source, target, AffineTransform.Translation(rest.X, rest.Y)) - ncc;
        return new(ncc, residual, residual < Subpixel || gain >= 0, gain);
    }

    /// <summary>Whether the tiles are misaligned by more than a limit in pixels.</summary>
    public bool IsMisaligned(double limit) => IsCertain && Residual > limit && Gain >= MinGain;

    /// <summary>Measures two images of the same size.</summary>
    /// <exception cref="TinctorException">Haematoxylin is requested of an image that is not brightfield.</exception>
    public static TileAlignment Measure(Image source, Image target, StructureChannel channel, Modality sourceModality,
        Modality targetModality)
    {
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        return Measure(StructureImage.Create(source, channel, sourceModality), StructureImage.Create(target, channel, targetModality));
    }
}
