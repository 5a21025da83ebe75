using Tinctor.Registration.Metrics;
using Tinctor.Slides;

namespace Tinctor.Registration.Slides;

/// <summary>Image of a section, such as the overview of a slide.</summary>
/// <param name="Image">Pixels.</param>
/// <param name="Modality">Modality of the slide.</param>
/// <param name="Mpp">Micrometres per pixel of the image; null if unknown.</param>
internal sealed record SectionImage(Image Image, Modality Modality, double? Mpp = null)
{
    /// <summary>Creates a section from an image without metadata; its modality is estimated.</summary>
    public static SectionImage From(Image image) => From(image, image.EstimateModality(), image.Channels == 3, null);

    /// <summary>Reads the overview of a slide.</summary>
    /// <param name="slide">Slide.</param>
    /// <param name="downsample">Pixels of level 0 per pixel of the overview.</param>
    /// <exception cref="TinctorException">The slide is damaged.</exception>
    public static SectionImage Read(Slide slide, double downsample)
    {
        (int width, int height) = slide.SizeAt(downsample);
        return From(slide.ReadAt(downsample, 0, 0, width, height), slide.Modality, slide.IsRgb, slide.Mpp * downsample);
    }

    // Fluorescence that is stored as RGB is one channel to the registration.
    private static SectionImage From(Image image, Modality modality, bool rgb, double? mpp) =>
        new(rgb && modality == Modality.Fluorescence ? FluorescenceImage.FromRgb(image) : image, modality, mpp);
}
