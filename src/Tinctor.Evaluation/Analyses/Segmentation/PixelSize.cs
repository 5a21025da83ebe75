using System.Globalization;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Pixel size that is assumed for images without metadata.</summary>
internal static class PixelSize
{
    /// <summary>A 20x scan, in micrometres per pixel.</summary>
    public const double Default = 0.5;

    /// <summary>Description of the pixel size used, for provenance.</summary>
    internal static Definition Of(double micronsPerPixel) => new("Pixel size", string.Create(CultureInfo.InvariantCulture,
        $"{micronsPerPixel} um per pixel"));
}
