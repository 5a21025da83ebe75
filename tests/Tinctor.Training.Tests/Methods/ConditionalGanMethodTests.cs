using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public class ConditionalGanMethodTests
{
    /// <summary>Three whole steps (generator pass, discriminator update, generator update) from the official weights.</summary>
    [Theory]
    [InlineData(GanMode.Lsgan, "p2p_train3_lsgan"), InlineData(GanMode.Vanilla, "p2p_train3_vanilla")]
    public void TrainStep_three_times_equals_official_code(GanMode mode, string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        var config = new Pix2PixConfig { GanMode = mode, Ndf = 4 };
        using var method = new ConditionalGanMethod(
            config, new ResnetGenerator(3, 3, 4, Norm.Batch, n_blocks: 2), new NLayerDiscriminator(6, 4, 3), Device.CPU);
        foreach ((string part, Module network) in method.Networks) network.load_state_dict(vectors.Weights(part + "."));
        for (int step = 0; step < 3; step++)
        {
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(vectors[$"A{step}"], vectors[$"B{step}"]);
            vectors.Check($"loss_G_GAN{step}", losses["G_GAN"], 1e-4);
            vectors.Check($"loss_G_L1{step}", losses["G_L1"], 1e-4);
            vectors.Check($"loss_D_real{step}", losses["D_real"], 1e-4);
            vectors.Check($"loss_D_fake{step}", losses["D_fake"], 1e-4);
        }
        foreach ((string part, Module network) in method.Networks)
        {
            foreach ((string key, Tensor value) in network.state_dict()) vectors.Check($"final.{part}.{key}", value, 1e-4, floor: 1e-6);
        }
    }

    /// <summary>Without a weight of the GAN loss, the step is that of the L1 loss alone and leaves the discriminator as it is.</summary>
    [Fact]
    public void TrainStep_without_gan_trains_the_generator_alone()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var config = new Pix2PixConfig
        {
            Generator = "resnet_6blocks",
            Ngf = 2,
            Ndf = 2,
            Norm = Norm.Instance,
            Dropout = false,
            LambdaGan = 0,
        };
        using Method method = config.Create(Device.CPU);
        Module discriminator = method.Networks["D"];
        Dictionary<string, Tensor> before = discriminator.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        (Tensor source, Tensor target) = (torch.rand([1, 3, 32, 32]), torch.rand([1, 3, 32, 32]));
        Tensor expected = F.l1_loss(method.Generator.forward(source), target) * config.LambdaL1;
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(source, target);
        Assert.Equal(["G_L1"], losses.Keys);
        Vectors.Close(expected, losses["G_L1"], "G_L1", 1e-5);
        Assert.True(method.TrainStep(source, target)["G_L1"].item() < expected.item());
        foreach ((string key, Tensor value) in discriminator.state_dict()) Vectors.Close(before[key], value, key, 0);
    }

    [Theory]
    [InlineData("unet_128", "patch", Norm.Batch, GanMode.Vanilla, 128)]
    [InlineData("resnet_6blocks", "pixel", Norm.Instance, GanMode.Wgangp, 32)]
    [InlineData("resnet_9blocks", "patch", Norm.None, GanMode.Lsgan, 32)]
    public void TrainStep_of_every_variant_is_finite(string generator, string discriminator, Norm norm, GanMode gan, int size)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        var config = new Pix2PixConfig
        {
            Generator = generator,
            Discriminator = discriminator,
            Norm = norm,
            GanMode = gan,
            Ngf = 4,
            Ndf = 4,
            PoolSize = 2,
        };
        using Method method = config.Create(Device.CPU);
        Tensor before = method.Generator.parameters().First().clone();
        foreach (Tensor loss in method.TrainStep(torch.randn([2, 3, size, size]), torch.randn([2, 3, size, size])).Values)
            Assert.True(double.IsFinite(loss.item()));
        Assert.NotEqual(0, (method.Generator.parameters().First() - before).abs().max().item());
        Assert.Equal(2, method.State.Count);
    }

    [Fact]
    public void ImagePool_returns_earlier_images_half_of_the_time()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(0);
        var pool = new ImagePool(10);
        int earlier = 0;
        for (int i = 0; i < 400; i++)
        {
            Tensor image = torch.full([1, 1, 1, 1], i);
            if (pool.Query(image).item() != i) earlier++;
        }
        Assert.InRange(earlier, 150, 240);
    }
}
