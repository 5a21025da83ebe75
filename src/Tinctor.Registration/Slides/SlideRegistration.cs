using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Registration of whole slides by their overviews.</summary>
public static class SlideRegistration
{
    /// <summary>
    /// Estimates the transform from source to target pixels at level 0. If the pixel size of both slides is known, it determines their
    /// relative size. Otherwise sizes within 30% of each other mean pixels of the same size, and other sizes mean the same field of view.
    /// </summary>
    /// <param name="source">Source slide; it stays fixed.</param>
    /// <param name="target">Target slide.</param>
    /// <param name="options">Options.</param>
    /// <param name="progress">Receives the completed share, 0 to 1.</param>
    /// <returns>The transform. Check whether its quality passed before it is used.</returns>
    /// <exception cref="OptionException">An option is out of range, or the transform is a translation.</exception>
    /// <exception cref="TinctorException">A slide is damaged, or haematoxylin is requested of a slide that is not brightfield.</exception>
    public static RegistrationTransform Estimate(Slide source, Slide target, RegistrationOptions options,
        IProgress<double>? progress = null)
    {
        options.Validate();
        (double downsample, double targetDownsample) = Downsamples(source, target, options);
        RegistrationTransform small = SectionRegistration.Estimate(SectionImage.Read(source, downsample),
            SectionImage.Read(target, targetDownsample), options, progress);
        return small.Rescaled(ImageFrame.From(source), ImageFrame.From(target), AffineTransform.Scaling(downsample, downsample),
            AffineTransform.Scaling(targetDownsample, targetDownsample));
    }

    /// <summary>
    /// Registers serial sections, each to the one before it. The transforms map the first slide to each of the others; those composed with
    /// a failed transform have failed too.
    /// </summary>
    /// <param name="slides">Slides in their order, at least two.</param>
    /// <param name="options">Options.</param>
    /// <param name="progress">Receives the completed share, 0 to 1.</param>
    public static IReadOnlyList<RegistrationTransform> EstimateStack(IReadOnlyList<Slide> slides, RegistrationOptions options,
        IProgress<double>? progress = null)
    {
        var transforms = new List<RegistrationTransform>();
        for (int i = 1; i < slides.Count; i++)
        {
            double steps = slides.Count - 1;
            RegistrationTransform step =
                Estimate(slides[i - 1], slides[i], options, new PartialProgress(progress, (i - 1) / steps, i / steps));
            transforms.Add(i == 1 ? step : step.After(transforms[^1]));
        }
        return transforms;
    }

    /// <summary>
    /// Gets the pixels of level 0 per pixel of each overview: both overviews have the same resolution, their longer side follows the
    /// options, and none is enlarged.
    /// </summary>
    internal static (double Source, double Target) Downsamples(Slide source, Slide target, RegistrationOptions options)
    {
        double Longest(Slide slide) => Math.Max(slide.Width, slide.Height);
        bool known = source.Mpp is not null && target.Mpp is not null;
        double sourceMpp = known ? source.Mpp!.Value : 1;
        double targetMpp = known ? target.Mpp!.Value
            : 1 / ImageFrame.From(source).ExpectedScale(ImageFrame.From(target));
        double wanted = known && options.Mpp is double mpp ? mpp
            : Math.Max(Longest(source) * sourceMpp, Longest(target) * targetMpp) / options.Size;
        double finest = Math.Max(wanted, Math.Max(sourceMpp, targetMpp));
        return (finest / sourceMpp, finest / targetMpp);
    }
}
