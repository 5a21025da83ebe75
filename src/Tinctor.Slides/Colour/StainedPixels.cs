namespace Tinctor.Slides.Colour;

/// <summary>
/// A sample of the stained pixels of one image or of many, from which stains are estimated. Which pixels are taken depends on the images
/// alone: evenly spaced ones, and of these those that are darker than glass.
/// </summary>
/// <param name="mostOfAnImage">How many pixels of one image are looked at.</param>
public sealed class StainedPixels(int mostOfAnImage = 50_000)
{
    private readonly List<float> light = [];

    /// <summary>Images that were added, those without stained pixels among them.</summary>
    public int Images { get; private set; }

    /// <summary>Stained pixels that were found.</summary>
    public int Count => light.Count / 3;

    /// <summary>RGB light in [0, 1], a triple a pixel.</summary>
    public float[] Light => [.. light];

    /// <summary>Decimal optical densities, a triple a pixel; black counts as 1 of 255.</summary>
    public float[] Density
    {
        get
        {
            var density = Light;
            OpticalDensity.FromLight(density, density, floor: 1 / 255f);
            return density;
        }
    }

    /// <summary>The sample of one image.</summary>
    public static StainedPixels FromImage(Image image)
    {
        var pixels = new StainedPixels();
        pixels.Add(image);
        return pixels;
    }

    /// <summary>
    /// Adds the stained pixels of an image; returns how many they are. Throws <see cref="TinctorException"/> if it is not RGB.
    /// </summary>
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
            throw new TinctorException($"has {image.Channels} channels; stains are estimated in RGB images");
        }
    }
}
