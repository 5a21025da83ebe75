using System.Globalization;
using Tinctor.Slides;

namespace Tinctor.Viewer.Pixels;

/// <summary>Channels of a request: INDEX:RRGGBB:LOW:HIGH:GAMMA for each, separated by commas; empty for a black picture.</summary>
internal static class ChannelRequest
{
    private const int LongestText = 4000;
    private const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
    private const double SmallestGamma = 0.1, LargestGamma = 10, LargestSample = 1e6;

    /// <summary>Parses a request; null if it is malformed.</summary>
    /// <param name="text">The channels; gamma can be left out.</param>
    /// <param name="count">Number of channels of the slide.</param>
    public static IReadOnlyList<ShownChannel>? Parse(string text, int count)
    {
        if (text.Length > LongestText || count == 0) return null;
        if (text.Length == 0) return [];
        var channels = new List<ShownChannel>();
        foreach (string entry in text.Split(','))
        {
            if (Channel(entry.Split(':')) is not { } channel || channel.Index >= count || channels.Exists(c => c.Index == channel.Index))
                return null;
            channels.Add(channel);
        }
        return channels;
    }

    private static ShownChannel? Channel(string[] parts)
    {
        if (parts is not [var index, { Length: 6 } colour, var low, var high, ..] || parts.Length > 5) return null;
        if (!int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || !int.TryParse(colour, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int rgb)
            || Number(low) is not { } black || Number(high) is not { } full || !(black < full)) return null;
        double gamma = parts.Length == 5 ? Number(parts[4]) ?? 0 : 1;
        return gamma is >= SmallestGamma and <= LargestGamma ? new(number, rgb, black, full, gamma) : null;
    }

    private static double? Number(string text) =>
        double.TryParse(text, Plain, CultureInfo.InvariantCulture, out double value) && Math.Abs(value) <= LargestSample ? value : null;
}
