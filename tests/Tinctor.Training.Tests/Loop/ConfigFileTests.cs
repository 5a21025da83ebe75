using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Loop;

public sealed class ConfigFileTests : DataFolder
{
    [Fact]
    public void Load_defaults_equal_pix2pix_paper()
    {
        RunConfig config = ConfigFile.Load(null, "pix2pix");
        var model = Assert.IsType<Pix2PixConfig>(config.Model);
        Assert.Equal(("unet_256", 64, 100.0, 2e-4, 0.5), (model.Generator, model.Ngf, model.LambdaL1, model.Lr, model.Beta1));
        Assert.Equal((100, 100, 1, 256),
            (config.Training.Epochs, config.Training.EpochsDecay, config.Training.BatchSize, config.Data.CropSize));
    }

    [Fact]
    public void Write_reads_back_equal()
    {
        RunConfig config = ConfigFile.Load(null, "pix2pix",
        [
            "seed=18446744073709551615", "model.gan_mode=wgangp", "model.norm=instance", "model.lr=1e-4", "data.slide_pattern=^[0-9]+",
            "model.stains=[HER2, Ki67]",
            "data.path=/a b/c: d", "data.test_slides=s1, 02", "data.crop_size=512", "training.ema=0.999", "training.amp=true",
        ]);
        string yaml = ConfigFile.Write(config);
        RunConfig read = ConfigFile.Load(WriteText("config.yaml", yaml));
        Assert.Equal(yaml, ConfigFile.Write(read));
        Assert.Equal(["HER2", "Ki67"], read.Model.Stains);
        Assert.Equal(config.Model with { Stains = read.Model.Stains }, read.Model);
        Assert.Equal(config.Training, read.Training);
        Assert.Equal(["s1", "02"], read.Data.TestSlides);
        Assert.Equal("/a b/c: d", read.Data.Path);
        Assert.Equal(ulong.MaxValue, read.Seed);
    }

    private sealed record WithNetwork : SupervisedConfig
    {
        public DiffusionUnetOptions Unet { get; init; } = new() { ChannelMult = [1, 2] };

        public override PairManifest ReadData() => throw new NotSupportedException();

        internal override SupervisedTask Create(Device device, TrainingData data) => throw new NotSupportedException();
    }

    [Fact]
    public void Read_number_list_is_set_with_commas()
    {
        var config = ConfigFile.Read<WithNetwork>(null, ["unet.attention_resolutions=4, 8", "unet.model_channels=64"]);
        Assert.Equal([4, 8], config.Unet.AttentionResolutions);
        Assert.Equal([1, 2], config.Unet.ChannelMult);
        Assert.Equal([1, 2, 4], ConfigFile.Read<WithNetwork>(null, ["unet.channel_mult=[1, 2, 4]"]).Unet.ChannelMult);
        Assert.Equal(64, config.Unet.ModelChannels);
        var read = ConfigFile.Read<WithNetwork>(WriteText("config.yaml", ConfigFile.Write(config)));
        Assert.Equal([4, 8], read.Unet.AttentionResolutions);
        string error = Assert.Throws<TinctorException>(() => ConfigFile.Read<WithNetwork>(null, ["unet.model_channels=16"])).Message;
        Assert.Contains("unet.model_channels is 16, expected 32", error);
    }

    [Fact]
    public void Load_empty_sections_and_settings_keep_defaults()
    {
        RunConfig config = ConfigFile.Load(WriteText("config.yaml", "data:\nmodel:\n  ngf:\n  ndf: 8\ntraining:\n"));
        Assert.Equal((64, 8, 256), (((Pix2PixConfig)config.Model).Ngf, ((Pix2PixConfig)config.Model).Ndf, config.Data.CropSize));
        Assert.Equal(ConfigFile.Write(ConfigFile.Load(null)), ConfigFile.Write(ConfigFile.Load(WriteText("empty.yaml", "# nothing\n"))));
    }

