namespace Tinctor.Slides;

/// <summary>A channel of fluorescence: what it is called, and how viewers are to show it.</summary>
/// <param name="Name">DAPI, for instance; empty where nothing tells it.</param>
public sealed record SlideChannel(string Name)
{
    // What an empty channel holds is noise, and should look so: no range is narrower than this share of what samples can be.
    private const double NarrowestRange = 0.01, DarkestShare = 0.001;

    private static readonly (string[] Names, int Colour)[] Fluorophores =
    [
        (["dapi", "hoechst"], 0x0000FF), (["fitc", "gfp", "488"], 0x00FF00), (["tritc", "cy3", "txred", "texas", "rfp", "594"], 0xFF0000),
        (["cy5", "647"], 0xFF00FF),
    ];

    /// <summary>Red, green and blue as 0xRRGGBB; null leaves it to the viewer.</summary>
    public int? Colour { get; init; } = ColourOf(Name);

    /// <summary>The samples that are shown black, and in full colour; null where nothing tells them.</summary>
    public (double Low, double High)? Display { get; init; }

    /// <summary>Whether the file gives neither a name nor a colour.</summary>
    internal bool IsUnnamed => Name.Length == 0 && Colour is null;

    /// <summary>
    /// Channels with a range where they have none: all but a thousandth of an overview's samples at either end, and never less than a
    /// hundredth of what samples can be, so that an empty channel stays dark.
    /// </summary>
    /// <param name="channels">Names, as far as they are known; empty for none.</param>
    /// <param name="overview">The slide, made small.</param>
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
