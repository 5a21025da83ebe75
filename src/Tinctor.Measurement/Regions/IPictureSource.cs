using Tinctor.Slides;

namespace Tinctor.Measurement.Regions;

/// <summary>Pixels of a slide or of a stained slide, for measurements.</summary>
internal interface IPictureSource
{
    /// <summary>Width in pixels at full resolution.</summary>
    int Width { get; }

    /// <summary>Height in pixels at full resolution.</summary>
    int Height { get; }

    /// <summary>Reads a rectangle as 8-bit RGB.</summary>
    /// <param name="downsample">Pixels of the full resolution per pixel of the result, at least 1.</param>
    /// <param name="area">Rectangle within the picture, in pixels of the result.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="TinctorException">The picture cannot be read there.</exception>
    Image Read(double downsample, PixelArea area, CancellationToken cancel);

    /// <summary>Size of the picture at a downsample, in pixels.</summary>
    (int Width, int Height) SizeAt(double downsample) =>
        (Math.Max(1, (int)Math.Round(Width / downsample)), Math.Max(1, (int)Math.Round(Height / downsample)));
}
