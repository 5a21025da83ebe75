using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.DeReStainer;
using Tinctor.Training.Networks;

namespace Tinctor.Staining.Tests;

[Collection(Alone.Name)]
public sealed class StainerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("stainer-").FullName;

    [Fact]
    public void Stain_predicts_ihc_level_from_source()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var (network, config) = Network();
        using (network)
        {
            using var stainer = TrainedModel.CreateStainer(network, config, Device.CPU);
            Image source = Noise(72, 50);
            (Image stained, IhcLevelPrediction? level, _) = stainer.Stain(source);
            Assert.Equal((72, 50), (stained.Width, stained.Height));
            Assert.Equal(config.Levels, level!.Levels);
            Assert.Equal(1, level.Probabilities.Sum(), 1e-5);
            Assert.Equal(level.Probabilities.Max(), level.Probability);
            Assert.Equal(config.Levels[Array.IndexOf([.. level.Probabilities], level.Probability)], level.Level);
            Assert.Equal(stained.Data, stainer.Stain(source).Image.Data);
        }
    }

    [Fact]
    public void Stain_with_scale_resizes_and_restores_size()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var (network, config) = Network();
        using (network)
        {
            Image source = Noise(128, 96);
            using var full = TrainedModel.CreateStainer(network, config, Device.CPU);
            using var half = TrainedModel.CreateStainer(network, config with { Inference = new InferenceConfig { Scale = 0.5 } },
                Device.CPU);
            Image byHand = full.Stain(source.Resize(64, 48, ResizeKernel.Cubic)).Image.Resize(128, 96, ResizeKernel.Cubic);
            Assert.Equal(byHand.Data, half.Stain(source).Image.Data);
            Assert.NotEqual(full.Stain(source).Image.Data, half.Stain(source).Image.Data);
        }
    }

    [Fact]
    public void Stain_over_orientations_is_equivariant_mean()
    {
        var (network, config) = Network();
        using (network)
        {
            using var stainer = TrainedModel.CreateStainer(network, config, Device.CPU);
            Image source = Noise(64, 48);
            StainedImage mean = stainer.Stain(source, averageOrientations: true);
            StainedImage turned = stainer.Stain(Mirrored(source), averageOrientations: true);
            Assert.InRange(mean.Image.Data.Zip(Mirrored(turned.Image).Data, (a, b) => Math.Abs(a - b)).Max(), 0, 1);
            Assert.Equal(mean.IhcLevel!.Probability, turned.IhcLevel!.Probability, 1e-5f);
            Assert.NotEqual(stainer.Stain(source).Image.Data, mean.Image.Data);
        }

        static Image Mirrored(Image image)
        {
            var mirrored = new Image(image.Width, image.Height, 3);
            for (int i = 0; i < image.Data.Length; i++)
            {
                (int y, int x, int c) = (i / 3 / image.Width, i / 3 % image.Width, i % 3);
                mirrored.Data[(((y * image.Width) + image.Width - 1 - x) * 3) + c] = image.Data[i];
            }
            return mirrored;
        }
    }

    [Fact]
    public void IhcLevelTable_grows_and_refuses_other_levels()
    {
        var one = new IhcLevelTable(folder, ["0", "3+"]);
        one.Set("b, second", new(["0", "3+"], [0.25f, 0.75f]));
        one.Save();
        var two = new IhcLevelTable(folder, ["0", "3+"]);
        Assert.True(two.Contains("b, second"));
        Assert.False(two.Contains("a"));
        two.Set("a", new(["0", "3+"], [0.9f, 0.1f]));
        two.Save();
        Assert.Equal(["name,level,probability,p_0,p_3+", "a,0,0.9000,0.9000,0.1000", "\"b, second\",3+,0.7500,0.2500,0.7500"],
            File.ReadAllLines(Path.Combine(folder, "levels.csv")));
        Assert.Contains("its columns are", Assert.Throws<TinctorException>(() => new IhcLevelTable(folder, ["0", "1+"])).Message);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static (DeReStainerGenerator network, DeReStainerConfig config) Network()
    {
        torch.manual_seed(2);
        var config = new DeReStainerConfig { Ngf = 4, NBlocks = 1 };
        return (config.CreateNetwork(), config);
    }

    private static Image Noise(int width, int height)
    {
        var image = new Image(width, height, 3, SampleType.UInt8);
        new Random(1).NextBytes(image.Data);
        return image;
    }
}
