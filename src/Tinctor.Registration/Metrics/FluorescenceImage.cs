using Tinctor.Slides;

namespace Tinctor.Registration.Metrics;

/// <summary>Intensity of fluorescence that is stored as RGB.</summary>
internal static class FluorescenceImage
{
    /// <summary>
    /// Gets the largest of red, green and blue of each pixel (the value of HSV), so that a channel that is displayed in grey or in a colour
    /// is registered as the channel itself.
    /// </summary>
    public static Image FromRgb(Image rgb)
    {
        var intensity = new Image(rgb.Width, rgb.Height, 1, rgb.SampleType);
        for (int i = 0; i < rgb.Width * rgb.Height; i++)
        {
            if (rgb.SampleType == SampleType.UInt8) intensity.Data[i] = Largest<byte>(rgb.Data, 3 * i);
            else intensity.Samples16[i] = Largest<ushort>(rgb.Samples16, 3 * i);
        }
        return intensity;
    }

    private static T Largest<T>(ReadOnlySpan<T> samples, int first)
        where T : System.Numerics.INumber<T> => T.Max(samples[first], T.Max(samples[first + 1], samples[first + 2]));
}
