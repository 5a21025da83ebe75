using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Levels;
using Tinctor.Measurement.Regions;

namespace Tinctor.Viewer.Measurements;

/// <summary>Measured values of a region in one picture.</summary>
/// <param name="Values">Values by the key of their quantity; NaN where one is not defined.</param>
/// <param name="Level">IHC level; null without a classifier, or without tissue.</param>
internal sealed record PictureValues(IReadOnlyDictionary<string, double> Values, RegionLevel? Level);

/// <summary>Measured values of a region.</summary>
/// <param name="Region">The region.</param>
/// <param name="Pictures">Values in each picture.</param>
internal sealed record RegionValues(MeasuredRegion Region, IReadOnlyList<PictureValues> Pictures);

/// <summary>Values of all regions.</summary>
/// <param name="Settings">Thresholds, and micrometres per measured pixel.</param>
/// <param name="HasPixelSize">Whether the slide states its pixel size, or it was given.</param>
/// <param name="Quantities">Definitions of the values.</param>
/// <param name="Regions">The values.</param>
/// <param name="Notes">Properties of the slides that limit the values.</param>
internal sealed record MeasurementResult(IhcSettings Settings, bool HasPixelSize, IReadOnlyList<Quantity> Quantities,
    IReadOnlyList<RegionValues> Regions, IReadOnlyList<string> Notes);
