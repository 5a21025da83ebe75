using System.Reflection;

namespace Tinctor.Viewer.Api;

/// <summary>Program that serves.</summary>
internal sealed record InfoJson(string Name, string Version, bool ResearchUseOnly)
{
    /// <summary>This program.</summary>
    public static InfoJson OfProgram { get; } = new("Tinctor", typeof(InfoJson).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0], ResearchUseOnly: true);
}

/// <summary>Part of a list.</summary>
internal sealed record PageJson<T>(int Total, IReadOnlyList<T> Items);

/// <summary>
/// Channel of a slide; the colour is #rrggbb. Low and high are the samples that are shown black and in full colour, autoLow and autoHigh
/// such a range by the overview; most is the largest sample.
/// </summary>
internal sealed record ChannelJson(string Name, string Color, double Low, double High, double AutoLow, double AutoHigh, int Most);

/// <summary>Result of staining a slide. The identifier is that of a slide; the kind is stained, variation or novelty.</summary>
internal sealed record ResultJson(string Id, string Name, string? Model, string Kind, bool Complete);

/// <summary>Range of uncertainty with its colour, #rrggbb; null if it is transparent.</summary>
internal sealed record BandJson(string Name, string? Color);

/// <summary>Layer of an uncertainty slide, which lies over the stained slide: variation or novelty.</summary>
internal sealed record OverlayJson(string Name, IReadOnlyList<BandJson> Bands);

/// <summary>
/// Staining of a stained slide by its report: model, visibility of tile borders (1 is invisible), Pearson's correlation of haematoxylin
/// with the source, change of the background in Delta E, IHC level with its probability, and share of the source that is unlike the
/// training images; null for values that the report does not have. Uncertainty is the identifier of the uncertainty slide, and report
/// the address of the page about the slide; each is null if there is none.
/// </summary>
internal sealed record StainingJson(string? Model, double? SeamScore, double? HaematoxylinCorrelation, double? BackgroundDrift,
    string? IhcLevel, double? IhcLevelProbability, double? NoveltyShare, bool? UnlikeTraining, string? Uncertainty, string? Report);

/// <summary>
/// Slide. Sizes are in pixels, mpp in micrometres per pixel, bytes that of the files.
/// The error is set if it cannot be read.
/// </summary>
internal record SlideJson
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Folder { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required double? Mpp { get; init; }

    public required double? Magnification { get; init; }

    public required int Levels { get; init; }

    public required string Format { get; init; }

    public required long Bytes { get; init; }

    public required DateTime Modified { get; init; }

    /// <summary>Channels of fluorescence and grey slides; empty for brightfield.</summary>
    public required IReadOnlyList<ChannelJson> Channels { get; init; }

    public required bool IsFluorescence { get; init; }

    public required IReadOnlyList<ResultJson> Results { get; init; }

    public required IReadOnlyList<string> Associated { get; init; }

    public required IReadOnlyList<string> Layers { get; init; }

    /// <summary>Layers of an uncertainty slide; empty for others.</summary>
    public required IReadOnlyList<OverlayJson> Overlays { get; init; }

    /// <summary>Staining of a stained slide; null for others.</summary>
    public required StainingJson? Staining { get; init; }

    public required string? Error { get; init; }

    /// <summary>Metadata of the file; null in lists.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
