namespace Tinctor.Slides.Colour;

/// <summary>
/// Sample of stained pixels of one or more images, for estimating stains: those of evenly spaced pixels that are denser than
/// background. Deterministic.
/// </summary>
/// <param name="mostOfAnImage">Largest number of pixels sampled from one image.</param>
internal sealed class StainedPixels(int mostOfAnImage = 50_000)
{
    private readonly List<float> light = [];

    /// <summary>Number of images added, including those without stained pixels.</summary>
    public int Images { get; private set; }

    /// <summary>Number of stained pixels.</summary>
    public int Count => light.Count / 3;

    /// <summary>RGB light in [0, 1], one triple per pixel.</summary>
    public float[] Light => [.. light];

    /// <summary>Decimal optical densities, one triple per pixel; black counts as 1 of 255.</summary>
    public float[] Density
    {
        get
        {
            var density = Light;
            OpticalDensity.FromLight(density, density, floor: 1 / 255f);
            return density;
        }
    }

    /// <summary>Samples one image.</summary>
    public static StainedPixels FromImage(Image image)
    {
        var pixels = new StainedPixels();
        pixels.Add(image);
        return pixels;
    }

    /// <summary>
    /// Samples an image.
    /// </summary>
    /// <returns>Number of stained pixels added.</returns>
    /// <exception cref="TinctorException">The image is not RGB; the exception names no file.</exception>
    public int Add(Image image)
    {
        RefuseOther(image);
        var before = Count;
        // Every n-th column of every n-th row.
        var step = Math.Max(1, (int)Math.Ceiling(Math.Sqrt((double)image.Width * image.Height / mostOfAnImage)));
        float[] row = new float[image.Width * 3], density = new float[row.Length];
        for (var y = step / 2; y < image.Height; y += step)
        {
            image.ReadLight(y, row);
            OpticalDensity.FromLight(row, density, floor: 1 / 255f);
            for (var i = step / 2 * 3; i < row.Length; i += step * 3)
            {
                if (density[i] + density[i + 1] + density[i + 2] >= 3 * Background.StainedDensity)
                {
                    light.AddRange(row.AsSpan(i, 3));
                }
            }
        }
        Images++;
        return Count - before;
    }

    internal static void RefuseOther(Image image)
    {
        if (image.Channels != 3)
        {
            throw new TinctorException(null, $"{image.Channels} channel{(image.Channels == 1 ? "" : "s")}, but stains need RGB",
                "Convert the image to RGB.");
        }
    }
}
