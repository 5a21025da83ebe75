namespace Tinctor.Slides;

public sealed partial class Image
{
    private const double WhiteQuantile = 0.998;
    private const float DarkestWhite = 0.5f;

    /// <summary>
    /// Modality of an image without metadata: three channels are brightfield and one channel is grey, unless more than half of the pixels
    /// are below a quarter of the range in every channel; dark images, and those of two, four or more channels, are fluorescence.
    /// </summary>
    public Modality EstimateModality() => Channels is not (1 or 3) || IsMostlyDark ? Modality.Fluorescence
        : Channels == 3 ? Modality.Brightfield : Modality.Grey;

    /// <summary>Whether more than half of the pixels are below a quarter of the range in every channel.</summary>
    internal bool IsMostlyDark
    {
        get
        {
            // Even dark stains are bright in one of red, green and blue.
            float[][] channels = [.. Enumerable.Range(0, Channels).Select(Samples)];
            int dark = Enumerable.Range(0, channels[0].Length)
                .Count(i => channels.Max(samples => samples[i]) < Background.DarkestBrightness * Largest);
            return dark > channels[0].Length / 2;
        }
    }

    /// <summary>
    /// Converts the image to an 8-bit RGB picture for display: three channels as they are, others as their mean in grey; dark images
    /// (fluorescence) are stretched so that all but the brightest 0.2 % of the samples fit.
    /// </summary>
    public Image ToDisplay()
    {
        int size = Width * Height;
        var planes = new float[size * Channels];
        CopyTo(planes);
        var rgb = new float[3 * size];
        for (int i = 0; i < planes.Length; i++)
        {
            if (Channels == 3) rgb[i] = planes[i];
            else rgb[i % size] += planes[i] / Channels;
        }
        if (Channels != 3)
            for (int channel = 1; channel < 3; channel++) rgb.AsSpan(0, size).CopyTo(rgb.AsSpan(channel * size));
        float[] sorted = [.. rgb];
        Array.Sort(sorted);
        float white = sorted[(int)(WhiteQuantile * (sorted.Length - 1))];
        if (white is > 0 and < DarkestWhite)
            for (int i = 0; i < rgb.Length; i++) rgb[i] /= white;
        var picture = new Image(Width, Height, 3);
        picture.CopyFrom(rgb);
        return picture;
    }

    /// <summary>
    /// Merges channels into an 8-bit RGB picture: each is scaled to its display range and added in its colour, white if it has none.
    /// </summary>
    /// <param name="channels">
    /// Names, colours and ranges, one for each channel or none; ranges that are missing are taken from the image.
    /// </param>
    public Image ToDisplay(IReadOnlyList<SlideChannel> channels) => Merge(
        [.. SlideChannel.WithRanges(channels, this).Select((channel, c) =>
            new ShownChannel(c, channel.Colour ?? 0xFFFFFF, channel.Display!.Value.Low, channel.Display.Value.High))]);

    /// <summary>Merges some of the channels into an 8-bit RGB picture.</summary>
    /// <param name="channels">The channels; none gives a black picture.</param>
    internal Image Merge(IReadOnlyList<ShownChannel> channels)
    {
        int size = Width * Height;
        var sums = new float[3][];
        for (int primary = 0; primary < 3; primary++) sums[primary] = new float[size];
        foreach (ShownChannel channel in channels)
        {
            float[] lights = Samples(channel.Index);
            foreach (ref float light in lights.AsSpan())
            {
                light = Math.Clamp((float)((light - channel.Low) / (channel.High - channel.Low)), 0, 1);
                if (channel.Gamma != 1) light = MathF.Pow(light, (float)channel.Gamma);
            }
            for (int primary = 0; primary < 3; primary++)
            {
                float weight = (channel.Colour >> (16 - (8 * primary))) & 255;
                if (weight == 0) continue;
                for (int i = 0; i < size; i++) sums[primary][i] += weight * lights[i];
            }
        }
        var picture = new Image(Width, Height, 3);
        for (int i = 0; i < picture.Data.Length; i++) picture.Data[i] = (byte)Round(sums[i % 3][i / 3], 255);
        return picture;
    }
}

/// <summary>Channel in a merged picture.</summary>
/// <param name="Index">Channel of the image, from 0.</param>
/// <param name="Colour">Colour as 0xRRGGBB.</param>
/// <param name="Low">Sample that is black.</param>
/// <param name="High">Sample that has the full colour; not <paramref name="Low"/>.</param>
/// <param name="Gamma">Exponent of the intensity between them; below 1 brightens faint structures.</param>
internal readonly record struct ShownChannel(int Index, int Colour, double Low, double High, double Gamma = 1);
