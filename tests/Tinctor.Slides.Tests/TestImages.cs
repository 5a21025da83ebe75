namespace Tinctor.Slides.Tests;

/// <summary>Images and folders for the tests.</summary>
internal static class TestImages
{
    /// <summary>Seeded noise, the same in each run.</summary>
    public static Image Make(int width, int height, int channels, SampleType type, int seed = 1)
    {
        var image = new Image(width, height, channels, type);
        new Random(seed).NextBytes(image.Data);
        return image;
    }

    /// <summary>A smooth picture, as JPEG likes it.</summary>
    public static Image Smooth(int width, int height, int channels)
    {
        var image = new Image(width, height, channels);
        for (var i = 0; i < image.Data.Length; i++)
        {
            var (pixel, c) = (i / channels, i % channels);
            var (x, y) = (pixel % width, pixel / width);
            image.Data[i] = (byte)(127 + 60 * Math.Sin(x * 0.1 + c) + 60 * Math.Cos(y * 0.07 - c));
        }
        return image;
    }

    /// <summary>The image from the top, so many rows at a time.</summary>
    public static IEnumerable<Image> Bands(Image image, int rows)
    {
        for (int y = 0; y < image.Height; y += rows) yield return image.Crop(0, y, image.Width, Math.Min(rows, image.Height - y));
    }
}

/// <summary>A folder that is gone after the test.</summary>
public abstract class InTemporaryFolder : IDisposable
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("tinctor-slides-").FullName;

    protected string At(string name) => Path.Combine(Folder, name);

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
