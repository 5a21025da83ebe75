using Tinctor.Slides;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Writes the target as it lies on the source, pixel for pixel of the source's level 0, tile by tile.
/// </summary>
public static class SlideWarp
{
    /// <summary>Writes the whole slide.</summary>
    /// <param name="transform">From source to target; it must have passed, or the caller must know better.</param>
    /// <param name="target">The target's slide.</param>
    /// <param name="path">Any file that <see cref="SlideWriter"/> writes.</param>
    /// <param name="jpegQuality">1 to 100; null writes without loss.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancel">Stops between tiles; nothing is left of the file.</param>
    /// <exception cref="TinctorException">The target is damaged or another slide, or the format cannot hold it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(SlideTransform transform, Slide target, string path, int? jpegQuality = 90, IProgress<double>? progress = null,
        CancellationToken cancel = default)
    {
        SlideFrame frame = transform.Source;
        var spec = new SlideSpec(frame.Width, frame.Height, target.Channels, target.SampleType)
        {
            Mpp = frame.Mpp,
            Name = target.Name,
            ChannelInfo = target.ChannelInfo,
            IccProfile = target.ReadIccProfile(),
            JpegQuality = jpegQuality,
        };
        int done = 0, tiles = spec.Tiles.Count();
        SlideWriter.Write(path, spec, ReadAhead.Of(spec.Tiles, Environment.ProcessorCount,
            tile => transform.Read(target, 1, tile.X, tile.Y, tile.Width, tile.Height)).Select(read =>
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report((double)done++ / tiles);
            return read.Result;
        }));
        progress?.Report(1);
    }
}
