using Tinctor.Measurement.Ihc;

namespace Tinctor.Measurement.Regions;

/// <summary>Quantities of a region: areas, numbers, and the IHC quantities of images.</summary>
internal static class RegionQuantities
{
    /// <summary>Gets the quantities; values are NaN where they are not defined.</summary>
    /// <param name="settings">Thresholds, for the definitions.</param>
    /// <param name="downsample">Pixels of the picture per measured pixel; for areas in pixels.</param>
    /// <param name="hasPixelSize">Whether the picture states its pixel size; areas are in its pixels otherwise.</param>
    public static IReadOnlyList<(Quantity Quantity, Func<IhcCounts, double> Value)> All(
        IhcSettings settings, double downsample, bool hasPixelSize)
    {
        (string unit, int digits, double pixel) = hasPixelSize ? ("mm²", 4, settings.Mpp * settings.Mpp / 1e6)
            : ("px²", 0, downsample * downsample);
        double squareMillimetre = hasPixelSize ? 1 : pixel / (settings.Mpp * settings.Mpp / 1e6);
        IReadOnlyList<(Quantity Quantity, Func<IhcCounts, double> Value)> ofImages = IhcCounts.Quantities(settings);
        Quantity Of(string key) => ofImages.Single(each => each.Quantity.Key == key).Quantity;
        return
        [
            (new("area", "Area", unit, digits, "area of the polygons without their holes"), c => c.Area * squareMillimetre),
            (new("tissue_area", "Tissue", unit, digits,
                FormattableString.Invariant($"pixels with haematoxylin + DAB density of at least {settings.TissueDensity:0.###}")),
                c => c.Tissue * pixel),
            (new("dab_positive_area", "DAB-positive area", unit, digits, Of("dab_area").Definition), c => c.Positive * pixel),
            .. ofImages.TakeWhile(each => each.Quantity.Key != "positive_nuclei").Select(Share),
            (new("nuclei", "Nuclei", "", 0, "nuclei whose centroids lie in the region"), c => c.Nuclei),
            (Of("nuclei_density") with { Title = "Nuclei by area", Definition = "nuclei by area of the region" },
                c => hasPixelSize ? c.Nuclei / c.Area : double.NaN),
            .. ofImages.SkipWhile(each => each.Quantity.Key != "positive_nuclei").Where(each => each.Quantity.Key != "nuclei_density"),
        ];

        static (Quantity, Func<IhcCounts, double>) Share((Quantity Quantity, Func<IhcCounts, double> Value) each) =>
            each.Quantity.Key == "dab_area" ? (each.Quantity with { Title = "DAB-positive share" }, each.Value) : each;
    }
}
