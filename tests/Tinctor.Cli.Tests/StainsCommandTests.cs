using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

public sealed class StainsCommandTests : IDisposable
{
    private static readonly double[] Haematoxylin = [0.651, 0.701, 0.29], Dab = [0.269, 0.568, 0.778], Eosin = [0.2, 0.9, 0.387];

    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-stains-").FullName;

    public StainsCommandTests() => torch.set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Estimate_prints_and_saves_profile()
    {
        Section("in/a.png", Dab);
        Section("in/deep/b.tif", Dab);
        Glass("in/glass.png");
        Outcome outcome = CommandLine.Run("stains", "estimate", At("in"), "--method", "vahadane", "-o", At("p.json"));
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Matches(@"DAB +0\.2", outcome.Out);
        Assert.Contains("stained pixels of 3 images, 1 of them without any", outcome.Out);
        using JsonDocument profile = JsonDocument.Parse(File.ReadAllText(At("p.json")));
        Assert.Equal("vahadane", profile.RootElement.GetProperty("method").GetString());
        JsonElement stains = profile.RootElement.GetProperty("stains");
        Assert.Equal(["H", "DAB"], stains.EnumerateArray().Select(stain => stain.GetProperty("name").GetString()));
        Assert.Equal(3, profile.RootElement.GetProperty("images").GetInt32());
    }

    [Fact]
    public void Separate_writes_one_folder_per_stain()
    {
        Section("in/a.png", Dab);
        Section("in/deep/b.png", Dab);
        Assert.Equal(0, CommandLine.Run("stains", "separate", At("in"), "-o", At("out"), "--stains", "hdab").Code);
        Assert.Equal(["DAB/a.png", "DAB/deep/b.png", "H/a.png", "H/deep/b.png"], Files("out"));
        Image source = Image.Read(At("in/a.png"));
        Assert.Equal(StainImages.Render(source, StainMatrix.HaematoxylinDab, 1).Data, Image.Read(At("out/DAB/a.png")).Data);

        Assert.Equal(0, CommandLine.Run("stains", "separate", At("in/a.png"), "-o", At("od"), "--channels", "dab", "--amounts").Code);
        Assert.Equal(["DAB/a.tif"], Files("od"));
        Image amounts = Image.Read(At("od/DAB/a.tif"));
        Assert.Equal((1, SampleType.UInt16), (amounts.Channels, amounts.SampleType));

        Assert.Equal(0, CommandLine.Run("stains", "estimate", At("in/a.png"), "-o", At("p.json")).Code);
        Assert.Equal(0, CommandLine.Run("stains", "separate", At("in/a.png"), "-o", At("own"), "--stains", At("p.json")).Code);
        Assert.Equal(["DAB/a.png", "H/a.png"], Files("own"));
        Assert.Equal(0, CommandLine.Run("stains", "separate", At("in/a.png"), "-o", At("own2"), "--stains", "estimated").Code);
        Assert.Equal(["H/a.png", "counterstain/a.png"], Files("own2"));
        Assert.Equal(Image.Read(At("own/DAB/a.png")).Data, Image.Read(At("own2/counterstain/a.png")).Data);
    }

