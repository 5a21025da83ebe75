using NetVips;

namespace Tinctor.Slides;

/// <summary>Writer of animated pictures.</summary>
internal static class Animation
{
    private const int Quality = 90;

    /// <summary>Writes an endless animation.</summary>
    /// <param name="frames">8-bit RGB images of the same size.</param>
    /// <param name="path">A .webp file, or a .gif with 256 colours.</param>
    /// <param name="milliseconds">Duration of a frame in milliseconds.</param>
    /// <exception cref="ArgumentException">The frames differ in size, or are not 8-bit RGB.</exception>
    /// <exception cref="TinctorException">The extension is another.</exception>
    public static void Write(IReadOnlyList<Image> frames, string path, int milliseconds = 150)
    {
        Image first = frames[0];
        if (frames.Any(frame => (frame.Width, frame.Height, frame.Channels, frame.SampleType)
            != (first.Width, first.Height, 3, SampleType.UInt8)))
            throw new ArgumentException("frames must be 8-bit RGB images of the same size", nameof(frames));
        var stacked = new Image(first.Width, first.Height * frames.Count, 3, data: [.. frames.SelectMany(frame => frame.Data)]);
        using VipsImage source = stacked.ToVips(Enums.Interpretation.Srgb);
        using VipsImage animation = source.Mutate(image =>
        {
            image.Set(GValue.GIntType, "page-height", first.Height);
            image.Set(GValue.GIntType, "loop", 0);
            image.Set(GValue.ArrayIntType, "delay", Enumerable.Repeat(milliseconds, frames.Count).ToArray());
        });
        ImageWriter.Store(path, Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".webp" => animation.WebpsaveBuffer(q: Quality),
            ".gif" => animation.GifsaveBuffer(),
            _ => throw new TinctorException(path, "animations cannot be written with this extension", "Use .webp or .gif."),
        });
    }
}
