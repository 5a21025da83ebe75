namespace Tinctor.Slides.Colour;

/// <summary>
/// Brings images to the colours of a reference. Macenko and Vahadane: the image's amounts of its two stains, each scaled so that the
/// 99th percentiles agree, with the reference's stains. Reinhard: mean and spread of L*, a*, b* of the stained pixels. What a pixel
/// becomes depends on its colour alone. Background is kept: pixels of less than half of <see cref="Background.StainedDensity"/> are not
/// changed, those above it wholly, those between in part. Thread-safe.
/// </summary>
public sealed class StainNormalizer
{
    // JPEG noise alone varies L* of a single colour by some tenths.
    private const double SmallestDeviation = 0.5;

    private readonly StainProfile target;
    private readonly StainProfile? source;

    /// <summary>Makes a normaliser; throws <see cref="TinctorException"/> for a profile that cannot be used.</summary>
    /// <param name="target">The reference; its method is used.</param>
    /// <param name="source">
    /// Colours that all images have in common (those of their slide or laboratory); null takes those of each image by itself.
    /// </param>
    public StainNormalizer(StainProfile target, StainProfile? source = null)
    {
        target.Validate();
        source?.Validate();
        if (target.Method == StainMethod.Reinhard && target.LabDeviation.Max() < SmallestDeviation)
        {
            throw new TinctorException(null, "all stained pixels of the reference have one colour", "Choose a reference with stained tissue.");
        }
        if (source is not null && target.Method != StainMethod.Reinhard && source.Method != target.Method)
        {
            throw new TinctorException($"the stains come from {source.Method.ToString().ToLowerInvariant()}, those of the reference "
                + $"from {target.Method.ToString().ToLowerInvariant()}; estimate both in the same way");
        }
        (this.target, this.source) = (target, source);
    }

    /// <summary>
    /// The normaliser for images whose colours are those of these pixels, as all parts of one slide are; throws
    /// <see cref="TinctorException"/> if too little is stained, or in only one colour.
    /// </summary>
    public StainNormalizer For(StainedPixels pixels) => new(target, StainProfile.Estimate(pixels, target.Method));

    /// <summary>
    /// An RGB image in the colours of the reference, or the image itself with the reason in <paramref name="skipped"/>, if too little of
    /// it is stained, or in only one colour. Throws <see cref="TinctorException"/>, which names no file, if it is not RGB.
    /// </summary>
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

    /// <summary>Writes a row of light, given it and its densities.</summary>
    private delegate void RowMap(ReadOnlySpan<float> light, ReadOnlySpan<float> density, Span<float> mapped);

    private RowMap Stains(StainProfile from)
    {
        var amounts = new StainAmounts(from.Stains[0].Od, from.Stains[1].Od);
        var (first, second) = (target.Stains[0], target.Stains[1]);
        var (scale1, scale2) = (first.Maximum / from.Stains[0].Maximum, second.Maximum / from.Stains[1].Maximum);
        return (light, density, mapped) =>
        {
            for (var i = 0; i < density.Length; i += 3)
            {
                var (a, b) = amounts.Of(density[i], density[i + 1], density[i + 2]);
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
        // An image of one colour has no spread that could be scaled.
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
