using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

[Collection("trained")]
public sealed class StainCommandTests : IDisposable
{
    private readonly TrainedRun trained;
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-stain-").FullName;

    public StainCommandTests(TrainedRun trained)
    {
        this.trained = trained;
        torch.set_num_threads(1);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stain_images_keeps_name_folder_and_size()
    {
        (string name, int width, int height)[] images =
            [("a.png", 1, 1), ("b.png", 3, 5), ("c.tif", 257, 130), ("deep/d.png", 64, 33), ("e.png", 2, 70)];
        foreach ((string name, int width, int height) in images) Write(name, width, height);
        Outcome outcome = Stain("in");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));

        using Stainer stainer = OnnxModel.LoadStainer(trained.Model);
        foreach ((string name, int width, int height) in images)
        {
            Image stained = Image.Read(At("out", Path.ChangeExtension(name, ".png")));
            Assert.Equal((width, height, 3), (stained.Width, stained.Height, stained.Channels));
            Assert.Equal(stainer.Stain(Image.Read(At("in", name))).Image.Data, stained.Data);
        }
        Assert.Equal(images.Length, Directory.GetFiles(At("out"), "*.png", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Stain_transparent_image_notes_that_it_was_composited()
    {
        Write("a.png", 20, 20);
        Image opaque = Image.Read(At("in", "a.png"));
        var transparent = new Image(20, 20, 4);
        for (int i = 0; i < 400; i++) opaque.Data.AsSpan(3 * i, 3).CopyTo(transparent.Data.AsSpan(4 * i, 3));
        transparent.Write(At("in", "a.png"));
        Outcome outcome = Stain("in");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("composited on white", outcome.Error);
    }

    [Fact]
    public void Stain_existing_results_are_kept()
    {
        Write("a.png", 20, 20);
        Write("b.png", 20, 20);
        Directory.CreateDirectory(At("out"));
        File.WriteAllText(At("out", "a.png"), "mine");
        Assert.Contains("Existing results are kept: 1 of 2", Stain("in").All);
        Assert.Equal("mine", File.ReadAllText(At("out", "a.png")));
        Assert.Equal(0, Stain("in", "--overwrite", "--format", "jpg").Code);
        Assert.Equal(0, Stain("in", "--overwrite").Code);
        Assert.Equal(20, Image.Read(At("out", "a.png")).Width);
    }

    [Theory]
    [InlineData("a.png", "a.png")]
    [InlineData("s.tif", "s.ome.tif", "--format", "ome.tif")]
    public void Stain_into_results_of_another_model_is_refused(string input, string result, params string[] options)
    {
        Write(input, 40, 40);
        Assert.Equal(0, Stain("in", options).Code);
        byte[] first = File.ReadAllBytes(At("out", result));
        string model = OtherModel();
        Assert.Equal(0, Stain("in", options).Code);

        string error = CommandLine.Run(["stain", model, At("in"), "-o", At("out"), .. options]).OneError();
        Assert.Contains($"{result}: was made by another model, {trained.Run} (SHA-256 ", error);
        Assert.Contains("--overwrite", error);
        Assert.Equal(first, File.ReadAllBytes(At("out", result)));

        Assert.Equal(0, CommandLine.Run(["stain", model, At("in"), "-o", At("out"), "--overwrite", .. options]).Code);
        Assert.Contains("was made by another model", Stain("in", options).OneError());
    }

    [Fact]
    public void Stain_with_broken_image_reports_it_at_the_end()
    {
        Write("a.png", 20, 20);
        Write("grey.png", 20, 20, channels: 1);
        Write("z.png", 20, 20);
        File.WriteAllText(At("in", "broken.png"), "no image");
        Outcome outcome = Stain("in");
        Assert.Equal(1, outcome.Code);
        string[] errors = outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, errors.Length);
        Assert.Contains("broken.png", errors[0]);
        Assert.Contains("grey.png: 1 channel, but the model expects 3. Convert it to RGB (--channels).", errors[1]);
        Assert.Contains("Stained 2 images into", outcome.Out);
        Assert.Equal(["a.png", "broken.failed.json", "grey.failed.json", "stained.csv", "z.png"],
            Directory.GetFiles(At("out")).Select(Path.GetFileName).Where(name => name![0] != '.').Order());
    }

    [Fact]
    public void Stain_channels_rgb_converts_grey_images_and_slides()
    {
        Write("grey.png", 40, 40, channels: 1);
        Image.Read(At("in", "grey.png")).ToRgb8().Write(At("in", "rgb.png"));
        Assert.Contains("grey was converted to RGB", Stain("in", "--channels", "rgb").Messages);
        Assert.Equal(File.ReadAllBytes(At("out", "rgb.png")), File.ReadAllBytes(At("out", "grey.png")));
        Outcome slides = Stain("in", "--channels", "rgb", "--format", "ome.tif", "--lossless", "--whole-slide");
        Assert.Equal((0, ""), (slides.Code, slides.Error));
        using Slide grey = Slide.Open(At("out", "grey.ome.tif")), rgb = Slide.Open(At("out", "rgb.ome.tif"));
        Assert.Equal(rgb.Read(0, 0, 0, 40, 40).Data, grey.Read(0, 0, 0, 40, 40).Data);
    }

    [Fact]
    public void Stain_result_that_replaces_input_is_refused()
    {
        Write("a.png", 20, 20);
        Assert.Contains("the result would replace this input",
            CommandLine.Run("stain", trained.Run, At("in"), "-o", At("in"), "--overwrite").OneError());
        Write("a.tif", 20, 20);
        Assert.Contains("a.png: would be the result of", Stain("in").OneError());
        Assert.Contains("there is no such file or folder", Stain("missing").OneError());
        Directory.CreateDirectory(At("empty"));
        Assert.Contains("no images found", Stain("empty").OneError());
    }

    [Fact]
    public void Stain_manifest_without_split_is_refused()
    {
        File.WriteAllText(At("pairs.csv"), "source,target,split\n");
        Assert.Contains("--split train, val or test", Stain("pairs.csv").OneError());
    }

    [Fact]
    public void Stain_side_by_side_images_by_tiles_is_refused()
    {
        foreach (string split in new[] { "train", "test" })
        {
            Directory.CreateDirectory(At("data", split));
            TrainedRun.Noise(40, 20, 1).Write(At("data", split, $"{split}.png"));
        }
        Assert.Equal(0, CommandLine.Run("stain", trained.Run, At("data"), "--split", "test", "-o", At("out")).Code);
        Assert.Equal(20, Image.Read(At("out", "test.png")).Width);
        Assert.Contains("has source and target side by side",
            CommandLine.Run("stain", trained.Run, At("data"), "--split", "test", "-o", At("tiles"), "--tile-size", "64").OneError());
    }

    [Fact]
    public void Stain_split_takes_sources_of_models_direction()
    {
        foreach (string side in new[] { "A", "B" })
        {
            foreach (string split in new[] { "train", "test" })
            {
                Directory.CreateDirectory(At("data", split + side));
                TrainedRun.Noise(32, 32, side[0]).Write(At("data", split + side, "a.png"));
            }
        }
        Assert.Equal(0, CommandLine.Run(["train", "pix2pix", "--data", At("data"), "--output", At("run"), "--steps", "1",
            .. TrainedRun.Set("data.direction=BtoA", "data.crop_size=32", "data.validation_share=0", "model.generator=resnet_6blocks",
                "model.ngf=4", "model.ndf=4")]).Code);
        Assert.Equal(0, CommandLine.Run("stain", At("run"), At("data"), "--split", "test", "-o", At("split")).Code);
        Assert.Equal(0, CommandLine.Run("stain", At("run"), At("data", "testB", "a.png"), "-o", At("file")).Code);
        Assert.Equal(Image.Read(At("file", "a.png")).Data, Image.Read(At("split", "a.png")).Data);
    }

    [Fact]
    public void Stain_output_folder_inside_input_is_left_out()
    {
        Write("a.png", 20, 20);
        for (int i = 0; i < 2; i++) Assert.Equal(0, CommandLine.Run("stain", trained.Run, At("in"), "-o", At("in", "stained")).Code);
        Assert.Equal(["a.png"], Directory.GetFiles(At("in", "stained"), "*.png", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public void Stain_with_broken_model_is_one_line()
    {
        Write("a.png", 20, 20);
        Assert.Contains("is no model folder", CommandLine.Run("stain", At("in"), At("in"), "-o", At("out")).OneError());
        string model = At("model");
        trained.CopyModel(model);
        string config = Path.Combine(model, "config.yaml"), weights = Path.Combine(model, "model.safetensors");
        File.WriteAllText(config, File.ReadAllText(config).Replace("ngf: 4", "ngf: 5"));
        Assert.Contains("the weights do not fit config.yaml",
            CommandLine.Run("stain", model, At("in"), "-o", At("out"), "--executor", "torch").OneError());
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..1000]);
        Assert.Contains("model.safetensors", CommandLine.Run("stain", model, At("in"), "-o", At("out")).OneError());
    }

    // A copy of the model with another value of one weight.
    private string OtherModel()
    {
        string model = At("other");
        trained.CopyModel(model);
        string weights = Path.Combine(model, ModelFolder.WeightsFile);
        byte[] bytes = File.ReadAllBytes(weights);
        bytes[^4] ^= 1;
        File.WriteAllBytes(weights, bytes);
        return model;
    }

    private Outcome Stain(string input, params string[] options) =>
        CommandLine.Run(["stain", trained.Run, At(input), "-o", At("out"), .. options]);

    private void Write(string name, int width, int height, int channels = 3)
    {
        string path = At("in", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        TrainedRun.Noise(width, height, width + height, channels).Write(path);
    }

    private string At(params string[] names) => Path.Combine([folder, .. names]);
}
