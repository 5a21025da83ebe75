namespace Tinctor.Staining.Operators;

/// <summary>Values of the pixels around the input of a convolution.</summary>
internal enum ConvolutionPadding
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>The image mirrored at its border, without the border itself.</summary>
    Reflection,
}

/// <summary>Reads lines of an image beyond its border.</summary>
internal static unsafe class PaddedLines
{
    /// <summary>Copies a part of a line.</summary>
    /// <param name="plane">Channel [height, width].</param>
    /// <param name="height">Height.</param>
    /// <param name="width">Width.</param>
    /// <param name="y">The line, may be outside.</param>
    /// <param name="x">First pixel, may be outside.</param>
    /// <param name="padding">Values outside. Beyond a mirrored image, they are zeros.</param>
    /// <param name="pixels">Receives the pixels.</param>
    public static void Copy(float* plane, int height, int width, int y, int x, ConvolutionPadding padding, Span<float> pixels)
    {
        int source = Place(y, height, padding);
        if (source < 0)
        {
            pixels.Clear();
            return;
        }
        float* line = plane + ((nint)source * width);
        int first = Math.Clamp(x, 0, width), last = Math.Clamp(x + pixels.Length, first, width);
        new ReadOnlySpan<float>(line + first, last - first).CopyTo(pixels[Math.Min(first - x, pixels.Length)..]);
        for (int i = x; i < Math.Min(first, x + pixels.Length); i++) pixels[i - x] = Pixel(line, i, width, padding);
        for (int i = Math.Max(last, x); i < x + pixels.Length; i++) pixels[i - x] = Pixel(line, i, width, padding);
    }

    private static float Pixel(float* line, int x, int width, ConvolutionPadding padding) =>
        Place(x, width, padding) is >= 0 and var place ? line[place] : 0;

    // Place of a pixel in the image; -1 for a zero.
    private static int Place(int place, int length, ConvolutionPadding padding)
    {
        if (place >= 0 && place < length) return place;
        if (padding == ConvolutionPadding.Zeros) return -1;
        int mirrored = place < 0 ? -place : (2 * length) - 2 - place;
        return mirrored >= 0 && mirrored < length ? mirrored : -1;
    }
}
