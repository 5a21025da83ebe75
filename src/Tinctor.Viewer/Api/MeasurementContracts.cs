using System.Text.Json;

namespace Tinctor.Viewer.Api;

/// <summary>
/// Picture to measure: a slide, and the model that stains it where it is measured; or a registration whose source is the slide of the
/// regions, for its target. All are identifiers.
/// </summary>
internal sealed record MeasuredPictureJson(string? Slide = null, string? Model = null, string? Registration = null);

/// <summary>
/// Least DAB optical densities: of positive pixels, and mean ones of weak (1+), moderate (2+) and strong (3+) cells, and of haematoxylin
/// and DAB of tissue; ring is the width around a nucleus in which its membrane is measured, in micrometres.
/// </summary>
internal sealed record ThresholdsJson(
    double Positive, double Weak, double Moderate, double Strong, double? Tissue = null, double? Ring = null);

/// <summary>
/// Measurement to carry out. Regions are a GeoJSON feature collection in pixels of the slide at full resolution; pictures show the same
/// tissue; compare holds two indices of pictures, whose difference is the first less the second. Mpp is in micrometres per pixel, for
/// slides that do not state it; nuclei are sought in both stains or in haematoxylin (membrane markers).
/// </summary>
internal sealed record MeasurementRequest(JsonElement Regions, IReadOnlyList<MeasuredPictureJson> Of, IReadOnlyList<int>? Compare = null,
    ThresholdsJson? Thresholds = null, string? Nuclei = null, double? Mpp = null, string? Classifier = null);

/// <summary>Definition of a value; the title holds no unit.</summary>
internal sealed record QuantityJson(string Key, string Title, string Unit, int Digits, string Definition);

/// <summary>Model by identifier and name.</summary>
internal sealed record NamedModelJson(string Id, string Name);

/// <summary>Probability of an IHC level.</summary>
internal sealed record LevelProbabilityJson(string Level, double Probability);

/// <summary>Most probable IHC level of a region, with the probabilities of all levels and the number of classified tiles.</summary>
internal sealed record RegionLevelJson(string Level, IReadOnlyList<LevelProbabilityJson> Probabilities, int Tiles);

/// <summary>Values of a region in one picture, by key; null where one is not defined.</summary>
internal sealed record PictureValuesJson(IReadOnlyDictionary<string, double?> Values, RegionLevelJson? Level);

/// <summary>Values of a region in all pictures, and their difference.</summary>
internal sealed record RegionValuesJson(string Id, string Name, string? Class, IReadOnlyList<PictureValuesJson> Pictures,
    IReadOnlyDictionary<string, double?>? Difference);

/// <summary>Picture that was measured.</summary>
internal sealed record PictureNameJson(string Slide, string? Model, string? Registration, string Name);

/// <summary>Values of a measurement, with all that is needed to repeat it. Mpp is in micrometres per measured pixel.</summary>
internal sealed record MeasurementResultJson(string Slide, string SlideName, string Version, bool ResearchUseOnly, double Mpp,
    bool HasPixelSize, ThresholdsJson Thresholds, string Nuclei, NamedModelJson? Classifier, IReadOnlyList<PictureNameJson> Pictures,
    IReadOnlyList<int>? Compare, IReadOnlyList<QuantityJson> Quantities, IReadOnlyList<RegionValuesJson> Regions,
    IReadOnlyList<string> Notes);

/// <summary>Measurement: queued, running, finished, failed or cancelled. Done and total are steps.</summary>
internal sealed record MeasurementJson(string Id, string State, int Done, int Total, string? Error, MeasurementResultJson? Result);

/// <summary>Defaults and limits of measurements; areas are in square millimetres. Mpp is in micrometres per pixel.</summary>
internal sealed record MeasurementDefaultsJson(ThresholdsJson Thresholds, double Mpp, IReadOnlyList<QuantityJson> Quantities,
    IReadOnlyList<NamedModelJson> Classifiers, int MostRegions, int MostCorners, int MostPictures, double LargestArea,
    double LargestStainedArea);
