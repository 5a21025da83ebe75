using Tinctor.Slides.Native;

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
    public static unsafe void Write(IReadOnlyList<Image> frames, string path, int milliseconds = 150)
    {
        Image first = frames[0];
        if (frames.Any(frame => (frame.Width, frame.Height, frame.Channels, frame.SampleType)
            != (first.Width, first.Height, 3, SampleType.UInt8)))
            throw new ArgumentException("frames must be 8-bit RGB images of the same size", nameof(frames));
        byte[] data = [.. frames.SelectMany(frame => frame.Data)];
        fixed (byte* pixels = data)
        {
            using var memory = VipsImage.Wrap(pixels, data.LongLength, first.Width, first.Height * frames.Count, 3, VipsImage.UChar);
            using var copy = new VipsOperation("copy").Set("in", memory).Set("interpretation", "srgb");
            using var source = copy.RunToImage();
            source.SetPages(first.Height, milliseconds);
            using VipsOperation save = Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".webp" => new VipsOperation("webpsave_buffer").Set("Q", $"{Quality}"),
                ".gif" => new VipsOperation("gifsave_buffer"),
                _ => throw new TinctorException(path, "animations cannot be written with this extension", "Use .webp or .gif."),
            };
            save.Set("in", source).RunToBytes(bytes => ImageWriter.Store(path, bytes));
        }
    }
}
