using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Registration;

/// <summary>How well two tiles fit that ought to show the same.</summary>
/// <param name="Ncc">Normalised cross-correlation of their structure, -1 to 1.</param>
/// <param name="Residual">Pixels by which the second is still shifted, by phase correlation; at most an eighth of the shorter side along an axis.</param>
/// <param name="IsCertain">Whether the correlation's peak is higher than chance makes it: else the residual says nothing.</param>
internal readonly record struct TileAlignment(double Ncc, double Residual, bool IsCertain)
{
    /// <summary>Of two structure images [1, 1, H, W].</summary>
    public static TileAlignment Of(Tensor a, Tensor b)
    {
        long side = Math.Min(a.size(2), a.size(3));
        Shift rest = PhaseCorrelation.Estimate(a, b, side / 8.0);
        return new(Correlation.Of(a, b), double.Hypot(rest.X, rest.Y), rest.Peak >= PhaseCorrelation.Chance(side));
    }

    /// <summary>Of two images of one size.</summary>
    /// <exception cref="TinctorException">The images do not have the channels that are asked for.</exception>
    public static TileAlignment Of(Image a, Image b, StructureChannel channel)
    {
        using var scope = torch.NewDisposeScope();
        using var inference = torch.inference_mode();
        return Of(StructureImage.Of(a, channel), StructureImage.Of(b, channel));
    }
}
