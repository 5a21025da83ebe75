using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Files;
using Tinctor.Training.Import;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Contrastive;
using Tinctor.Training.Methods.Cut;

namespace Tinctor.Training.Tests.Import;

public sealed class ContrastiveImportTests : DataFolder
{
    [Theory]
    [InlineData("cut", "cut_resnet_antialias", "resnet_9blocks, ngf 8, instance norm, anti-aliased, 3 to 3 channels")]
    [InlineData("asp", "asp_spectral_resnet_antialias",
        "resnet_6blocks, ngf 8, instance norm, anti-aliased, spectral norm, 3 to 3 channels")]
    [InlineData("cut", "p2p_resnet9_instance", "resnet_9blocks, ngf 8, instance norm, not anti-aliased, 3 to 3 channels")]
    public void Read_official_checkpoint_stains_like_official(string method, string name, string description)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        ImportedModel model = ContrastiveImport.Read(TestVectors.Path($"{name}/weights.pth"), method, "running");
        Assert.Equal((description, method), (model.Description, model.Config.Method));
        Assert.Equal(2, ((ContrastiveConfig)model.Config.Model).NDownsampling);
        using Module<Tensor, Tensor> network = model.Config.Model.CreateGenerator();
        network.load_state_dict(model.Weights);
        network.eval();
        vectors.Check(vectors.Keys.Contains("y") ? "y" : "y_eval", network.forward(vectors["x"]), 1e-5);
    }

    [Theory]
    [InlineData("cut_patchnce", "the weights are those of the perceptrons of PatchNCE (netF)")]
    [InlineData("cut_nlayerD_antialias", "the weights are those of a discriminator (netD)")]
    [InlineData("p2p_unet128_instance", "no ResNet generator of CUT; the first key is model.model.0.weight")]
    public void Read_other_network_is_refused_by_its_kind(string name, string problem)
    {
        string path = TestVectors.Path($"{name}/weights.pth");
        var error = Assert.Throws<TinctorException>(() => ContrastiveImport.Read(path, "cut", "running"));
        Assert.Equal((problem, "Name the generator's checkpoint, such as latest_net_G.pth"), (error.Problem, error.Remedy));
    }

    [Fact]
    public void Read_names_networks_that_only_training_uses_and_training_takes_them()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var config = new CutConfig { Ngf = 8, Ndf = 8, MlpChannels = 16, NceLayers = [0, 4, 8] };
        File.Copy(TestVectors.Path("cut_resnet_antialias/weights.pth"), At("latest_net_G.pth"));
        File.Copy(TestVectors.Path("cut_nlayerD_antialias/weights.pth"), At("latest_net_D.pth"));
        Assert.Equal(["not imported, as only training uses them: latest_net_D.pth; training.start_from=latest_net_G.pth takes them too"],
            ContrastiveImport.Read(At("latest_net_G.pth"), "cut", "running").Notes);
        using Method method = config.Create(Device.CPU);
        IReadOnlyList<string> notes = StartWeights.Load(method, StartReference.FromPath(At("latest_net_G.pth")));
        Assert.Contains(notes, note => note.StartsWith("start: network D takes 13 of its 13 tensors from latest_net_D.pth"));
        Assert.Contains(notes, note => note.StartsWith("start: network F is not in latest_net_G.pth"));
        File.Copy(TestVectors.Path("cut_patchnce/weights.pth"), At("latest_net_F.pth"));
        notes = StartWeights.Load(method, StartReference.FromPath(At("latest_net_G.pth")));
        Assert.Contains(notes, note => note.StartsWith("start: network F takes 12 of its 12 tensors from latest_net_F.pth"));
        foreach (string network in new[] { "G", "D", "F" })
        {
            OrderedDictionary<string, Tensor> official = PthReader.LoadStateDict(At($"latest_net_{network}.pth"));
            foreach ((string key, Tensor value) in method.Networks[network].state_dict())
                Assert.True(torch.equal(official[key], value), key);
        }
    }
}
