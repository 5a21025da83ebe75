using Tinctor.Slides;

namespace Tinctor.Data.Tests;

/// <summary>A folder of small images that is gone after the test.</summary>
public abstract class DataFolder : IDisposable
{
    protected string Root { get; } = Directory.CreateTempSubdirectory("tinctor-data-").FullName;

    protected string At(string name) => Path.Combine(Root, name);

    /// <summary>Writes an image in which every sample is a function of the seed, and returns its path.</summary>
    protected string Write(string name, int width = 8, int height = 8, int seed = 1, int channels = 3)
    {
        string path = At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Noise(width, height, seed, channels).Write(path);
        return path;
    }

    protected string WriteText(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    protected static Image Noise(int width, int height, int seed, int channels = 3)
    {
        var image = new Image(width, height, channels);
        new Random(seed).NextBytes(image.Data);
        return image;
    }

    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }
}
