using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Regions;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;

namespace Tinctor.Viewer.Measurements;

/// <summary>Picture to measure: a slide, or a slide that is stained where it is measured.</summary>
/// <param name="Slide">The slide, or the source of the staining.</param>
/// <param name="Model">Model that stains it; null for the slide itself.</param>
/// <param name="Key">Slide, model and target of the staining; null without a model.</param>
internal sealed record PlannedPicture(CatalogueSlide Slide, CatalogueModel? Model, WorkKey? Key)
{
    /// <summary>Name for people.</summary>
    public string Name => Model is null ? Slide.Name : $"{Slide.Name}, stained with {Model.Name}";
}

/// <summary>Regions, pictures and settings of a measurement.</summary>
/// <param name="Slide">Slide in whose pixels the regions are.</param>
/// <param name="Regions">The regions.</param>
/// <param name="Pictures">Pictures that show the same tissue.</param>
/// <param name="Compared">Pictures whose difference is computed: the first less the second; null for none.</param>
/// <param name="Settings">Thresholds; the pixel size follows from the pictures.</param>
/// <param name="HaematoxylinOnly">Whether nuclei are sought in haematoxylin only.</param>
/// <param name="GivenMpp">Micrometres per pixel of a slide that does not state them; null for the default.</param>
/// <param name="Classifier">Classifier of IHC levels; null for none.</param>
internal sealed record MeasurementPlan(CatalogueSlide Slide, IReadOnlyList<MeasuredRegion> Regions, IReadOnlyList<PlannedPicture> Pictures,
    (int First, int Second)? Compared, IhcSettings Settings, bool HaematoxylinOnly, double? GivenMpp, CatalogueModel? Classifier);
