using System.Globalization;

namespace Tinctor.Viewer.Pixels;

/// <summary>
/// Region and size of a request by the IIIF Image API 3.0: level 1 of compliance, and of level 2 regions in percent, sizes in
/// percent and confined sizes. Images are not enlarged.
/// </summary>
/// <param name="X">Left edge of the region in pixels of the slide.</param>
/// <param name="Y">Upper edge of the region in pixels of the slide.</param>
/// <param name="Width">Width of the region in pixels of the slide.</param>
/// <param name="Height">Height of the region in pixels of the slide.</param>
/// <param name="OutputWidth">Width of the image in pixels.</param>
/// <param name="OutputHeight">Height of the image in pixels.</param>
internal readonly record struct IiifRequest(int X, int Y, int Width, int Height, int OutputWidth, int OutputHeight)
{
    /// <summary>Largest side of an image in pixels.</summary>
    public const int LargestSide = 4096;

    /// <summary>Side of the tiles that the server suggests.</summary>
    public const int TileSide = 512;

    /// <summary>Parses a request; null if it is malformed, outside of the slide or too large.</summary>
    /// <param name="width">Width of the slide in pixels.</param>
    /// <param name="height">Height of the slide in pixels.</param>
    /// <param name="region">full, square, x,y,w,h or pct:x,y,w,h.</param>
    /// <param name="size">max, w, or ,h or w,h or !w,h or pct:n.</param>
    public static IiifRequest? Parse(int width, int height, string region, string size)
    {
        if (RegionOf(width, height, region) is not { } area) return null;
        int x = Math.Max(0, area.X), y = Math.Max(0, area.Y);
        int right = (int)Math.Min(width, (long)area.X + area.Width), bottom = (int)Math.Min(height, (long)area.Y + area.Height);
        if (right <= x || bottom <= y || SizeOf(right - x, bottom - y, size) is not (int across, int down)) return null;
        bool fits = across is > 0 and <= LargestSide && down is > 0 and <= LargestSide && across <= right - x && down <= bottom - y;
        return fits ? new(x, y, right - x, bottom - y, across, down) : null;
    }

    private static (int X, int Y, int Width, int Height)? RegionOf(int width, int height, string region)
    {
        int side = Math.Min(width, height);
        if (region == "full") return (0, 0, width, height);
        if (region == "square") return ((width - side) / 2, (height - side) / 2, side, side);
        if (region.StartsWith("pct:", StringComparison.Ordinal))
        {
            return Numbers(region[4..], 4) is [double left, double top, double across, double down]
                ? (Share(left, width), Share(top, height), Share(across, width), Share(down, height)) : null;
        }
        return Wholes(region, 4) is [int x, int y, int w, int h] ? (x, y, w, h) : null;
    }

    private static (int Width, int Height)? SizeOf(int width, int height, string size)
    {
        if (size == "max") return Confined(width, height, LargestSide, LargestSide);
        if (size.StartsWith("pct:", StringComparison.Ordinal))
            return Numbers(size[4..], 1) is [> 0 and <= 100 and double percent]
                ? (Side(width * percent / 100), Side(height * percent / 100)) : null;
        if (size.StartsWith('!')) return Wholes(size[1..], 2) is [> 0 and int most, > 0 and int high]
            ? Confined(width, height, most, high) : null;
        if (size.EndsWith(',')) return Wholes(size[..^1], 1) is [int across] ? (across, Side((double)height * across / width)) : null;
        if (size.StartsWith(',')) return Wholes(size[1..], 1) is [int down] ? (Side((double)width * down / height), down) : null;
        return Wholes(size, 2) is [int w, int h] ? (w, h) : null;
    }

    private static (int, int) Confined(int width, int height, int most, int high)
    {
        double scale = Math.Min(1, Math.Min((double)most / width, (double)high / height));
        return (Side(width * scale), Side(height * scale));
    }

    private static int Share(double percent, int size) => (int)Math.Round(Math.Clamp(percent, 0, 100) * size / 100);

    private static int Side(double size) => (int)Math.Clamp(Math.Round(size), 1, int.MaxValue);

    private static int[]? Wholes(string text, int count)
    {
        string[] parts = text.Split(',');
        int[] values = [.. parts.Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : -1)];
        return values.Length == count && values.All(value => value >= 0) ? values : null;
    }

    private static double[]? Numbers(string text, int count)
    {
        string[] parts = text.Split(',');
        double[] values = [.. parts.Select(part =>
            double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) ? value : double.NaN)];
        return values.Length == count && values.All(double.IsFinite) ? values : null;
    }
}
