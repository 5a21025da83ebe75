using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

/// <summary>Stains the sample slide with the sample model of the repository.</summary>
public sealed class SampleModelTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-sample-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stain_sample_slide_without_libtorch_resembles_real_stain()
    {
        Outcome outcome = CommandLine.RunWithoutLibtorch("stain", RepositoryFiles.Path("samples/model"), Sample("he"), "-o", folder);
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        double stained = Error(Path.Combine(folder, "he.ome.tif"), Sample("her2")), source = Error(Sample("he"), Sample("her2"));
        Assert.True(stained < 0.25 * source, $"mean squared error {stained}, of the source {source}");
    }

    private static string Sample(string stain) => RepositoryFiles.Path($"samples/data/phantom/{stain}.ome.tif");

    // Mean squared error of slides at full resolution.
    private static double Error(string path, string reference)
    {
        using Slide a = Slide.Open(path), b = Slide.Open(reference);
        byte[] first = a.Read(0, 0, 0, a.Width, a.Height).Data, second = b.Read(0, 0, 0, b.Width, b.Height).Data;
        return first.Zip(second, (x, y) => (double)(x - y) * (x - y)).Average();
    }
}
