using Tinctor.Data.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Import;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Methods;

public sealed class ImportedModelTests : DataFolder
{
    [Theory]
    [InlineData(double.NaN), InlineData(double.PositiveInfinity), InlineData(double.NegativeInfinity)]
    public void Create_nonfinite_weights_are_refused_by_name(double value)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var config = new Pix2PixConfig { Generator = "resnet_6blocks", Ngf = 2 };
        using Module<Tensor, Tensor> network = config.CreateGenerator();
        OrderedDictionary<string, Tensor> weights = network.state_dict();
        Assert.Empty(ImportedModel.Create("a.pth", "pix2pix", config, weights, "a generator", []).Notes);
        using (torch.no_grad()) weights["model.4.weight"][0].fill_(value);
        var error = Assert.Throws<TinctorException>(() => ImportedModel.Create("a.pth", "pix2pix", config, weights, "a generator", []));
        Assert.Equal("a.pth: the weight model.4.weight contains values that are not finite numbers. Use an earlier checkpoint",
            error.Message);
    }

    [Fact]
    public void Load_nonfinite_supervised_weights_are_refused_by_name()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new Conv2d(3, 4, 1);
        var record = new TrainingRecord("id", 0, 0, 1, 1, 1, "dice", null, "", 1, 0, [], [], [], "");
        using (torch.no_grad()) network.weight[0].fill_(double.NaN);
        SupervisedModel.Write(At("model"), new SupervisedCard("segmenter", record), network);
        Assert.Contains("the weight weight contains values that are not finite",
            Assert.Throws<TinctorException>(() => SupervisedModel.LoadWeights(At("model"), network)).Message);
    }
}
