using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Viewer.Pixels;

/// <summary>Layers of a slide: the source, and single stains of brightfield slides by colour deconvolution.</summary>
internal static class SlideLayer
{
    /// <summary>Name of the layer with the colours of the slide.</summary>
    public const string Source = "source";

    // In the order of the stains of the matrix.
    private static readonly string[] Stains = ["haematoxylin", "eosin", "dab"];

    /// <summary>Returns the names of the layers of a slide.</summary>
    /// <param name="isBrightfield">Whether the slide is brightfield RGB.</param>
    public static IReadOnlyList<string> NamesOf(bool isBrightfield) => isBrightfield ? [Source, .. Stains] : [Source];

    /// <summary>Renders a layer of an 8-bit RGB image.</summary>
    /// <param name="image">The source.</param>
    /// <param name="layer">One of <see cref="NamesOf"/>.</param>
    public static Image Render(Image image, string layer) => layer == Source ? image
        : StainImages.Render(image, StainMatrix.HaematoxylinEosinDab, Array.IndexOf(Stains, layer));
}
