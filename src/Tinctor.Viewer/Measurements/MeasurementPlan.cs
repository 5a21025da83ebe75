using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Regions;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Registrations;

namespace Tinctor.Viewer.Measurements;

/// <summary>Picture to measure: a slide, one that is stained where it is measured, or one on the pixels of another.</summary>
/// <param name="Slide">The slide, the source of the staining, or the target of the registration.</param>
/// <param name="Model">Model that stains it; null for the slide itself.</param>
/// <param name="Key">Slide, model and target of the staining; null without a model.</param>
/// <param name="Registration">Registration from the slide of the regions to this one; null without one.</param>
internal sealed record PlannedPicture(
    CatalogueSlide Slide, CatalogueModel? Model = null, WorkKey? Key = null, CatalogueRegistration? Registration = null)
{
    /// <summary>Name for people.</summary>
    public string Name => Model is not null ? $"{Slide.Name}, stained with {Model.Name}"
        : Registration is not null ? $"{Slide.Name}, registered" : Slide.Name;
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
