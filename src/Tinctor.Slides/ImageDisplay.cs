namespace Tinctor.Slides;

public sealed partial class Image
{
    private const double ShareAtWhite = 0.998;
    private const float DarkestWhite = 0.5f;

    /// <summary>
    /// A picture to look at, 8-bit RGB: colours as they are, other than three channels as their mean; dark pictures (fluorescence) are
    /// stretched, so that all but the brightest 0.2% of the samples fit.
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
        float white = sorted[(int)(ShareAtWhite * (sorted.Length - 1))];
        if (white is > 0 and < DarkestWhite)
            for (int i = 0; i < rgb.Length; i++) rgb[i] /= white;
        var picture = new Image(Width, Height, 3);
        picture.CopyFrom(rgb);
        return picture;
    }
}
