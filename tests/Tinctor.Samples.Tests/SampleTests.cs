using System.Reflection;
using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Training;
using Tinctor.Transforms;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Tinctor.Samples.Tests;

/// <summary>Runs the programs of samples/ on small phantom data, and holds the code in the documentation against them.</summary>
public sealed class SampleTests : IDisposable
{
    private static readonly string[] Small =
        ["data.crop_size=64", "training.steps=2", "training.epochs=1", "training.epochs_decay=0", "model.ngf=4"];
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-samples-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void TrainModel_and_StainSlide_write_model_and_stained_slide()
    {
        Run("TrainModel", [Phantom(), At("run"), .. Small, "model.generator=resnet_6blocks"]);
        Assert.Equal("pix2pix", TrainedModel.ReadConfig(At("run")).Method);

        var source = Image.Read(Directory.EnumerateFiles(At("data/source"), "*.png", SearchOption.AllDirectories).First());
        source.Write(At("field.png"));
        Run("StainSlide", At("run"), At("field.png"), At("stained.ome.tif"));
        using Slide stained = Slide.Open(At("stained.ome.tif"));
        Assert.Equal((source.Width, source.Height), (stained.Width, stained.Height));
        Assert.True(File.Exists(At("stained.ome.json")));
    }

    [Fact]
    public void AddMethod_trains_model_of_external_method()
    {
        Run("AddMethod", [Phantom(), At("run"), .. Small]);
        Assert.Equal("l1", TrainedModel.ReadConfig(At("run")).Method);
    }

    [Fact]
    public void EvaluateWithMetric_reports_added_metric()
    {
        var random = new Random(1);
        foreach (string name in new[] { "real/a.png", "real/b.png", "stained/a.png", "stained/b.png" })
        {
            var image = new Image(64, 64, 3);
            random.NextBytes(image.Data);
            Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
            image.Write(At(name));
        }
        Run("EvaluateWithMetric", At("stained"), At("real"), At("report"));
        Assert.Contains("mean_red_difference", File.ReadAllText(At("report/metrics.json")));
    }

    [Fact]
    public void RegisterSlides_writes_transform_and_warped_slide()
    {
        PhantomField field = PhantomSlide.Render(new() { Width = 640, Height = 512 });
        foreach (PhantomImage image in field.Images)
            SlideWriter.Write(At($"{image.Stain}.ome.tif"), new SlideSpec(640, 512) { Mpp = 0.5 }, image.Image);
        Run("RegisterSlides", At("He.ome.tif"), At("Her2.ome.tif"), At("transform.json"), At("warped.ome.tif"));
        (double x, double y) = TransformFile.Read(At("transform.json")).Apply(320, 256);
        Assert.Equal(320, x, 5.0);
        Assert.Equal(256, y, 5.0);
        using Slide warped = Slide.Open(At("warped.ome.tif"));
        Assert.Equal((640, 512), (warped.Width, warped.Height));
    }

    [Theory]
    [InlineData("docs/csharp.md", "samples/StainSlide/Program.cs")]
    [InlineData("docs/csharp.md", "samples/TrainModel/Program.cs")]
    [InlineData("docs/csharp.md", "samples/EvaluateWithMetric/Program.cs")]
    [InlineData("docs/csharp.md", "samples/RegisterSlides/Program.cs")]
    [InlineData("docs/add-a-method.md", "samples/AddMethod/L1Config.cs")]
    [InlineData("docs/add-a-method.md", "samples/AddMethod/L1Method.cs")]
    [InlineData("docs/add-a-method.md", "samples/AddMethod/Program.cs")]
    public void Documentation_shows_code_of_sample(string page, string sample) =>
        Assert.Contains(File.ReadAllText(RepositoryFiles.Path(sample)), File.ReadAllText(RepositoryFiles.Path(page)));

    private string At(string name) => Path.Combine(folder, name);

    private string Phantom()
    {
        new PhantomDataset { Options = new() { Width = 128, Height = 128 }, Slides = 4 }.Write(At("data"));
        return At("data/manifest.csv");
    }

    private static void Run(string sample, params string[] arguments) => Assembly.Load(sample).EntryPoint!.Invoke(null, [arguments]);
}
