using Tinctor.Slides;

namespace Tinctor.Measurement.Ihc;

/// <summary>Thresholds of IHC quantification. Densities are decimal optical densities of DAB after colour deconvolution.</summary>
public sealed record IhcSettings
{
    /// <summary>A pixel is DAB-positive from here on.</summary>
    public double PositiveDensity { get; init; } = 0.15;

    /// <summary>A cell is weakly stained (1+), and a nucleus positive, from this mean density on; QuPath's default.</summary>
    public double Weak { get; init; } = 0.2;

    /// <summary>A cell is moderately stained (2+) from here on.</summary>
    public double Moderate { get; init; } = 0.4;

    /// <summary>A cell is strongly stained (3+) from here on.</summary>
    public double Strong { get; init; } = 0.6;

    /// <summary>
    /// A pixel is tissue where haematoxylin and DAB together have at least this density; background and lumens have less.
    /// </summary>
    public double TissueDensity { get; init; } = Background.IhcTissueDensity;

    /// <summary>Width of the ring around a nucleus that contains its membrane, in micrometres.</summary>
    public double Ring { get; init; } = 3;

    /// <summary>Micrometres per pixel.</summary>
    public double Mpp { get; init; } = PixelSize.Default;

    /// <summary>Throws an ArgumentException for values that do not fit.</summary>
    public void Validate()
    {
        if (!(Weak > 0 && Moderate > Weak && Strong > Moderate))
            throw new ArgumentException($"thresholds {Weak}, {Moderate}, {Strong}: must be above 0 and rise");
        if (!(PositiveDensity > 0)) throw new ArgumentException($"a DAB threshold of {PositiveDensity}: must be above 0");
        if (!(Mpp is > 0.02 and < 20)) throw new ArgumentException($"{Mpp} um per pixel: must be 0.02 to 20");
        if (!(Ring > 0)) throw new ArgumentException($"a ring of {Ring} um: must be above 0");
    }
}
