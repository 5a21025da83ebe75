using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Levels;
using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Registrations;

namespace Tinctor.Viewer.Measurements;

/// <summary>Carries out measurements: all pictures at one resolution, which the coarsest of them has or exceeds.</summary>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="reader">Reads slides.</param>
/// <param name="queue">Stains tiles.</param>
/// <param name="reads">Limits reads of stained tiles.</param>
/// <param name="registrations">Registrations of slides.</param>
internal sealed class Measurer(
    SlideCatalogue catalogue, SlideReader reader, StainingQueue queue, ReadQueue reads, RegistrationCatalogue registrations)
{
    /// <summary>Micrometres per pixel of measurements, unless a picture is coarser or nearly has them.</summary>
    public const double Mpp = PixelSize.Default;

    /// <summary>Largest area of all regions together, in square millimetres.</summary>
    public const double LargestArea = 100;

    /// <summary>Largest area that is stained for a measurement, in square millimetres.</summary>
    public const double LargestStainedArea = 10;

    // Pictures from this pixel size on are measured as they are.
    private const double NearlyMpp = 0.9 * Mpp, CoarseMpp = 1;
    private const int LargestSpread = 4;

    /// <summary>Measures.</summary>
    /// <param name="plan">Regions, pictures and settings.</param>
    /// <param name="progress">Receives the number of finished and of all steps.</param>
    /// <param name="cancel">Cancels between tiles.</param>
    /// <exception cref="TinctorException">A picture cannot be measured, or the regions are too large.</exception>
    public MeasurementResult Run(MeasurementPlan plan, Action<int, int> progress, CancellationToken cancel)
    {
        SlideSummary slide = SummaryOf(plan.Slide, cancel);
        double? stated = slide.Mpp ?? plan.GivenMpp;
        double own = stated ?? Mpp;
        Picture[] pictures = [.. plan.Pictures.Select(picture => Open(picture, slide, own, cancel))];
        double coarsest = pictures.Max(picture => picture.Mpp), mpp = Math.Max(coarsest, coarsest < NearlyMpp ? Mpp : coarsest);
        IhcSettings settings = plan.Settings with { Mpp = mpp };
        var quantities = RegionQuantities.All(settings, mpp / own, stated is not null);
        RegionMeasurer[] measurers = [.. pictures.Select(picture => new RegionMeasurer(picture.Source, mpp / picture.Mpp, settings,
            new() { HaematoxylinOnly = plan.HaematoxylinOnly }))];
        using LevelClassifier? classifier = plan.Classifier is { } model ? LevelClassifier.Load(model.Path) : null;
        MeasuredRegion[][] regions = [.. plan.Regions.Select(region =>
            pictures.Select(picture => region.Scaled(own / picture.Mpp)).ToArray())];
        int done = 0, total = regions.Sum(each =>
            each.Zip(measurers, (region, measurer) => measurer.Steps(region) + (classifier is null ? 0 : 1)).Sum());
        void Step() => progress(++done, total);
        progress(0, total);
        RegionValues[] values = [.. plan.Regions.Zip(regions, (region, scaled) => new RegionValues(region,
            [.. pictures.Index().Select(picture => MeasureIn(scaled[picture.Index], picture.Item, measurers[picture.Index]))]))];
        return new(settings, stated is not null, [.. quantities.Select(each => each.Quantity)], values,
            [.. Notes(slide, plan, mpp, classifier)]);

        PictureValues MeasureIn(MeasuredRegion region, Picture picture, RegionMeasurer measurer)
        {
            IhcCounts counts = measurer.Measure(region, Step, cancel);
            RegionLevel? level = classifier?.Predict(
                picture.Source, region, (classifier.Mpp ?? mpp) / picture.Mpp, settings.TissueDensity, cancel);
            if (classifier is not null) Step();
            return new(quantities.ToDictionary(each => each.Quantity.Key, each => each.Value(counts)), level);
        }
    }

    /// <summary>Checks the areas of the regions.</summary>
    /// <param name="plan">Regions, pictures and settings.</param>
    /// <param name="slide">Slide in whose pixels the regions are.</param>
    /// <exception cref="TinctorException">The regions are too large.</exception>
    public static void RequireArea(MeasurementPlan plan, SlideSummary slide)
    {
        double mpp = slide.Mpp ?? plan.GivenMpp ?? Mpp, area = plan.Regions.Sum(region => region.Area) * mpp * mpp / 1e6;
        const string remedy = "Draw smaller regions, or measure them one after the other.";
        if (area > LargestArea)
        {
            throw new TinctorException(null,
                FormattableString.Invariant($"the regions have {area:0.#} mm², at most {LargestArea} mm²"), remedy);
        }
        bool isStained = plan.Pictures.Any(picture => picture.Key is { } key && StainedPlaces.FinishedId(key.Target) is null);
        if (isStained && area > LargestStainedArea)
        {
            throw new TinctorException(null, FormattableString.Invariant(
                $"the regions have {area:0.#} mm², at most {LargestStainedArea} mm² are stained for a measurement"),
                "Stain the whole slide first, or draw smaller regions.");
        }
        foreach (MeasuredRegion region in plan.Regions)
        {
            PixelArea bounds = region.Bounds(1, slide.Width, slide.Height);
            double spread = (double)bounds.Width * bounds.Height * mpp * mpp / 1e6;
            if (spread > LargestSpread * LargestArea)
            {
                throw new TinctorException(null, FormattableString.Invariant(
                    $"{region.Name} extends over {spread:0} mm², at most {LargestSpread * LargestArea} mm²"), "Divide the region.");
            }
        }
    }

    private Picture Open(PlannedPicture planned, SlideSummary slide, double mpp, CancellationToken cancel)
    {
        CatalogueSlide of = planned.Slide;
        if (planned.Registration is { } registration)
            return new(new RegisteredPicture(slide, of, registrations.Transform(registration), reader), mpp);
        if (planned.Key is { } key)
        {
            if (StainedPlaces.FinishedId(key.Target) is not { } finished)
            {
                var stained = new StainedPicture(key, queue, reads, cancel);
                // A model of another pixel size stains a slide in other pixels.
                SlideSummary source = SummaryOf(of, cancel);
                return new(stained, MppOf(source, slide, mpp) * source.Width / stained.Width);
            }
            if (!catalogue.Current.All.TryGetValue(finished, out of!))
                throw new TinctorException(planned.Slide.Path, "the stained slide is not in the list of slides yet", "Measure again.");
        }
        SlideSummary summary = SummaryOf(of, cancel);
        return new(new SlidePicture(of, summary, reader), MppOf(summary, slide, mpp));
    }

    // As the page shows pictures: by their pixel sizes, or with equal widths.
    private static double MppOf(SlideSummary picture, SlideSummary slide, double mpp) =>
        picture.Mpp is { } own && slide.Mpp is not null ? own : mpp * slide.Width / picture.Width;

    private SlideSummary SummaryOf(CatalogueSlide slide, CancellationToken cancel)
    {
        SlideSummary summary = Patience.Read(() => reader.SummaryAsync(slide, cancel), cancel);
        RequireBrightfield(slide, summary);
        return summary;
    }

    /// <summary>Checks that a picture can be measured.</summary>
    /// <exception cref="TinctorException">It is not brightfield RGB.</exception>
    public static void RequireBrightfield(CatalogueSlide slide, SlideSummary summary)
    {
        if (summary.Error is { } error) throw new TinctorException(slide.Name, error);
        if (summary.Layers.Count < 2)
            throw new TinctorException(slide.Name, "is no brightfield RGB slide, which DAB is measured in", "Choose another picture.");
    }

    private IEnumerable<string> Notes(SlideSummary slide, MeasurementPlan plan, double mpp, LevelClassifier? classifier)
    {
        if (slide.Mpp is null && plan.GivenMpp is null)
            yield return FormattableString.Invariant(
                $"The slide states no pixel size. Areas are in pixels; nuclei were sought as if a pixel had {Mpp} µm.");
        else if (slide.Mpp is null)
            yield return FormattableString.Invariant($"The slide states no pixel size; {plan.GivenMpp} µm per pixel were given.");
        foreach (PlannedPicture picture in plan.Pictures.Where(picture => picture.Registration is not null))
        {
            if (registrations.Transform(picture.Registration!) is { IsUsable: false } doubtful)
                yield return $"The registration of {picture.Slide.Name} is doubtful: {string.Join("; ", doubtful.Refusals)}.";
        }
        if (mpp > CoarseMpp)
            yield return FormattableString.Invariant(
                $"At {mpp:0.###} µm per pixel, nuclei cannot be separated: counts and scores are unreliable.");
        if (plan.Classifier is null) yield return "No IHC level: none of the server's models is a classifier.";
        else if (classifier!.Mpp is null)
            yield return FormattableString.Invariant(
                $"The classifier states no pixel size; its images were taken at {mpp:0.###} µm per pixel.");
    }

    private sealed record Picture(IPictureSource Source, double Mpp);
}
