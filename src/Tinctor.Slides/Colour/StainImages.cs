namespace Tinctor.Slides.Colour;

/// <summary>Pictures of one stain out of an RGB image, by colour deconvolution in skimage's manner.</summary>
public static class StainImages
{
    /// <summary>Steps of <see cref="Amounts"/> in a unit of decimal optical density.</summary>
    public const int StepsPerDensity = 10_000;

    /// <summary>
    /// The image as if it held this stain (0 to 2) alone, equal to skimage's rgb2hed, the other stains set to 0, hed2rgb.
    /// Throws <see cref="TinctorException"/>, which names no file, if it is not RGB.
    /// </summary>
    public static Image Alone(Image image, StainMatrix stains, int stain)
    {
        var result = new Image(image.Width, image.Height, 3, image.SampleType);
        ForEachRow(image, stains, stain, (y, amounts) =>
        {
            for (var i = 0; i < amounts.Length; i++)
            {
                amounts[i] = i % 3 == stain ? amounts[i] : 0;
            }
            stains.CombineLight(amounts, amounts);
            result.WriteLight(y, amounts);
        });
        return result;
    }

    /// <summary>
    /// The amount of a stain (0 to 2) in each pixel as one 16-bit channel: decimal optical density along its vector in steps of 0.0001,
    /// 0 to 6.5535. Throws as <see cref="Alone"/>.
    /// </summary>
    public static Image Amounts(Image image, StainMatrix stains, int stain)
    {
        var result = new Image(image.Width, image.Height, 1, SampleType.UInt16);
        ForEachRow(image, stains, stain, (y, amounts) =>
        {
            var row = amounts[..image.Width];
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = amounts[3 * x + stain] * 6 * StepsPerDensity;
            }
            result.WriteRow(y, row);
        });
        return result;
    }

    private static void ForEachRow(Image image, StainMatrix stains, int stain, Action<int, Span<float>> use)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stain);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stain, 2);
        StainedPixels.RefuseOther(image);
        var row = new float[image.Width * 3];
        for (var y = 0; y < image.Height; y++)
        {
            image.ReadLight(y, row);
            stains.SeparateLight(row, row);
            use(y, row);
        }
    }
}
