namespace Tinctor.Slides;

/// <summary>Channel of a fluorescence slide: its name, its colour and range in viewers, and its exposure.</summary>
/// <param name="Name">Name, such as DAPI; empty if unknown.</param>
public sealed record SlideChannel(string Name)
{
    // Empty channels hold noise and should look dark: no range is narrower than this share of the range of samples.
    private const double NarrowestRange = 0.01, DarkestShare = 0.001;

    private static readonly (string[] Names, int Colour)[] Fluorophores =
    [
        (["dapi", "hoechst"], 0x0000FF), (["fitc", "gfp", "488"], 0x00FF00), (["tritc", "cy3", "txred", "texas", "rfp", "594"], 0xFF0000),
        (["cy5", "647"], 0xFF00FF),
    ];

    /// <summary>Colour as 0xRRGGBB, by default that of a known fluorophore in the name; null if unknown.</summary>
    public int? Colour { get; init; } = ColourOf(Name);

    /// <summary>Samples that are shown black and in full colour; null if unknown.</summary>
    public (double Low, double High)? Display { get; init; }

    /// <summary>Exposure time in milliseconds; null if unknown.</summary>
    public double? Exposure { get; init; }

    /// <summary>Whether the file gives neither a name nor a colour.</summary>
    internal bool IsUnnamed => Name.Length == 0 && Colour is null;

    /// <summary>
    /// Completes missing display ranges from an overview: from the 0.1 to the 99.9 percentile, at least a hundredth of the range of
    /// samples, so that empty channels stay dark.
    /// </summary>
    /// <param name="channels">Known channels, or none.</param>
    /// <param name="overview">Reduced image of the slide.</param>
    public static IReadOnlyList<SlideChannel> WithRanges(IReadOnlyList<SlideChannel> channels, Image overview) =>
        [.. Enumerable.Range(0, overview.Channels).Select(c =>
        {
            SlideChannel channel = c < channels.Count ? channels[c] : new("");
            return channel.Display is null ? channel with { Display = RangeOf(overview, c) } : channel;
        })];

    private static (double Low, double High) RangeOf(Image overview, int channel)
    {
        float[] samples = overview.Samples(channel);
        Array.Sort(samples);
        int few = (int)(samples.Length * DarkestShare);
        return (samples[few], Math.Max(samples[^(few + 1)], samples[few] + (NarrowestRange * overview.Largest)));
    }

    private static int? ColourOf(string name)
    {
        foreach ((string[] names, int colour) in Fluorophores)
            if (names.Any(known => name.Contains(known, StringComparison.OrdinalIgnoreCase))) return colour;
        return null;
    }
}
