namespace Tinctor.Slides.Colour;

/// <summary>Images of single stains by colour deconvolution, as in scikit-image.</summary>
internal static class StainImages
{
    /// <summary>Value of <see cref="Concentration"/> for a decimal optical density of 1.</summary>
    public const int StepsPerDensity = 10_000;

    /// <summary>
    /// Renders one stain in its colour: rgb2hed, other stains set to 0, hed2rgb.
    /// </summary>
    /// <param name="image">RGB image of 8 or 16 bits.</param>
    /// <param name="stains">Directions of the stains.</param>
    /// <param name="stain">Index of the stain, 0 to 2.</param>
    /// <exception cref="TinctorException">The image is not RGB; the exception names no file.</exception>
    public static Image Render(Image image, StainMatrix stains, int stain)
    {
        var result = new Image(image.Width, image.Height, 3, image.SampleType);
        ForEachRow(image, stains, stain, (y, concentrations) =>
        {
            for (var i = 0; i < concentrations.Length; i++)
            {
                concentrations[i] = i % 3 == stain ? concentrations[i] : 0;
            }
            stains.CombineRgb(concentrations, concentrations);
            result.WriteLight(y, concentrations);
        });
        return result;
    }

    /// <summary>
    /// Computes the concentration of one stain as a 16-bit channel: decimal optical density along its vector in steps of 0.0001, 0 to
    /// 6.5535.
    /// </summary>
    /// <param name="image">RGB image of 8 or 16 bits.</param>
    /// <param name="stains">Directions of the stains.</param>
    /// <param name="stain">Index of the stain, 0 to 2.</param>
    /// <exception cref="TinctorException">The image is not RGB; the exception names no file.</exception>
    public static Image Concentration(Image image, StainMatrix stains, int stain)
    {
        var result = new Image(image.Width, image.Height, 1, SampleType.UInt16);
        ForEachRow(image, stains, stain, (y, concentrations) =>
        {
            var row = concentrations[..image.Width];
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = concentrations[3 * x + stain] * 6 * StepsPerDensity;
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
            stains.SeparateRgb(row, row);
            use(y, row);
        }
    }
}
