using Tinctor.Slides;

namespace Tinctor.Registration.Sections;

/// <summary>Registers whole slides, on overviews of both.</summary>
public static class SlideRegistration
{
    private const double AlikeInSize = 1.3;

    /// <summary>
    /// Finds where the source's pixels are in the target. Where the micrometres per pixel of both are known they set the slides' relative
    /// size; else sizes within 30% of each other mean pixels of one size, and others mean slides that show the same field.
    /// </summary>
    /// <param name="source">The slide that stays.</param>
    /// <param name="target">The slide that is brought onto it.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <returns>The transform between level 0 of both. Look at its quality before it is used: it may not have passed.</returns>
    /// <exception cref="TinctorException">A slide is damaged, or does not have the channels that the options ask for.</exception>
    public static SlideTransform Estimate(Slide source, Slide target, SectionOptions options, IProgress<double>? progress = null)
    {
        options.Validate();
        (double downsample, double targetDownsample) = Downsamples(source, target, options);
        SlideTransform small = SectionRegistration.Estimate(Overview(source, downsample), Overview(target, targetDownsample), options,
            source.Mpp * downsample, progress);
        return small.Between(SlideFrame.Of(source), SlideFrame.Of(target), AffineTransform.Scaling(downsample, downsample),
            AffineTransform.Scaling(targetDownsample, targetDownsample));
    }

    /// <summary>
    /// Registers consecutive sections: each to the one before it. What comes back brings each onto the first one; what a failed transform
    /// is part of has failed too.
    /// </summary>
    /// <param name="slides">The stack; at least two.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    public static IReadOnlyList<SlideTransform> EstimateStack(IReadOnlyList<Slide> slides, SectionOptions options,
        IProgress<double>? progress = null)
    {
        var transforms = new List<SlideTransform>();
        for (int i = 1; i < slides.Count; i++)
        {
            double steps = slides.Count - 1;
            SlideTransform step = Estimate(slides[i - 1], slides[i], options, new PartialProgress(progress, (i - 1) / steps, i / steps));
            transforms.Add(i == 1 ? step : step.After(transforms[^1]));
        }
        return transforms;
    }

    /// <summary>
    /// Pixels of level 0 to a pixel of each overview: the same micrometres in both, the longer side as the options have it, none enlarged.
    /// </summary>
    public static (double Source, double Target) Downsamples(Slide source, Slide target, SectionOptions options)
    {
        double Longest(Slide slide) => Math.Max(slide.Width, slide.Height);
        bool known = source.Mpp is not null && target.Mpp is not null;
        double ratio = Longest(target) / Longest(source);
        double sourceMpp = known ? source.Mpp!.Value : 1;
        double targetMpp = known ? target.Mpp!.Value : ratio is > AlikeInSize or < 1 / AlikeInSize ? 1 / ratio : 1;
        double wanted = known && options.Mpp is double mpp ? mpp
            : Math.Max(Longest(source) * sourceMpp, Longest(target) * targetMpp) / options.Size;
        double finest = Math.Max(wanted, Math.Max(sourceMpp, targetMpp));
        return (finest / sourceMpp, finest / targetMpp);
    }

    private static Image Overview(Slide slide, double downsample)
    {
        (int width, int height) = slide.SizeAt(downsample);
        return slide.ReadAt(downsample, 0, 0, width, height);
    }
}
