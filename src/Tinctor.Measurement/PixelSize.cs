namespace Tinctor.Measurement;

/// <summary>Pixel size that is assumed for images without metadata.</summary>
internal static class PixelSize
{
    /// <summary>A 20x scan, in micrometres per pixel.</summary>
    public const double Default = 0.5;
}