    [Theory]
    [InlineData("model:\n  nfg: 3", "model.nfg", "ngf")]
    [InlineData("modle:\n  ngf: 3", "modle", "model")]
    [InlineData("model:\n  ngf: 0", "model.ngf is 0", "expected 1 to 1024")]
    [InlineData("model:\n  lr: 1.e+30", "model.lr", "expected 0 to 1")]
    [InlineData("model:\n  lr: 1.4", "model.lr is 1.4", "expected 0 to 1")]
    [InlineData("model:\n  lr: -0.4", "model.lr is -0.4", "expected 0 to 1")]
    [InlineData("model:\n  lr: .nan", "model.lr", "expected 0 to 1")]
    [InlineData("model:\n  ngf: many", "model.ngf is many", "expected a whole number")]
    [InlineData("model:\n  norm: bach", "model.norm is bach", "expected batch")]
    [InlineData("model:\n  generator: unet", "model.generator is unet", "unet_256")]
    [InlineData("model: 3", "model: 3", "")]
    [InlineData("model:\n  inference:\n    statistics: mean", "model.inference.statistics is mean", "running, batch")]
    [InlineData("data:\n  direction: AB", "data.direction is AB", "AtoB, BtoA")]
    [InlineData("data:\n  crop_size: 100", "data.crop_size is 100", "multiple of 256")]
    [InlineData("data:\n  load_size: 100", "data.load_size is 100", "smaller than data.crop_size")]
    [InlineData("data:\n  preprocess: scale_width", "data.preprocess is scale_width, but data.load_size, the width, is not set", "")]
    [InlineData("data:\n  preprocess: none\n  load_size: 300", "data.preprocess=none keeps the size", "")]
    [InlineData("data:\n  preprocess: fit", "data.preprocess is fit", "scale_width_and_crop")]
    [InlineData("training:\n  epoch_count: 300", "training.epoch_count is 300", "larger than training.epochs plus")]
    [InlineData("seed: -1", "seed: -1", "")]
    [InlineData("method: pix3pix", "pix3pix", "pix2pix")]
    [InlineData("data: [1, 2", "line 2", "YAML")]
    [InlineData("- a\n- b", "line 1", "YAML")]
    public void Load_invalid_setting_names_it_in_one_line(string yaml, string what, string advice)
    {
        string path = WriteText("config.yaml", yaml);
        string message = Assert.Throws<TinctorException>(() => ConfigFile.Load(path)).Message;
        Assert.StartsWith(path, message);
        Assert.Contains(what, message);
        Assert.Contains(advice, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("pix2pix", "data.crop_size=128", "data.crop_size is 128, but the generator unet_256 needs a multiple of 256. "
        + "Use data.crop_size=256, or model.generator=resnet_9blocks for any multiple of 4, 24 or more.")]
    [InlineData("pix2pix", "data.crop_size=600", "Use data.crop_size=512, or model.generator=resnet_9blocks")]
    [InlineData("pix2pix", "model.generator=resnet_6blocks data.crop_size=130",
        "data.crop_size is 130, but the generator resnet_6blocks needs a multiple of 4, at least 24. Use data.crop_size=128.")]
    [InlineData("pix2pix", "model.generator=resnet_6blocks data.crop_size=16", "Use data.crop_size=24.")]
    [InlineData("cgan", "model.factor=5 data.crop_size=301", "the network needs a multiple of 5, at least 160. Use data.crop_size=300.")]
    [InlineData("cgan", "model.factor=5 data.load_size=301 data.crop_size=300", "Use data.load_size=305.")]
    public void Load_invalid_crop_is_refused_with_valid_setting(string method, string settings, string expected)
    {
        var error = Assert.Throws<TinctorException>(() => ConfigFile.Load(null, method, settings.Split(' ')));
        Assert.Contains(expected, error.Message);
        string remedy = error.Remedy!.Split(' ')[1].TrimEnd(',', '.');
        Assert.Equal(method, ConfigFile.Load(null, method, [.. settings.Split(' '), remedy]).Method);
    }

    [Theory]
    [InlineData("unet_256", 300, "Use data.crop_size=256, or leave these images out.")]
    [InlineData("unet_256", 162, "Use model.generator=resnet_9blocks and data.crop_size=160, or leave these images out.")]
    [InlineData("unet_256", 20, "Leave these images out: the generator unet_256 needs a multiple of 256.")]
    [InlineData("resnet_9blocks", 162, "Use data.crop_size=160, or leave these images out.")]
    public void AdviseForImages_smaller_than_crop_gives_valid_setting(string generator, int side, string remedy) =>
        Assert.Equal(remedy, new CropRule(new Pix2PixConfig { Generator = generator }).AdviseForImages(side));

    [Fact]
    public void Load_unknown_setting_suggests_closest() => Assert.Contains("Did you mean data.crop_size?",
        Assert.Throws<TinctorException>(() => ConfigFile.Load(null, null, ["data.cropsize=64"])).Message);

    [Fact]
    public void Load_invalid_overrides_are_refused()
    {
        Assert.Contains("the setting is ngf, expected the form key=value",
            Assert.Throws<TinctorException>(() => ConfigFile.Load(null, null, ["ngf"])).Message);
        Assert.Contains("there is no setting model.ngf.x.", Assert.Throws<TinctorException>(
            () => ConfigFile.Load(null, null, ["model.ngf.x=3"])).Message);
        Assert.Contains("method pix2pix, expected cut",
            Assert.Throws<TinctorException>(() => ConfigFile.Load(WriteText("c.yaml", "method: pix2pix"), "cut")).Message);
    }

    [Theory]
    [InlineData("patch", 3, 24), InlineData("patch", 5, 96), InlineData("pixel", 3, 8)]
    public void SmallestCrop_is_accepted_by_discriminator(string discriminator, int layers, int crop)
    {
        var model = new Pix2PixConfig { Generator = "resnet_6blocks", Discriminator = discriminator, NLayersD = layers, Ngf = 2, Ndf = 2 };
        Assert.Equal(crop, model.SmallestCrop);
        using Torch.DisposeScope scope = Torch.torch.NewDisposeScope();
        using var netG = model.CreateGenerator();
        using var netD = model.CreateDiscriminator();
        Torch.Tensor image = Torch.torch.zeros([1, 3, crop, crop]);
        Assert.Equal(image.shape, netG.forward(image).shape);
        Assert.True(netD.forward(Torch.torch.cat([image, image], 1)).numel() > 0);
    }
}
