using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

/// <summary>The U-Net of diffusion against the three official implementations: same weights, same numbers, same gradients.</summary>
public sealed class DiffusionUnetTests
{
    private const double OutputTolerance = 1e-5, GradientTolerance = 1e-4, GradientFloor = 1e-5;

    private static readonly DiffusionUnetOptions Narrow = new()
    {
        ModelChannels = 32,
        ChannelMult = [1, 2],
        NumResBlocks = 1,
        AttentionResolutions = [2],
    };

    private static DiffusionUnetOptions OptionsOf(string name) => name switch
    {
        "i2sb_unet_uncond" => Narrow with { NumHeadChannels = 32, ResblockUpdown = true },
        "i2sb_unet_cond" => Narrow with { ConditionChannels = 3, NumHeadChannels = 32, ResblockUpdown = true },
        "i2sb_unet_plain_newattn" => Narrow with { UseScaleShiftNorm = false, UseNewAttentionOrder = true },
        "bbdm_unet" => Narrow with { ConditionChannels = 3, NumHeads = 8, NumHeadChannels = 32, ResblockUpdown = true },
        "yijie_unet" => Narrow with { ConditionChannels = 3 },
        _ => throw new ArgumentException(name),
    };

    [Theory]
    [InlineData("i2sb_unet_uncond"), InlineData("i2sb_unet_cond"), InlineData("i2sb_unet_plain_newattn")]
    [InlineData("bbdm_unet", "context", "denoise_fn."), InlineData("yijie_unet", "low_res")]
    public void Forward_equals_official_code(string name, string? condition = null, string prefix = "")
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using DiffusionUnet network = Official(vectors, name, prefix);
        Tensor x = vectors["x"].clone().requires_grad_();
        // I2SB's vectors hold noisy image and condition as one.
        Tensor? joined = condition is not null ? vectors[condition] : x.size(1) > 3 ? x.narrow(1, 3, 3) : null;
        Tensor y = network.forward(x.narrow(1, 0, 3), vectors["t"], joined);
        vectors.Check("y", y, OutputTolerance);
        Tensor loss = (y * vectors["loss_w"]).mean() * 10;
        vectors.Check("loss", loss, GradientTolerance);
        loss.backward();
        vectors.Check("grad_in.x", x.grad!, GradientTolerance);
        Dictionary<string, Tensor> parameters = network.named_parameters().ToDictionary();
        foreach (string key in vectors.Keys.Where(key => key.StartsWith("grad.")))
            vectors.Check(key, parameters[key["grad.".Length..]].grad!, GradientTolerance, GradientFloor);
    }

    [Fact]
    public void Forward_half_size_condition_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        Vectors vectors = Vectors.Read("yijie_unet");
        using DiffusionUnet network = Official(vectors, "yijie_unet");
        vectors.Check("y_low_res_half", network.forward(vectors["x"], vectors["t"], vectors["low_res_half"]), OutputTolerance);
    }

    [Theory, InlineData("emb32", 32), InlineData("emb33_odd", 33)]
    public void TimestepEmbedding_equals_official_code(string key, int dim)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("i2sb_timestep_embedding");
        vectors.Check(key, TimestepEmbedding.Compute(vectors["t"], dim), 1e-6);
    }

    [Fact]
    public void Forward_single_time_applies_to_whole_batch()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        using DiffusionUnet network = Filled(Narrow);
        Tensor x = Formula.Input("x", 3, 3, 8, 8);
        Tensor one = network.forward(x, torch.tensor<float>([417.3f], [1]), null);
        Vectors.Close(network.forward(x, torch.full([3], 417.3), null), one, "one time", 1e-6);
    }

    [Theory]
    [InlineData(false, false, true), InlineData(false, true, false), InlineData(true, true, true)]
    public void Forward_every_variant_accepts_multiples_and_precisions(bool updown, bool convolve, bool scaleShift)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        var options = Narrow with
        {
            ChannelMult = [1, 1, 2],
            AttentionResolutions = [1, 4],
            OutChannels = 6,
            ConditionChannels = 1,
            ResblockUpdown = updown,
            ConvResample = convolve,
            UseScaleShiftNorm = scaleShift,
        };
        using DiffusionUnet network = Filled(options);
        Assert.Equal(4, network.SizeMultiple);
        Tensor x = Formula.Input("x", 2, 3, 8, 12), condition = Formula.Input("condition", 2, 1, 8, 12), time = torch.tensor([0.5, 3], [2]);
        Tensor single = network.forward(x, time.to(ScalarType.Float32), condition);
        Assert.Equal([2, 6, 8, 12], single.shape);
        network.to(ScalarType.Float64);
        Tensor exact = network.forward(x.to(ScalarType.Float64), time, condition.to(ScalarType.Float64));
        Assert.Equal(ScalarType.Float64, exact.dtype);
        Vectors.Close(exact, single, "float32", 1e-5);
    }

    [Fact]
    public void Forward_bfloat16_is_close_and_gives_float32()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.inference_mode();
        using DiffusionUnet network = Filled(Narrow);
        Tensor x = Formula.Input("x", 1, 3, 16, 16), time = torch.full([1], 999.0);
        Tensor exact = network.forward(x, time, null);
        using Guard precision = torch.autocast(DeviceType.CPU);
        Tensor rough = network.forward(x, time, null);
        Assert.Equal(ScalarType.Float32, rough.dtype);
        Vectors.Close(exact, rough, "bfloat16", 0.05);
        Assert.False(torch.allclose(exact, rough));
    }

    [Theory, InlineData(false, 1e-6), InlineData(true, 0.02)]
    public void UseCheckpoint_gives_same_gradients(bool autocast, double tolerance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (Tensor Output, Tensor Gradients) Run(bool twice)
        {
            DiffusionUnet network = Filled(Narrow with { UseCheckpoint = twice });
            using Guard? precision = autocast ? torch.autocast(DeviceType.CPU) : null;
            Tensor x = Formula.Input("x", 1, 3, 8, 8).requires_grad_();
            Tensor y = network.forward(x, torch.full([1], 3.0), null);
            y.square().sum().backward();
            return (y, torch.cat([x.grad!.flatten(), .. network.parameters().Select(parameter => parameter.grad!.flatten())]));
        }
        (Tensor Output, Tensor Gradients) once = Run(twice: false), twice = Run(twice: true);
        Assert.True(torch.equal(once.Output, twice.Output));
        Vectors.Close(once.Gradients, twice.Gradients, "gradients", tolerance);
    }

    [Fact]
    public void Create_new_network_predicts_zeros()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new DiffusionUnet(Narrow);
        Assert.Equal(0, network.forward(Formula.Input("x", 1, 3, 8, 8), torch.ones([1]), null).abs().max().item());
    }

    [Fact]
    public void Forward_invalid_shapes_throw()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new DiffusionUnet(Narrow);
        Tensor time = torch.ones([1]), fits = torch.zeros([1, 3, 8, 8]), odd = torch.zeros([1, 3, 9, 8]);
        Assert.Contains("multiples of 2", Assert.Throws<ArgumentException>(() => network.forward(odd, time, null)).Message);
        Assert.Contains("0 channels", Assert.Throws<ArgumentException>(() => network.forward(fits, time, fits)).Message);
        Refused("dropout", Narrow with { Dropout = 0.1, UseCheckpoint = true });
        Refused("model_channels", Narrow with { ModelChannels = 48 });
        Refused("channel_mult", Narrow with { ChannelMult = [1, 0] });
        Refused("num_head_channels", Narrow with { NumHeadChannels = 48 });
        Refused("num_heads", Narrow with { NumHeads = 7 });

        static void Refused(string setting, DiffusionUnetOptions options) =>
            Assert.StartsWith(setting, Assert.Throws<TinctorException>(() => new DiffusionUnet(options)).Message);
    }

    internal static DiffusionUnet Official(Vectors vectors, string name, string prefix = "")
    {
        var network = new DiffusionUnet(OptionsOf(name));
        network.load_state_dict(vectors.Weights(prefix));
        return network;
    }

    private static DiffusionUnet Filled(DiffusionUnetOptions options)
    {
        var network = new DiffusionUnet(options);
        network.load_state_dict(Formula.Weights(network));
        return network;
    }
}
