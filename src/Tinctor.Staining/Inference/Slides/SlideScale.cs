using System.Globalization;
using Tinctor.Slides;
using Tinctor.Staining.Methods;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>At which resolution a slide is stained.</summary>
/// <param name="Downsample">Pixels of the slide's level 0 to a pixel that the network sees.</param>
/// <param name="Mpp">Micrometres per pixel of the stained slide, where known.</param>
/// <param name="Note">What was assumed, in words.</param>
public sealed record SlideScale(double Downsample, double? Mpp, string Note)
{
    // Scanners that differ by less are taken to be the same: 0.2425 is 0.25.
    private const double Tolerance = 0.04;

    /// <summary>The resolution of a model on a slide; a level of the slide's where one is near.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="config">The model.</param>
    /// <param name="mpp">Micrometres per pixel to stain at, where the model does not tell or is wrong.</param>
    public static SlideScale Of(Slide slide, MethodConfig config, double? mpp = null)
    {
        double? wanted = mpp ?? config.Inference.Mpp;
        double downsample = (wanted is null || slide.Mpp is null ? 1 : Snapped(slide, wanted.Value / slide.Mpp.Value)) / config.Inference.Scale;
        string note = (wanted, slide.Mpp) switch
        {
            (null, null) => "neither model nor slide tells its microns per pixel: stained at the slide's own",
            (null, double own) => $"the model does not tell its microns per pixel: stained at the slide's own, {Text(own)}",
            (double model, null) => $"the slide does not tell its microns per pixel: taken to be the model's, {Text(model)}",
            (double model, double own) => $"{Text(own)} microns per pixel, the model's are {Text(model)}"
                + (Math.Abs(downsample - 1) < 1e-9 ? ": as it is" : $": {Text(downsample)} pixels become one"),
        };
        return new(downsample, (slide.Mpp ?? wanted) * downsample / config.Upscaling, note);
    }

    private static double Snapped(Slide slide, double downsample)
    {
        double nearest = slide.Levels.Select(level => level.Downsample).MinBy(level => Math.Abs(Math.Log(level / downsample)));
        return Math.Abs(Math.Log(nearest / downsample)) < Tolerance ? nearest : downsample;
    }

    private static string Text(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
