namespace Tinctor.Viewer.Api;

/// <summary>Slide of a registration.</summary>
internal sealed record RegisteredSlideJson(string Id, string Name, int Width, int Height, double? Mpp);

/// <summary>Quality of a transform; numbers that were not measured are null.</summary>
internal sealed record RegistrationQualityJson(double? Similarity, double? Distinctness, double? Overlap, double? Scale, double? Stretch,
    double? SmallestDeterminant, double? Folded);

/// <summary>Whether slides can be registered automatically, which needs libtorch.</summary>
internal sealed record AutomaticJson(bool IsAvailable);

/// <summary>Pair of landmarks: column and row in the source and in the target, in level-0 pixels, whole numbers at pixel centres.</summary>
internal sealed record LandmarkPairJson(IReadOnlyList<double> Source, IReadOnlyList<double> Target);

/// <summary>
/// Landmarks, and the target registration error of each pair under the present transform, in target pixels; the median is null without
/// landmarks.
/// </summary>
internal sealed record LandmarksJson(IReadOnlyList<LandmarkPairJson> Pairs, IReadOnlyList<double>? Errors = null,
    double? MedianError = null);

/// <summary>Landmarks as the text of two CSV files with the columns X and Y.</summary>
internal sealed record LandmarkImport(string Source, string Target);

/// <summary>Verdict on a registration, with the name of the person.</summary>
internal sealed record ReviewRequest(string? By = null);

/// <summary>
/// Fit to landmarks; the stored ones if none are given. The model is rigid, similarity, affine, nonrigid or correction.
/// </summary>
internal sealed record RefitRequest(string Model, IReadOnlyList<LandmarkPairJson>? Landmarks = null, string? By = null);

/// <summary>Fit to landmarks that is not saved. Errors are in target pixels; without left-out pairs they are null.</summary>
internal sealed record RefitJson(string Preview, IReadOnlyList<double> Errors, double MedianError, IReadOnlyList<double>? LeaveOneOut,
    double? MedianLeaveOneOut, RegistrationQualityJson Quality, bool Passed, IReadOnlyList<string> Reasons);

/// <summary>New registration of two slides: automatic, or by hand from the pixel sizes.</summary>
internal sealed record RegistrationRequest(string Source, string Target, bool Automatic = false);

/// <summary>Positions to map from source to target, or back; a preview is that of a fit.</summary>
internal sealed record MapRequest(IReadOnlyList<IReadOnlyList<double>> Points, bool Inverse = false, string? Preview = null);

/// <summary>
/// Registration. The state is queued, running, failed, manual, automatic, accepted, corrected or rejected; done is the completed share of
/// a running one. The file is the present transform, null until there is one.
/// </summary>
internal sealed record RegistrationJson
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required RegisteredSlideJson Source { get; init; }

    public required RegisteredSlideJson Target { get; init; }

    public required string State { get; init; }

    public double Done { get; init; }

    public string? Error { get; init; }

    public bool Usable { get; init; }

    public bool Passed { get; init; }

    public IReadOnlyList<string> Reasons { get; init; } = [];

    public RegistrationQualityJson? Quality { get; init; }

    public bool Nonrigid { get; init; }

    public IReadOnlyList<string> Layers { get; init; } = [];

    public string? ReviewedBy { get; init; }

    public DateTime? ReviewedAt { get; init; }

    public int Landmarks { get; init; }

    public double? MedianTre { get; init; }

    public double? MedianLeaveOneOut { get; init; }

    public string? File { get; init; }

    public string? SourceFile { get; init; }

    public string? TargetFile { get; init; }
}
