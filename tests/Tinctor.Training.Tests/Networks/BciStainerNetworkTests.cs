using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Import;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.BciStainer;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Against numbers of the official code (tests/vectors/make_bcistainer.py), in float64.</summary>
public sealed class BciStainerNetworkTests
{
    private OrderedDictionary<string, Tensor>? loaded;

    // Loaded in the scope of the test.
    private OrderedDictionary<string, Tensor> Expected => loaded ??= SafeTensors.Load(TestVectors.Path("bcistainer/io.safetensors"));

    [Theory]
    [InlineData("G", true), InlineData("G_plain", false)]
    public void Generator_names_results_and_gradients_equal_official(string name, bool attention)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BciStainerGenerator network = Formula(Small(attention));
        Assert.Equal(OfficialKeys(name), FormulaWeights.Keys(network));
        network.eval();
        using (torch.no_grad())
        {
            Tensor source = FormulaWeights.Wave(0.05, 2, 3, 32, 24) * 0.9;
            (Tensor stained, Tensor small, Tensor logits) = network.Run(source);
            Vectors.Close(Expected[$"{name}.stained"], stained, "stained", 1e-9);
            Vectors.Close(Expected[$"{name}.small"], small, "small", 1e-9);
            Vectors.Close(Expected[$"{name}.logits"], logits, "logits", 1e-9);
            (Tensor alone, Tensor vector) = network.Stain(source);
            Vectors.Close(stained, alone, "Stain", 1e-14);
            Vectors.Close(logits, vector.narrow(1, 0, 4), "logits of Stain", 1e-14);
            Assert.Equal([2, 4 + 16], vector.shape);
        }
        network.train();
        (Tensor image, Tensor low, Tensor levels) = network.Run(FormulaWeights.Wave(0.05, 2, 3, 64, 64) * 0.9);
        Tensor loss = Weighted(image, 0.3) + Weighted(low, 0.7) + Weighted(levels, 2);
        loss.backward();
        Vectors.Close(Expected[$"{name}.loss"], loss, "loss", 1e-9);
        Vectors.Close(Expected[$"{name}.gradients"], Gradients(network), "gradients", 1e-8);
    }

    [Fact]
    public void Discriminator_names_results_and_gradients_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using BciStainerDiscriminator network = Formula(new BciStainerDiscriminator(3, ndf: 2));
        Assert.Equal(OfficialKeys("D"), FormulaWeights.Keys(network));
        Tensor[] scales = network.Scales(FormulaWeights.Wave(0.05, 2, 3, 70, 64) * 0.9);
        for (int i = 0; i < 2; i++) Vectors.Close(Expected[$"D.scale{i}"], scales[i], "scale", 1e-9);
        (Weighted(scales[0], 0.3) + Weighted(scales[1], 0.3)).backward();
        Vectors.Close(Expected["D.gradients"], Gradients(network), "gradients", 1e-8);
    }

    [Fact]
    public void Comparator_and_losses_equal_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        using BciStainerComparator network = Formula(new BciStainerComparator(3, ngf: 2, full_size: 64, largest: 6));
        network.eval();
        Assert.Equal(OfficialKeys("C"), FormulaWeights.Keys(network));
        Tensor a = FormulaWeights.Wave(0.05, 3, 3, 64, 48) * 0.9, b = FormulaWeights.Wave(0.07, 3, 3, 64, 48) * 0.9;
        Tensor latent = network.Latent(a), logits = network.Classify(latent);
        Vectors.Close(Expected["C.latent"], latent, "latent", 1e-9);
        Vectors.Close(Expected["C.logits"], logits, "logits", 1e-9);
        Vectors.Close(Expected["C.cmp"], CosineLoss.Compute(latent, network.Latent(b)), "cmp", 1e-9);
        Tensor focal = FocalLoss.Compute(logits * 5, torch.tensor<long>([3, 0, 1]), 2, new BciStainerConfig().LevelWeights);
        Vectors.Close(Expected["C.focal"], focal, "focal", 1e-5);
        Vectors.Close(Expected["ssim"], SsimLoss.Compute(a, b, window: 9, sigma: 2.375), "ssim", 1e-10);
    }

    /// <summary>Tiles of a slide share the style, not only the level.</summary>
    [Fact]
    public void Stain_given_style_of_other_image_changes_result()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        using BciStainerGenerator network = Formula(Small(attention: true));
        network.eval();
        Tensor source = FormulaWeights.Wave(0.05, 2, 3, 32, 32) * 0.9, other = FormulaWeights.Wave(0.9, 1, 3, 32, 32) * 0.9;
        (Tensor own, Tensor vector) = network.Stain(source);
        (Tensor stained, Tensor given) = network.Stain(source, network.Stain(other).Logits);
        Assert.Equal([2, 20], given.shape);
        Assert.True((own - stained).abs().max().item() > 1e-4);
        Vectors.Close(own[..1], network.Stain(source, vector[..1]).Stained[..1], "own style", 1e-14);
    }

    [Fact]
    public void Import_of_averaged_checkpoint_equals_official()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        ImportedModel import = BciStainerImport.Read(TestVectors.Path("bcistainer/ema.pth"));
        var config = (BciStainerConfig)import.Config.Model;
        Assert.Equal((2, 2, 128, true), (config.Ngf, config.NBlocks, config.FullSize, config.Attention));
        using Module<Tensor, Tensor> network = config.CreateGenerator();
        network.load_state_dict(import.Weights);
        network.eval();
        Tensor stained = network.forward((FormulaWeights.Wave(0.05, 2, 3, 32, 24) * 0.9).@float());
        Vectors.Close(Expected["G.stained"], stained.to(ScalarType.Float64), "stained", 1e-5);
        Assert.Contains("model.attention is false",
            BciStainerImport.Read(TestVectors.Path("bcistainer/ema.pth"), settings: ["model.attention=false"]).Notes[0]);
        Assert.Contains("no generator of BCIStainer",
            Assert.Throws<TinctorException>(() => BciStainerImport.Read(TestVectors.Path("p2p_resnet6_batch/weights.pth"))).Message);
    }

    [Fact]
    public void Create_default_has_published_parts()
    {
        using BciStainerGenerator network = new BciStainerConfig().CreateNetwork();
        Assert.Equal(14955338, network.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(9, network.modules().OfType<SimAM>().Count());
        Assert.Equal((128, 8), (new BciStainerConfig().SmallestSize, new BciStainerConfig().SizeMultiple));
    }

    private static BciStainerGenerator Small(bool attention) =>
        new(ngf: 2, full_size: 128, n_blocks: 2, attention: attention, dropout: 0);

    private static T Formula<T>(T network) where T : Module => FormulaWeights.Fill((T)network.to(ScalarType.Float64));

    private static IEnumerable<string> OfficialKeys(string name) =>
        File.ReadLines(TestVectors.Path($"bcistainer/{name}.keys")).Select(line =>
            $"{BciStainerImport.OwnName(line.Split(' ')[0])} {line.Split(' ')[1]}");

    private static Tensor Gradients(Module network) => torch.stack([.. network.parameters().Select(parameter =>
        (parameter.grad! * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);

    private static Tensor Weighted(Tensor values, double speed) => (values * FormulaWeights.Wave(speed, values.shape)).mean();
}
