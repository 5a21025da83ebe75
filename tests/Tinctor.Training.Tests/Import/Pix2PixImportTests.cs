using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Import;
using Tinctor.Training.Methods.CycleGan;
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
    public void ReadPyramid_infers_generator()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        ImportedModel model = Pix2PixImport.ReadPyramid(TestVectors.Path("p2p_resnet6_batch/weights.pth"), "batch");
        var config = (PyramidPix2PixConfig)model.Config.Model;
        Assert.Equal(("pyramid-pix2pix", "batch"), (model.Config.Method, config.Inference.Statistics));
        Assert.Equal(("resnet_6blocks", 8, Norm.Batch, 25), (config.Generator, config.Ngf, config.Norm, config.WeightL4));
    }
}
