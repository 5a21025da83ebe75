using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>Mean colour of a set of images: the flat image with the least squared error over the set, used as a baseline.</summary>
/// <param name="Rgb">Red, green and blue, 0 to 255, rounded since images are 8-bit.</param>
/// <param name="Images">Number of images.</param>
internal sealed record MeanColour(byte[] Rgb, int Images)
{
    /// <summary>Averages over all pixels of all images.</summary>
    public static MeanColour Compute(
        IReadOnlyList<string> paths, Func<string, Image> read, IProgress<EvaluationProgress>? progress, CancellationToken cancel)
    {
        var images = ImagePass.Over(paths, "mean colour", progress, cancel, path =>
        {
            Image image = RgbReader.ToRgb(read(path));
            return (Sums: Sums(image.Data), Pixels: (long)image.Width * image.Height);
        });
        long pixels = images.Sum(image => image.Pixels);
        byte[] rgb = [.. Enumerable.Range(0, 3).Select(c => (byte)Math.Round(images.Sum(image => image.Sums[c]) / (double)pixels))];
        return new(rgb, paths.Count);
    }

    /// <summary>Mean of red, green and blue of an image, 0 to 255.</summary>
    public static double[] MeanRgb(Image image) => Array.ConvertAll(Sums(image.Data), sum => sum / ((double)image.Width * image.Height));

    /// <summary>Flat image of this colour.</summary>
    public Image Flat(int width, int height)
    {
        var data = new byte[width * height * 3];
        for (int i = 0; i < data.Length; i += 3) Rgb.CopyTo(data, i);
        return new(width, height, 3, SampleType.UInt8, data);
    }

    /// <summary>Refuses test images that are training images too (equal bytes): a baseline from test images would be biased.</summary>
    /// <exception cref="TinctorException">There are such images.</exception>
    public static void RefuseLeak(IEnumerable<string> train, IEnumerable<string> test)
    {
        var problems = new ProblemList();
        var bySize = train.ToLookup(path => new FileInfo(path).Length);
        foreach (string path in test)
        {
            if (bySize[new FileInfo(path).Length]
                .FirstOrDefault(other => Fingerprint.OfFile(other) == Fingerprint.OfFile(path)) is { } same)
                problems.Add(path, $"this test image is also a training image ({same})", "Test images must not be used for training");
        }
        problems.ThrowIfAny();
    }

    private static long[] Sums(ReadOnlySpan<byte> rgb)
    {
        long r = 0, g = 0, b = 0;
        for (int i = 0; i < rgb.Length; i += 3)
        {
            r += rgb[i];
            g += rgb[i + 1];
            b += rgb[i + 2];
        }
        return [r, g, b];
    }
}
