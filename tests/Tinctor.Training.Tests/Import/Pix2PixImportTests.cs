using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Import;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Methods.PyramidPix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Import;

public sealed class Pix2PixImportTests
{
    [Fact]
    public void ReadCycleGan_infers_generator_and_keeps_direction()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        ImportedModel model = Pix2PixImport.ReadCycleGan(TestVectors.Path("p2p_resnet9_instance/weights.pth"), "running", "BtoA");
        var config = (CycleGanConfig)model.Config.Model;
        Assert.Equal(("cyclegan", "BtoA"), (model.Config.Method, model.Config.Direction));
        Assert.Equal(("resnet_9blocks", 8, Norm.Instance), (config.Generator, config.Ngf, config.Norm));
    }

    [Fact]
    public void Read_planes_of_stains_are_last_input_channels()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string path = TestVectors.Path("p2p_resnet6_batch/weights.pth");
        ImportedModel plain = Pix2PixImport.Read(path, "running"), model = Pix2PixImport.Read(path, "running", "HER2", "Ki67");
        var config = (Pix2PixConfig)model.Config.Model;
        Assert.Equal((1, StainInput.Planes), (config.InputChannels, config.StainCondition));
        Assert.Equal(["HER2", "Ki67"], config.Stains);
        Module<Tensor, Tensor> one = plain.Config.Model.CreateGenerator(), both = config.CreateGenerator();
        one.load_state_dict(plain.Weights);
        both.load_state_dict(model.Weights);
        Tensor grey = torch.randn([1, 1, 32, 32]), zero = torch.zeros([1, 1, 32, 32]);
        one.eval();
        both.eval();
        using StainContext ki67 = StainContext.Use(StainContext.OneHot([1], 2, Device.CPU));
        Assert.Equal(one.forward(torch.cat([grey, zero, zero + 1], 1)).data<float>(), both.forward(grey).data<float>());
        Assert.Contains("3 stains", Assert.Throws<OptionException>(() => Pix2PixImport.Read(path, "running", "A", "B", "C")).Message);
        Assert.Throws<OptionException>(() => Pix2PixImport.Read(path, "running", "A"));
        Assert.Throws<OptionException>(() => Pix2PixImport.Read(path, "running", "A", "A"));
    }

    [Fact]
    public void ReadPyramid_infers_generator()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        ImportedModel model = Pix2PixImport.ReadPyramid(TestVectors.Path("p2p_resnet6_batch/weights.pth"), "batch");
        var config = (PyramidPix2PixConfig)model.Config.Model;
        Assert.Equal(("pyramid-pix2pix", "batch"), (model.Config.Method, config.Inference.Statistics));
        Assert.Equal(("resnet_6blocks", 8, Norm.Batch, 25), (config.Generator, config.Ngf, config.Norm, config.WeightL4));
    }
}
