using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training;

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
    public void Import_generator_stains_as_official_code(string name, string description)
    {
        Vectors vectors = Vectors.Read(name);
        Outcome outcome = Import(TestVectors.Path($"{name}/weights.pth"));
        Assert.Equal(0, outcome.Code);
        Assert.Contains(description, outcome.Out);
        vectors.Check("y_eval", Stained(vectors["x"]), 1e-4);
    }

    [Theory]
    [InlineData("p2p_resnet6_batch"), InlineData("p2p_unet128_batch")]
    public void Import_with_batch_statistics_stains_as_official_test_script(string name)
    {
        Vectors vectors = Vectors.Read(name);
        Assert.Equal(0, Import(TestVectors.Path($"{name}/weights.pth"), "--norm-statistics", "batch").Code);
        vectors.Check("y_train", Stained(vectors["x_train"], vectors["x"]), 1e-4);
    }

    [Fact]
    public void Import_other_file_is_one_line()
    {
        Assert.Contains("no generator of pix2pix", Import(TestVectors.Path("p2p_nlayerD_batch/weights.pth")).OneError());
        Assert.Contains("no generator of pix2pix", Import(TestVectors.Path("bbdm_unet/weights.pth")).OneError());
        string text = Path.Combine(folder, "text.pth");
        File.WriteAllText(text, "no checkpoint");
        Assert.Contains("text.pth", Import(text).OneError());
        Assert.Contains("missing.pth", Import(Path.Combine(folder, "missing.pth")).OneError());
        Assert.False(Directory.Exists(Model));
    }

    [Theory]
    [InlineData("i2sb_unet_uncond", "I2SB, 1000 steps, U-Net of 32 channels times 1, 2")]
    [InlineData("i2sb_unet_cond", "I2SB, conditioned on x1, 1000 steps")]
    public void Import_i2sb_stains_as_official_code(string name, string description)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        Outcome outcome = CommandLine.Run(["import", "i2sb", TestVectors.Path($"{name}/weights.pth"), "-o", Model,
            .. TrainedRun.Set("model.network.num_head_channels=32", "model.ot_ode=true", "model.sampling.evaluations=10")]);
        Assert.Equal(("", 0), (outcome.Error, outcome.Code));
        Assert.Contains(description, outcome.Out);
        Assert.Contains("attention heads (of 32 channels)", outcome.All.ReplaceLineEndings(" "));
        Vectors.Close(vectors["traj_ot_ode_xs"][0][..1].clamp(-1, 1), Stained(vectors["x1"]), "the stained image", 1e-4);
    }

    [Fact]
    public void Import_bbdm_with_compressor_stains_images()
    {
        string unet = Path.Combine(folder, "ema_0.9999_22.pt");
        string images = Path.Combine(folder, "images"), stained = Path.Combine(folder, "stained");
        File.Copy(TestVectors.Path("yijie_unet/weights.pth"), unet);
        File.Copy(TestVectors.Path("yijie_compress_narrow/weights.pth"), Path.Combine(folder, "ema_0.9999_22_compress.pt"));
        Outcome outcome = CommandLine.Run("import", "bbdm", unet, "-o", Model, "--set", "model.steps=4");
        Assert.Equal(("", 0), (outcome.Error, outcome.Code));
        Assert.Contains("compressor: ema_0.9999_22_compress.pt, 4 channels", outcome.All);
        Directory.CreateDirectory(images);
        TrainedRun.Noise(9, 8, 1, channels: 4).Write(Path.Combine(images, "a.tif"));
        Assert.Equal(("", 0), Errors(CommandLine.Run("stain", Model, images, "-o", stained, "--device", "cpu")));
        Image image = Image.Read(Assert.Single(Directory.GetFiles(stained, "a.*")));
        Assert.Equal((45, 40, 3), (image.Width, image.Height, image.Channels));
        Assert.Contains("model.stepps", CommandLine.Run("import", "bbdm", unet, "-o", Model, "--set", "model.stepps=4").OneError());
        Assert.Contains("no compressor of", CommandLine.Run("import", "bbdm", unet, "--compressor", unet, "-o", Model).OneError());

        static (string, int) Errors(Outcome outcome) => (outcome.Error, outcome.Code);
    }

    private string Model => Path.Combine(folder, "model");

    private Outcome Import(string checkpoint, params string[] options) =>
        CommandLine.Run(["import", "pix2pix", checkpoint, "-o", Model, .. options]);

    // Images stained before must not change the result.
    private Tensor Stained(Tensor image, Tensor? before = null)
    {
        using Stainer stainer = TrainedModel.LoadStainer(Model, Device.CPU);
        if (before is not null) stainer.Stain(Batch(before));
        ImageBatch stained = stainer.Stain(Batch(image));
        return torch.tensor<float>(stained.Values, stained.Count, stained.Channels, stained.Height, stained.Width);

        static ImageBatch Batch(Tensor images) => new((int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3),
            images.contiguous().ToArray<float>());
    }
}
