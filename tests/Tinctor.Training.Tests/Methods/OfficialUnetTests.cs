using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Import;
using Tinctor.Training.Networks;
using PthDictionary = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Training.Tests.Methods;

/// <summary>U-Nets out of the official repositories' checkpoints.</summary>
public sealed class OfficialUnetTests
{
    [Theory]
    [InlineData("i2sb_unet_uncond", 0, true, true), InlineData("i2sb_unet_cond", 3, true, true)]
    [InlineData("i2sb_unet_plain_newattn", 0, false, false), InlineData("bbdm_unet", 3, true, true)]
    [InlineData("yijie_unet", 3, false, true)]
    public void Read_official_weights_gives_architecture_and_loads(string name, int condition, bool updown, bool scaleShift)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OfficialUnet official = OfficialUnet.Read(TestVectors.Path($"{name}/weights.pth"));
        DiffusionUnetOptions options = official.Options;
        Assert.Equal((3, condition, 3, 32, 1), (options.InChannels, options.ConditionChannels, options.OutChannels, options.ModelChannels,
            options.NumResBlocks));
        Assert.Equal([1, 2], options.ChannelMult);
        Assert.Equal([2], options.AttentionResolutions);
        Assert.Equal((updown, scaleShift), (options.ResblockUpdown, options.UseScaleShiftNorm));
        using var network = new DiffusionUnet(options);
        network.load_state_dict(official.Weights);
    }

    [Theory]
    [InlineData(new[] { 1 }, new int[0], 2, false), InlineData(new[] { 1, 2, 2 }, new[] { 1, 4 }, 3, false)]
    [InlineData(new[] { 1, 3 }, new[] { 1, 2 }, 2, true)]
    public void Read_recognises_every_architecture_from_weights(int[] channelMult, int[] attention, int blocks, bool updown)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var options = new DiffusionUnetOptions
        {
            ModelChannels = 64,
            ChannelMult = channelMult,
            AttentionResolutions = attention,
            NumResBlocks = blocks,
            ResblockUpdown = updown,
        };
        using var network = new DiffusionUnet(options);
        OfficialUnet read = OfficialUnet.FromCheckpoint(Dictionary(network, "module."), averaged: true);
        Assert.Equal(channelMult, read.Options.ChannelMult);
        Assert.Equal(attention, read.Options.AttentionResolutions);
        Assert.Equal((blocks, updown), (read.Options.NumResBlocks, read.Options.ResblockUpdown));
        network.load_state_dict(read.Weights);
    }

    [Fact]
    public void FromCheckpoint_averaged_takes_averaged_weights()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DiffusionUnet network = Small(), average = Small();
        // By key beside BBDM's buffers, and as I2SB's list.
        var bbdm = new PthDictionary
        {
            ["model"] = new PthDictionary(Dictionary(network, "denoise_fn.")) { ["m_t"] = torch.zeros([10]) },
            ["ema"] = Dictionary(average, "denoise_fn."),
            ["step"] = 7L,
        };
        var i2sb = new PthDictionary
        {
            ["net"] = Dictionary(network, "diffusion_model."),
            ["ema"] = new PthDictionary { ["decay"] = 0.99, ["shadow_params"] = average.parameters().Cast<object?>().ToList() },
        };
        foreach (PthDictionary content in new[] { bbdm, i2sb })
        {
            AssertSame(network, OfficialUnet.FromCheckpoint(content, averaged: false));
            AssertSame(average, OfficialUnet.FromCheckpoint(content, averaged: true));
        }
    }

    [Fact]
    public void Read_other_checkpoints_throw()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using DiffusionUnet network = Small(), withVariance = new(new DiffusionUnetOptions { OutChannels = 6, ChannelMult = [1] });
        string path = TestVectors.Path("yijie_compress_narrow/weights.pth");
        Assert.StartsWith($"{path}: no diffusion U-Net", Assert.Throws<TinctorException>(() => OfficialUnet.Read(path)).Message);
        Refused("no diffusion U-Net", null);
        Refused("latent-space", new PthDictionary(Dictionary(network, "")) { ["vqgan.encoder.weight"] = torch.zeros([1]) });
        Refused("do not predict the variance", Dictionary(withVariance, ""));
        Refused("the key out.2.weight is missing",
            new PthDictionary(Dictionary(network, "").Where(pair => !Equals(pair.Key, "out.2.weight"))));

        static void Refused(string reason, object? content) =>
            Assert.Contains(reason, Assert.Throws<FormatException>(() => OfficialUnet.FromCheckpoint(content, averaged: true)).Message);
    }

    private static DiffusionUnet Small() => new(new DiffusionUnetOptions { ModelChannels = 32, ChannelMult = [1], NumResBlocks = 1 });

    private static PthDictionary Dictionary(Module network, string prefix) =>
        new(network.state_dict().Select(pair => KeyValuePair.Create<object, object?>(prefix + pair.Key, pair.Value)));

    private static void AssertSame(DiffusionUnet network, OfficialUnet read)
    {
        Assert.Equal(network.state_dict().Keys, read.Weights.Keys);
        foreach ((string key, Tensor value) in network.state_dict()) Assert.True(torch.equal(value, read.Weights[key]), key);
    }
}
