using Tinctor.Slides;

namespace Tinctor.Transforms;

/// <summary>
/// Writing of a target slide on the pixels of its source, tile by tile.
/// </summary>
public static class SlideWarp
{
    /// <summary>Writes the warped target with the size and resolution of the source's level 0.</summary>
    /// <param name="transform">Transform from source to target.</param>
    /// <param name="target">Target slide.</param>
    /// <param name="path">File in a format of <see cref="SlideWriter"/>.</param>
    /// <param name="jpegQuality">JPEG quality, 1 to 100; null writes losslessly.</param>
    /// <param name="progress">Receives the completed share, 0 to 1.</param>
    /// <param name="threads">Number of tiles that are computed at a time; null for the number of processors.</param>
    /// <param name="cancel">Cancels between tiles; no file remains.</param>
    /// <exception cref="TinctorException">The target is damaged or not the registered slide, or the format cannot hold it.</exception>
    public static void Write(RegistrationTransform transform, Slide target, string path, int? jpegQuality = 90,
        IProgress<double>? progress = null, int? threads = null, CancellationToken cancel = default)
    {
        ImageFrame frame = transform.Source;
        var spec = new SlideSpec(frame.Width, frame.Height, target.Channels, target.SampleType)
        {
            Mpp = frame.Mpp,
            Name = target.Name,
            ChannelInfo = target.ChannelInfo,
            IccProfile = target.ReadIccProfile(),
            JpegQuality = jpegQuality,
        };
        int done = 0, tiles = spec.Tiles.Count();
        SlideWriter.Write(path, spec, ReadAhead.Of(spec.Tiles, threads ?? Environment.ProcessorCount,
            tile => transform.Read(target, 1, tile.X, tile.Y, tile.Width, tile.Height)).Select(read =>
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report((double)done++ / tiles);
            return read.Result;
        }));
        progress?.Report(1);
    }
}
