using Tinctor.Staining.Inference;
using Tinctor.Tests;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

/// <summary>Generators of the official repository, through the command line into a model folder and out of the stainer.</summary>
public sealed class ImportCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-import-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("p2p_resnet6_batch", "resnet_6blocks, ngf 8, batch norm, 3 to 3 channels")]
    [InlineData("p2p_resnet9_instance", "resnet_9blocks, ngf 8, instance norm, 3 to 3 channels")]
    [InlineData("p2p_unet128_batch", "unet_128, ngf 8, batch norm, 3 to 3 channels")]
    [InlineData("p2p_unet128_instance", "unet_128, ngf 8, instance norm, 3 to 3 channels")]
    public void An_imported_generator_gives_the_official_output(string name, string description)
    {
        Vectors vectors = Vectors.Read(name);
        Outcome outcome = Import(SharedFiles.Path($"vectors/{name}/weights.pth"));
        Assert.Equal(0, outcome.Code);
        Assert.Contains(description, outcome.Out);
        vectors.Check("y_eval", Stained(vectors["x"]), 1e-4);
    }

    [Theory]
    [InlineData("p2p_resnet6_batch"), InlineData("p2p_unet128_batch")]
    public void Batch_statistics_are_those_of_the_official_test_script_and_change_nothing(string name)
    {
        Vectors vectors = Vectors.Read(name);
        Assert.Equal(0, Import(SharedFiles.Path($"vectors/{name}/weights.pth"), "--statistics", "batch").Code);
        vectors.Check("y_train", Stained(vectors["x_train"], vectors["x"]), 1e-4);
    }

    [Fact]
    public void What_is_no_generator_is_refused_in_one_line()
    {
        Assert.Contains("is no generator of pix2pix", Import(SharedFiles.Path("vectors/p2p_nlayerD_batch/weights.pth")).OneError());
        Assert.Contains("is no generator of pix2pix", Import(SharedFiles.Path("vectors/bbdm_unet/weights.pth")).OneError());
        string text = Path.Combine(folder, "text.pth");
        File.WriteAllText(text, "no checkpoint");
        Assert.Contains("text.pth", Import(text).OneError());
        Assert.Contains("missing.pth", Import(Path.Combine(folder, "missing.pth")).OneError());
        Assert.False(Directory.Exists(Model));
    }

    private string Model => Path.Combine(folder, "model");

    private Outcome Import(string checkpoint, params string[] options) =>
        CommandLine.Run(["import", "pix2pix", checkpoint, "-o", Model, .. options]);

    // Images stained before must not change the result.
    private Tensor Stained(Tensor image, Tensor? before = null)
    {
        using Stainer stainer = Stainer.Load(Model, Device.CPU);
        if (before is not null) stainer.Stain(before);
        return stainer.Stain(image);
    }
}
