using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

/// <summary>Training of one model for two stains, and staining with it.</summary>
public sealed class SeveralStainsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-stains-").FullName;

    public SeveralStainsTests() => torch.set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Train_two_data_sets_and_stain_to_each_stain()
    {
        foreach (string set in new[] { "her2", "ki67" })
            for (int i = 0; i < 2; i++) Write($"{set}/train/{i}.png", 64, 32, i);
        Outcome trained = CommandLine.Run(["train", "pix2pix", "--data", $"HER2={At("her2")}", "--data", $"Ki67={At("ki67")}",
            "--output", At("run"), "--steps", "2", "--crop-size", "32", "--device", "cpu",
            .. TrainedRun.Set("model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "training.samples=0")]);
        Assert.Equal((0, ""), (trained.Code, trained.Error));
        Assert.Contains("stains HER2: 2, Ki67: 2", trained.Messages);

        Write("in/a.png", 40, 30, 7);
        Assert.Equal(0, Stain("in", "--to", "Ki67").Code);
        Assert.Equal(["Ki67/a.png", "stained.csv"], Results());
        byte[] first = File.ReadAllBytes(At("out/Ki67/a.png"));
        Assert.Contains("Stained 1 image", Stain("in").Out);
        Assert.Equal(["HER2/a.png", "Ki67/a.png", "stained.csv"], Results());
        Assert.Equal(first, File.ReadAllBytes(At("out/Ki67/a.png")));
        Assert.Equal(0, Stain("in", "--format", "ome.tif").Code);
        Assert.Equal(["HER2/a.ome.tif", "Ki67/a.ome.tif"], Results().Where(file => file.EndsWith(".ome.tif", StringComparison.Ordinal)));
        Outcome unknown = Stain("in", "--to", "HER2,ER");
        Assert.Equal("error: the stain is ER, but the stains of the model are HER2, Ki67. Choose some of these (--to).",
            unknown.OneError());

        // The rows of a manifest are stained to the stains of their targets.
        File.WriteAllText(At("manifest.csv"), "source,target,split,stain\nin/a.png,x.png,test,Ki67\nin/a.png,y.png,test,ER\n");
        Assert.Equal(0, CommandLine.Run("stain", At("run"), At("manifest.csv"), "--split", "test", "-o", At("split")).Code);
        Assert.Equal("Ki67/a.png", Assert.Single(Directory.GetFiles(At("split"), "*.png", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(At("split"), file))));
    }

    private IEnumerable<string> Results() => Directory.GetFiles(At("out"), "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(At("out"), file)).Where(file => file[0] != '.').Order(StringComparer.Ordinal);

    private Outcome Stain(string input, params string[] options) =>
        CommandLine.Run(["stain", At("run"), At(input), "-o", At("out"), .. options]);

    private void Write(string name, int width, int height, int seed)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        TrainedRun.Noise(width, height, seed).Write(At(name));
    }

    private string At(string name) => Path.Combine(folder, name);
}
