using System.Globalization;
using Tinctor.Slides;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Resolution at which a slide is stained.</summary>
/// <param name="Downsample">Pixels of level 0 to one pixel of the network's input.</param>
/// <param name="Mpp">Micrometres per pixel of the stained slide; null if unknown.</param>
/// <param name="Note">The resolutions of model and slide, and what was assumed.</param>
public sealed record SlideScale(double Downsample, double? Mpp, string Note)
{
    // Scanners that differ by less are taken to be the same: 0.2425 is 0.25.
    private const double Tolerance = 0.04;

    /// <summary>Chooses the resolution for a model on a slide; a pyramid level is used as it is if it is within 4 %.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="model">The model.</param>
    /// <param name="mpp">Micrometres per pixel to stain at, if the model's are missing or wrong.</param>
    public static SlideScale Choose(Slide slide, ModelDescription model, double? mpp = null)
    {
        double? wanted = mpp ?? model.Mpp;
        double downsample = (wanted is null || slide.Mpp is null ? 1 : Snapped(slide, wanted.Value / slide.Mpp.Value)) / model.Scale;
        string note = (wanted, slide.Mpp) switch
        {
            (null, null) => "the pixel size of model and slide is unknown: stained at the slide's resolution",
            (null, double own) => $"the model's pixel size is unknown: stained at the slide's, {Text(own)} um/px",
            (double wish, null) => $"the slide's pixel size is unknown: assumed to be the model's, {Text(wish)} um/px",
            (double wish, double own) => $"slide {Text(own)} um/px, model {Text(wish)} um/px"
                + (Math.Abs(downsample - 1) < 1e-9 ? ": no resampling" : $": downsampled by {Text(downsample)}"),
        };
        return new(downsample, (slide.Mpp ?? wanted) * downsample / model.Upscaling, note);
    }

    private static double Snapped(Slide slide, double downsample)
    {
        double nearest = slide.Levels.Select(level => level.Downsample).MinBy(level => Math.Abs(Math.Log(level / downsample)));
        return Math.Abs(Math.Log(nearest / downsample)) < Tolerance ? nearest : downsample;
    }

    private static string Text(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
