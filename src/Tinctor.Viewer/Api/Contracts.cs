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
/// Channel of a slide; the colour is #rrggbb. Low and high are the samples that are shown black and in full colour, autoLow and autoHigh such
/// a range by the overview; most is the largest sample.
/// </summary>
internal sealed record ChannelJson(string Name, string Color, double Low, double High, double AutoLow, double AutoHigh, int Most);

/// <summary>Result of staining a slide. The identifier is that of a slide; the kind is stained, variation or novelty.</summary>
internal sealed record ResultJson(string Id, string Name, string? Model, string Kind, bool Complete);

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

    public required string? Error { get; init; }

    /// <summary>Metadata of the file; null in lists.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
