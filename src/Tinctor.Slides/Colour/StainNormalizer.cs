namespace Tinctor.Slides.Colour;

/// <summary>
/// Stain normalisation to the colours of a reference. Macenko and Vahadane: the concentrations of the image's two stains are scaled so
/// that their 99th percentiles match, and rendered with the stains of the reference. Reinhard: mean and standard deviation of L*, a*, b*
/// of stained pixels are matched. The result of a pixel depends only on its colour. Pixels below half of
/// <see cref="Background.StainedDensity"/> are background and keep their colour; up to that density the change increases. Thread-safe.
/// </summary>
public sealed class StainNormalizer
{
    // JPEG noise alone varies L* of a single colour by some tenths.
    private const double SmallestDeviation = 0.5;

    private readonly StainProfile target;
    private readonly StainProfile? source;

    /// <summary>Creates a normaliser.</summary>
    /// <param name="target">Profile of the reference, whose method is used.</param>
    /// <param name="source">Common profile of all images, such as that of their slide; null estimates a profile for each image.</param>
    /// <exception cref="TinctorException">A profile is invalid, or the profiles come from different methods.</exception>
    public StainNormalizer(StainProfile target, StainProfile? source = null)
    {
        target.Validate();
        source?.Validate();
        if (target.Method == StainMethod.Reinhard && target.LabDeviation.Max() < SmallestDeviation)
        {
            throw new TinctorException(null, "all stained pixels of the reference have one colour",
                "Choose a reference with stained tissue.");
        }
        if (source is not null && target.Method != StainMethod.Reinhard && source.Method != target.Method)
        {
            throw new TinctorException(null, $"the stains come from {source.Method.ToString().ToLowerInvariant()}, those of the reference "
                + $"from {target.Method.ToString().ToLowerInvariant()}", "Estimate both profiles with the same method.");
        }
        (this.target, this.source) = (target, source);
    }

    /// <summary>
    /// Creates a normaliser for images with common colours, such as the tiles of one slide.
    /// </summary>
    /// <param name="pixels">Stained pixels of the slide.</param>
    /// <exception cref="TinctorException">Too few pixels are stained, or all have one colour.</exception>
    internal StainNormalizer For(StainedPixels pixels) => new(target, StainProfile.Estimate(pixels, target.Method));

    /// <summary>
    /// Normalises an RGB image. Returns the image itself if too few of its pixels are stained, or all have one colour.
    /// </summary>
    /// <param name="image">RGB image of 8 or 16 bits.</param>
    /// <param name="skipped">Reason why the image was not normalised; null if it was.</param>
    /// <exception cref="TinctorException">The image is not RGB; the exception names no file.</exception>
    public Image Normalize(Image image, out string? skipped)
    {
        StainedPixels.RefuseOther(image);
        skipped = null;
        try
        {
            return Apply(image, source ?? StainProfile.Estimate(StainedPixels.FromImage(image), target.Method));
        }
        catch (TinctorException reason)
        {
            skipped = reason.Message;
            return image;
        }
    }

    private Image Apply(Image image, StainProfile from)
    {
        var result = new Image(image.Width, image.Height, 3, image.SampleType);
        var map = target.Method == StainMethod.Reinhard ? Colours(from) : Stains(from);
        float[] light = new float[image.Width * 3], density = new float[light.Length], mapped = new float[light.Length];
        for (var y = 0; y < image.Height; y++)
        {
            image.ReadLight(y, light);
            OpticalDensity.FromLight(light, density, floor: 1 / 255f);
            map(light, density, mapped);
            Blend(light, density, mapped);
            result.WriteLight(y, mapped);
        }
        return result;
    }

    /// <summary>Maps a row of light, given its densities.</summary>
    private delegate void RowMap(ReadOnlySpan<float> light, ReadOnlySpan<float> density, Span<float> mapped);

    private RowMap Stains(StainProfile from)
    {
        var concentrations = new StainConcentrations(from.Stains[0].Od, from.Stains[1].Od);
        var (first, second) = (target.Stains[0], target.Stains[1]);
        var (scale1, scale2) = (first.Maximum / from.Stains[0].Maximum, second.Maximum / from.Stains[1].Maximum);
        return (light, density, mapped) =>
        {
            for (var i = 0; i < density.Length; i += 3)
            {
                var (a, b) = concentrations.Solve(density[i], density[i + 1], density[i + 2]);
                (a, b) = (a * scale1, b * scale2);
                mapped[i] = (float)(a * first.Od[0] + b * second.Od[0]);
                mapped[i + 1] = (float)(a * first.Od[1] + b * second.Od[1]);
                mapped[i + 2] = (float)(a * first.Od[2] + b * second.Od[2]);
            }
            OpticalDensity.ToLight(mapped, mapped);
        };
    }

    private RowMap Colours(StainProfile from)
    {
        // A channel without variation cannot be scaled.
        var scale = from.LabDeviation.Zip(target.LabDeviation, (own, wanted) => own > 1e-3 ? (float)(wanted / own) : 1).ToArray();
        var (own, wanted) = (Array.ConvertAll(from.LabMean, x => (float)x), Array.ConvertAll(target.LabMean, x => (float)x));
        return (light, density, mapped) =>
        {
            CieLab.FromRgb(light, mapped);
            for (var i = 0; i < mapped.Length; i++)
            {
                mapped[i] = (mapped[i] - own[i % 3]) * scale[i % 3] + wanted[i % 3];
            }
            CieLab.ToRgb(mapped, mapped);
        };
    }

    private static void Blend(ReadOnlySpan<float> light, ReadOnlySpan<float> density, Span<float> mapped)
    {
        for (var i = 0; i < light.Length; i += 3)
        {
            var mean = (density[i] + density[i + 1] + density[i + 2]) / 3;
            var share = Math.Clamp(2 * mean / Background.StainedDensity - 1, 0, 1);
            for (var c = i; c < i + 3; c++)
            {
                mapped[c] = light[c] + share * (mapped[c] - light[c]);
            }
        }
    }
}