    [Fact]
    public void Normalize_to_reference_keeps_background()
    {
        Section("in/a.png", Dab);
        Glass("in/glass.png");
        Section("reference.png", Eosin);
        Outcome outcome = CommandLine.Run("stains", "normalize", At("in"), "--to", At("reference.png"), "-o", At("out"));
        Assert.Equal(0, outcome.Code);
        Assert.StartsWith($"warning: {At("in/glass.png")}: not normalised: only 0 of the sampled pixels are stained", outcome.Error);
        Assert.Equal(Image.Read(At("in/glass.png")).Data, Image.Read(At("out/glass.png")).Data);
        StainProfile wanted = Profile("reference.png"), reached = Profile("out/a.png");
        Assert.Equal("E", reached.Stains[1].Name);
        Assert.InRange(wanted.LabMean[1] - reached.LabMean[1], -3, 3);

        File.WriteAllText(At("out/a.png"), "mine");
        Assert.Contains("Existing results are kept: 2 of 2",
            CommandLine.Run("stains", "normalize", At("in"), "--to", At("reference.png"), "-o", At("out")).All);
        Assert.Equal("mine", File.ReadAllText(At("out/a.png")));

        Assert.Equal(0, CommandLine.Run("stains", "estimate", At("reference.png"), "-o", At("p.json")).Code);
        string[] fromProfile = ["stains", "normalize", At("in/a.png"), "--to", At("p.json"), "-o", At("again"), "--overwrite"];
        Assert.Equal(0, CommandLine.Run(fromProfile).Code);
        Assert.Equal(0, CommandLine.Run([.. fromProfile, "--method", "reinhard"]).Code);
        Assert.Contains("estimate it again with that method", CommandLine.Run([.. fromProfile, "--method", "vahadane"]).OneError());
        Assert.Equal(0, CommandLine.Run([.. fromProfile, "--from", At("p.json")]).Code);
    }

    [Fact]
    public void Stain_with_normalised_model_normalises_sources()
    {
        for (int i = 0; i < 3; i++)
        {
            Section($"data/trainA/{i}.png", Eosin, seed: i);
            Section($"data/trainB/{i}.png", Dab, seed: i);
        }
        Section("pale.png", Eosin, strength: 0.5);
        Section("dark.png", Dab, strength: 1.3);
        Assert.Equal(0, CommandLine.Run("stains", "estimate", At("pale.png"), "-o", At("source.json")).Code);
        Assert.Equal(0, CommandLine.Run("stains", "estimate", At("dark.png"), "-o", At("target.json")).Code);
        string[] settings = TrainedRun.Set("model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "data.crop_size=32",
            $"data.normalize={At("source.json")}", $"data.normalize_target={At("target.json")}");
        Outcome trained = CommandLine.Run(
            ["train", "pix2pix", "--data", At("data"), "--output", At("run"), "--steps", "2", .. settings]);
        Assert.Equal(0, trained.Code);
        Assert.Contains("targets are normalised by macenko, from the common profile of 3 training targets", trained.All);

        // The run needs the files no more.
        File.Delete(At("source.json"));
        File.Delete(At("target.json"));
        string config = At("run/config.yaml");
        File.WriteAllText(config, File.ReadAllText(config).Replace("steps: 2", "steps: 3"));
        Assert.Equal(0, CommandLine.Run("train", "--output", At("run"), "--resume").Code);

        Glass("glass.png");
        Outcome stained = CommandLine.Run("stain", At("run"), At("data/trainA/0.png"), At("glass.png"), "-o", At("stained"));
        Assert.Equal(0, stained.Code);
        Assert.Matches("^warning: .*glass.png: stain normalisation was skipped: only 0 of .*[.]\n$", stained.Error);
        Assert.Equal(0, CommandLine.Run("stains", "normalize", At("data/trainA/0.png"), "--to", At("pale.png"), "-o", At("pale")).Code);
        config = At("run/model/config.yaml");
        string text = File.ReadAllText(config);
        File.WriteAllText(config, text[..text.IndexOf("stains:", StringComparison.Ordinal)]);
        Assert.Equal(0, CommandLine.Run("stain", At("run"), At("pale/0.png"), "-o", At("again")).Code);
        Assert.Equal(Image.Read(At("stained/0.png")).Data, Image.Read(At("again/0.png")).Data);
        Assert.Contains("were not normalised",
            CommandLine.Run("stains", "normalize", At("data/trainB"), "--to", At("run"), "-o", At("real")).OneError());

        File.WriteAllText(config, text);
        Assert.Equal(0, CommandLine.Run("stains", "normalize", At("data/trainB"), "--to", At("run"), "-o", At("real")).Code);
        Assert.InRange(Profile("real/1.png").Stains[1].Maximum / Profile("dark.png").Stains[1].Maximum, 0.9, 1.1);
    }

