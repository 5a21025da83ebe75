using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Registration.Fields;

/// <summary>Detection of the tissue of fields.</summary>
internal static class FieldTissue
{
    private const double UsualMpp = 0.5; // micrometres per pixel at an objective of 20x
    private const double LongestSide = 512; // pixels of the image in which pale tissue is detected

    // A field is smaller than a slide's holes and pieces, and its tiles are judged one by one.
    private static readonly TissueOptions Options =
        new() { Smoothing = 4, Closing = 10, LargestHole = 0, LeastPiece = 0, Pens = PenColours.None, Folds = false };

    /// <summary>
    /// Detects tissue: dense pixels, and pale tissue as on slides; null for a field that is not brightfield. Either alone is not enough:
    /// pale stains have few dense pixels, and a field without background has no threshold between tissue and background.
    /// </summary>
    /// <param name="field">Field.</param>
    /// <param name="modality">Modality of the field.</param>
    /// <param name="mpp">Micrometres per pixel; null for 0.5.</param>
    public static TissueMask? Detect(Image field, Modality modality, double? mpp)
    {
        if (modality != Modality.Brightfield) return null;
        double downsample = Math.Max(1, Math.Max(field.Width, field.Height) / LongestSide);
        Image small = field.Resize((int)Math.Ceiling(field.Width / downsample), (int)Math.Ceiling(field.Height / downsample));
        Image pale = TissueMask.Detect(small, mpp: (mpp ?? UsualMpp) * downsample, options: Options).Mask
            .Resize(field.Width, field.Height, ResizeKernel.Nearest);
        bool[] dense = StructureImage.DensePixels(field);
        return TissueMask.FromImage(new(field.Width, field.Height, 1,
            data: [.. dense.Zip(pale.Data, (isDense, isPale) => isDense || isPale > 0 ? byte.MaxValue : (byte)0)]));
    }
}
