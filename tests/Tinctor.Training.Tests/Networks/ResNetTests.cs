using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>Against torchvision 0.14: tests/vectors/make_resnet.py.</summary>
public sealed class ResNetTests : DataFolder
{
    [Theory]
    [InlineData("resnet18", 11_689_512), InlineData("resnet50", 25_557_032)]
    public void Parameter_names_and_count_equal_torchvision(string architecture, long parameters)
    {
        using ResNet network = ResNet.Create(architecture);
        Assert.Equal(File.ReadLines(TestVectors.Path($"resnet/{architecture}.keys")),
            FormulaWeights.Keys(network));
        Assert.Equal(parameters, network.parameters().Sum(parameter => parameter.numel()));
    }

    [Theory]
    [InlineData("resnet18", 512), InlineData("resnet50", 2048)]
    public void Features_and_logits_equal_torchvision(string architecture, int length)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("resnet/io.safetensors"));
        using ResNet network = FormulaWeights.Fill(ResNet.Create(architecture)).eval();
        Tensor x = torch.tensor<float>([.. Enumerable.Range(0, 2 * 3 * 80 * 72).Select(i => (float)Math.Sin(0.05 * i))], 2, 3, 80, 72);
        Tensor features = network.features(x);
        Assert.Equal(length, network.Features);
        Vectors.Close(expected[$"{architecture}.features"], features, "features", 1e-5);
        Vectors.Close(expected[$"{architecture}.logits"], network.forward(x)[.., ..16], "logits", 1e-5);
        Vectors.Close(network.forward(x), network.classify(features), "classify(features)", 1e-6);
    }

    [Fact]
    public void Load_published_weights_omits_last_layer_of_other_classes()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ResNet published = FormulaWeights.Fill(ResNet.Create("resnet18"));
        SafeTensors.Save(At("whole.safetensors"),
            published.state_dict().Select(pair => KeyValuePair.Create("module." + pair.Key, pair.Value)));
        SafeTensors.Save(At("trunk.safetensors"), published.state_dict().Where(pair => !pair.Key.StartsWith("fc.")));

        using ResNet same = ResNet.Create("resnet18"), levels = ResNet.Create("resnet18", 4), trunk = ResNet.Create("resnet18", 4);
        Tensor first = levels.state_dict()["fc.weight"].clone();
        Assert.Null(same.LoadWeights(At("whole.safetensors")));
        Assert.Contains("has 1000 classes, not 4", levels.LoadWeights(At("whole.safetensors")));
        Assert.Contains("has none", trunk.LoadWeights(At("trunk.safetensors")));
        foreach ((string name, Tensor value) in published.state_dict())
        {
            Assert.True(torch.equal(value, same.state_dict()[name]), name);
            if (!name.StartsWith("fc.")) Assert.True(torch.equal(value, levels.state_dict()[name]), name);
        }
        Assert.True(torch.equal(first, levels.state_dict()["fc.weight"]));
        using ResNet other = ResNet.Create("resnet50", 4);
        string message = Assert.Throws<TinctorException>(() => other.LoadWeights(At("whole.safetensors"))).Message;
        Assert.StartsWith(At("whole.safetensors"), message);
        Assert.Contains("same architecture", message);
    }

    [Fact]
    public void Backward_gives_every_parameter_a_gradient()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using ResNet network = ResNet.Create("resnet50", 3);
        F.cross_entropy(network.forward(torch.randn([2, 3, 64, 64])), torch.tensor<long>([0, 2], 2)).backward();
        foreach ((string name, Tensor parameter) in network.named_parameters())
            Assert.True(parameter.grad is Tensor gradient && gradient.abs().max().item() > 0, name);
    }
}