    [Fact]
    public void Stains_mistakes_are_one_line()
    {
        Section("in/a.png", Dab);
        Glass("glass.png");
        File.WriteAllText(At("broken.png"), "no image");
        Assert.Contains("glass.png: only 0 of", CommandLine.Run("stains", "estimate", At("glass.png")).OneError());
        Assert.Contains("broken.png", CommandLine.Run("stains", "estimate", At("broken.png")).OneError());
        Assert.Contains("glass.png: only 0 of",
            CommandLine.Run("stains", "normalize", At("in"), "--to", At("glass.png"), "-o", At("out")).OneError());
        Assert.Contains("missing.json: no such file",
            CommandLine.Run("stains", "normalize", At("in"), "--to", At("missing.json"), "-o", At("out")).OneError());
        Assert.Contains("these stains are H, E, DAB",
            CommandLine.Run("stains", "separate", At("in"), "-o", At("out"), "--channels", "X").OneError());
        Assert.Contains("hematoxylin: no such file",
            CommandLine.Run("stains", "separate", At("in"), "-o", At("out"), "--stains", "hematoxylin").OneError());
        TrainedRun.Noise(20, 20, 1, channels: 1).Write(At("in/grey.png"));
        Outcome outcome = CommandLine.Run("stains", "separate", At("in"), "-o", At("out"));
        Assert.Contains("grey.png: 1 channel, but stains need RGB", outcome.OneError());
        Assert.Contains("Separated 1 image into", outcome.Out);
    }

    [Theory]
    [InlineData("normalize", "--to", "reference.png"), InlineData("separate"), InlineData("estimate")]
    public void Stains_transparent_image_has_note_of_white_background(string command, params string[] options)
    {
        Section("reference.png", Dab);
        Section("opaque.png", Dab);
        Image opaque = Image.Read(At("opaque.png"));
        var transparent = new Image(opaque.Width, opaque.Height, 4);
        for (int i = 0; i < opaque.Data.Length; i++) transparent.Data[(i / 3 * 4) + (i % 3)] = opaque.Data[i];
        for (int p = 0; p < opaque.Width * opaque.Height; p++) transparent.Data[(p * 4) + 3] = (byte)(p < 100 ? 0 : 255);
        transparent.Write(At("transparent.png"));
        string[] arguments = [.. options.Select(option => option.StartsWith('-') ? option : At(option)), "-o", At("out.json")];
        Outcome outcome = CommandLine.Run(["stains", command, At("opaque.png"), At("transparent.png"), .. arguments]);
        Assert.Equal(0, outcome.Code);
        string warning = Assert.Single(outcome.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"warning: {At("transparent.png")}: ", warning);
        Assert.Contains("composited on white", warning);
    }

    private StainProfile Profile(string name) => StainProfile.Estimate(StainedPixels.FromImage(Image.Read(At(name))), StainMethod.Macenko);

    // Nuclei, stroma and both, in two stains.
    private void Section(string name, double[] second, double strength = 0.8, int seed = 3)
    {
        var random = new Random(seed);
        var image = new Image(64, 48, 3);
        for (int i = 0; i < image.Data.Length; i += 3)
        {
            double kind = random.NextDouble();
            double a = kind < 0.5 ? strength * (0.2 + random.NextDouble()) : 0, b = kind > 0.4 ? strength * (0.2 + random.NextDouble()) : 0;
            for (int c = 0; c < 3; c++)
                image.Data[i + c] = (byte)Math.Round(255 * Math.Pow(10, -((a * Haematoxylin[c]) + (b * second[c]))));
        }
        Write(name, image);
    }

    private void Glass(string name)
    {
        var image = new Image(40, 40, 3);
        Array.Fill(image.Data, (byte)244);
        Write(name, image);
    }

    private void Write(string name, Image image)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        image.Write(At(name));
    }

    private IEnumerable<string> Files(string name) => Directory.GetFiles(At(name), "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(At(name), file)).Order(StringComparer.Ordinal);

    private string At(string name) => Path.Combine(folder, name);
}
