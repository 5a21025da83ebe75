using System.Globalization;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Description of a pixel size, for provenance.</summary>
internal static class PixelSizeDefinition
{
    /// <summary>Describes a number of micrometres per pixel.</summary>
    public static Definition Create(double micronsPerPixel) => new("Pixel size", string.Create(CultureInfo.InvariantCulture,
        $"{micronsPerPixel} um per pixel"));
}
