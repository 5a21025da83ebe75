using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>Reads images as 8-bit RGB, which all metrics use.</summary>
internal static class RgbReader
{
    /// <summary>Returns whether metrics can be computed on an image: 8-bit grey or RGB.</summary>
    public static bool IsColourImage(ImageInfo info) => info.SampleType == SampleType.UInt8 && info.Channels is 1 or 3;

    /// <summary>
    /// Reads an image as 8-bit RGB for metrics and display: grey is repeated, 16 bits are stretched, and channels after the third are
    /// dropped.
    /// </summary>
    public static Image Read(string path) => ToRgb(Image.Read(path));

    /// <summary>Converts an image to 8-bit RGB; see <see cref="Read"/>.</summary>
    public static Image ToRgb(Image image)
    {
        if (image.Channels == 3 && image.SampleType == SampleType.UInt8) return image;
        byte[] samples = image.SampleType == SampleType.UInt8 ? image.Data : Stretch(image);
        var rgb = new byte[image.Width * image.Height * 3];
        bool grey = image.Channels < 3;
        for (int p = 0; p < image.Width * image.Height; p++)
            for (int c = 0; c < 3; c++)
                rgb[p * 3 + c] = samples[p * image.Channels + (grey ? 0 : c)];
        return new Image(image.Width, image.Height, 3, SampleType.UInt8, rgb);
    }

    /// <summary>Stretches the range of each channel to 0 to 255.</summary>
    private static byte[] Stretch(Image image)
    {
        ReadOnlySpan<ushort> samples = image.Samples16;
        var bytes = new byte[samples.Length];
        for (int c = 0; c < image.Channels; c++)
        {
            int min = ushort.MaxValue, max = 0;
            for (int i = c; i < samples.Length; i += image.Channels)
                (min, max) = (Math.Min(min, samples[i]), Math.Max(max, samples[i]));
            for (int i = c; i < samples.Length; i += image.Channels)
                bytes[i] = (byte)((samples[i] - min) * 255 / Math.Max(1, max - min));
        }
        return bytes;
    }
}
