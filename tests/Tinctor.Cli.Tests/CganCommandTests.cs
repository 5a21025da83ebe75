using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

/// <summary>The conditional GAN of the super-resolution paper through the command line, on autofluorescence of four channels.</summary>
public sealed class CganCommandTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-cgan-").FullName;

    [Theory, InlineData(4), InlineData(5)]
    public void Train_cgan_on_phantom_stains_sources(int factor)
    {
        Succeed("phantom", "-o", At("pairs"), "--slides", "3", "--stains", "af,he", "--size", "160x160", "--af-factor", $"{factor}");
        Succeed(["train", "cgan", "--data", At("pairs"), "--output", At("run"), "--steps", "2", "--device", "cpu", .. TrainedRun.Set(
            $"model.factor={factor}", "model.input_channels=4", "model.width=4", "model.depth=2", "model.ndf=4", "data.crop_size=80")]);
        // Staining has no targets.
        Directory.Move(At("pairs/source"), At("sources"));
        Directory.Delete(At("pairs"), recursive: true);
        Succeed("stain", At("run"), At("sources"), "-o", At("stained"), "--device", "cpu");
        Assert.Equal(3, Directory.GetFiles(At("stained"), "*.png").Length);
        Assert.All(Directory.GetFiles(At("stained"), "*.png"), file =>
        {
            Image image = Image.Read(file);
            Assert.Equal((160, 160, 3), (image.Width, image.Height, image.Channels));
        });
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string At(string name) => Path.Combine(root, name);

    private static void Succeed(params string[] arguments)
    {
        Outcome outcome = CommandLine.Run(arguments);
        Assert.Equal(("", 0), (outcome.Error, outcome.Code));
    }
}
