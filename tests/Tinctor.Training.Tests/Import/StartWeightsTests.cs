using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Import;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Import;

[Collection(Alone.Name)]
public sealed class StartWeightsTests : DataFolder
{
    // Width and blocks of the reference vectors of I2SB.
    private static readonly DiffusionUnetOptions Small = new()
    {
        ModelChannels = 32,
        ChannelMult = [1, 2],
        NumResBlocks = 1,
        AttentionResolutions = [2],
        NumHeadChannels = 32,
        ResblockUpdown = true,
    };

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Load_of_guided_diffusion_fills_i2sb(bool conditioned)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // The complete list of keys of 256x256_diffusion_uncond.pt, with an eighth of its width.
        const int width = 32;
        Dictionary<string, Tensor> official = GuidedDiffusion(width, [1, 1, 2, 2, 4, 4], attention: [8, 16, 32], outputs: 6)
            .ToDictionary(each => each.Key, each => torch.rand(each.Shape));
        official["label_emb.weight"] = torch.rand([10, 4 * width]);
        SafeTensors.Save(At("uncond.safetensors"), official);
        using Method method = new I2sbConfig { Network = DiffusionUnetOptions.I2sb with { ModelChannels = width }, CondX1 = conditioned }
            .Create(Device.CPU);
        Tensor initial = method.Generator.state_dict()["denoise.input_blocks.0.0.weight"].clone();
        IReadOnlyList<string> notes = StartWeights.Load(method, StartReference.FromPath(At("uncond.safetensors")));

        OrderedDictionary<string, Tensor> state = method.Generator.state_dict();
        Assert.Equal(official.Count - 1, state.Count);
        foreach ((string key, Tensor value) in state)
        {
            Tensor expected = official[key["denoise.".Length..]];
            if (key.Contains(".out.2.", StringComparison.Ordinal) || key.StartsWith("denoise.out.2.", StringComparison.Ordinal))
                expected = expected[..3];
            Assert.True(torch.equal(expected, key == "denoise.input_blocks.0.0.weight" ? value[.., ..3] : value), key);
        }
        if (conditioned) Assert.True(torch.equal(initial[.., 3..], state["denoise.input_blocks.0.0.weight"][.., 3..]));
        Assert.Contains($"start: network G takes {state.Count} of its {state.Count} tensors from uncond.safetensors", notes);
        Assert.Contains("start: not used: denoise.label_emb.weight", notes);
        Assert.Contains("start: denoise.out.2.bias: the first 3 of 6 outputs; those of the variance are dropped", notes);
        Assert.Equal(conditioned, notes.Any(note => note.Contains("3 of 6 input channels; those of the condition keep")));
    }

    [Fact]
    public void Load_of_official_file_is_read_without_conversion()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string path = TestVectors.Path("i2sb_unet_uncond/weights.pth");
        using Method method = new I2sbConfig { Network = Small }.Create(Device.CPU);
        IReadOnlyList<string> notes = StartWeights.Load(method, StartReference.FromPath(path));
        Assert.Contains("tensors from weights.pth", notes[0]);
        Tensor official = PthReader.LoadStateDict(path)["time_embed.0.weight"];
        Assert.True(torch.equal(official, method.Generator.state_dict()["denoise.time_embed.0.weight"]));
    }

    [Fact]
    public void Load_of_other_architecture_is_refused_with_shapes()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        string path = TestVectors.Path("i2sb_unet_uncond/weights.pth");
        using Method method = new I2sbConfig { Network = Small with { ModelChannels = 64 } }.Create(Device.CPU);
        string message = Assert.Throws<TinctorException>(() => StartWeights.Load(method, StartReference.FromPath(path))).Message;
        Assert.Contains("of another architecture than network G", message);
        Assert.Contains("[128,32], expected [256,64]", message);
        Assert.Equal("StartFrom", Assert.Throws<TinctorException>(() => StartReference.FromPath(Root)).Option);
    }

    [Fact]
    public void Start_from_run_model_and_checkpoint_has_their_weights()
    {
        ManifestFile.Write(At("manifest.csv"), [.. Enumerable.Range(0, 2).Select(i => new Pair(
            Write($"source/{i}.png", 24, 24, i), Write($"target/{i}.png", 24, 24, 100 + i), "train", null, $"slide{i}",
            PairLayout.TwoFiles))]);
        Trainer.Start(Settings(), At("first"), new Notes());
        string checkpoint = At("first/checkpoints/step-00000002.safetensors");
        foreach ((string from, bool discriminator) in new[] { (At("first"), false), (At("first/model"), false), (checkpoint, true) })
        {
            string run = At($"second-{from.Length}");
            var notes = new Notes();
            // Without learning, the final weights are the initial ones.
            Trainer.Start(Settings($"training.start_from.path={from}", "model.lr=0"), run, notes);
            using DisposeScope scope = torch.NewDisposeScope();
            OrderedDictionary<string, Tensor> before = SafeTensors.Load(checkpoint),
                after = SafeTensors.Load(Path.Combine(run, "checkpoints", "step-00000002.safetensors"));
            bool Same(string key) => torch.equal(before[key], after[key]);
            Assert.True(Same("networks.G.model.1.weight"));
            Assert.Equal(discriminator, Same("networks.D.model.0.weight"));
            Assert.Equal(!discriminator, notes.Lines.Any(line => line.Contains("network D is not in model.safetensors")));
            Assert.Contains("| Initial weights | ", File.ReadAllText(Path.Combine(run, "model", "README.md")));
            Assert.DoesNotContain("| Initial weights | random", File.ReadAllText(Path.Combine(run, "model", "README.md")));
            // The file is no longer needed.
            Assert.Equal(2, Trainer.Resume(run, new Notes()).Steps);
        }
        var refused = Assert.Throws<TinctorException>(() =>
            Trainer.Start(Settings($"training.start_from.path={At("first")}", "model.ngf=3"), At("third"), new Notes()));
        Assert.Contains("another architecture", refused.Message);
        Assert.False(Directory.Exists(At("third")));
    }

    private RunConfig Settings(params string[] settings) => ConfigFile.Load(null, "pix2pix",
    [
        "model.generator=resnet_6blocks", "model.ngf=2", "model.ndf=2", "data.crop_size=24", $"data.path={Root}", "training.device=cpu",
        "training.steps=2", .. settings,
    ]);

    // Names and shapes of guided diffusion's U-Net with two residual blocks per level that also resample, as its constructor orders them.
    private static IEnumerable<(string Key, long[] Shape)> GuidedDiffusion(int width, int[] mult, int[] attention, int outputs)
    {
        int time = 4 * width, channels = mult[0] * width, factor = 1, block = 1;
        var skips = new Stack<int>([channels]);
        var keys = new List<(string, long[])>();
        void Layer(string name, params long[] weight)
        {
            keys.Add(($"{name}.weight", weight));
            keys.Add(($"{name}.bias", [weight[0]]));
        }
        void Residual(string name, int from, int to)
        {
            Layer($"{name}.in_layers.0", from);
            Layer($"{name}.in_layers.2", to, from, 3, 3);
            Layer($"{name}.emb_layers.1", 2 * to, time);
            Layer($"{name}.out_layers.0", to);
            Layer($"{name}.out_layers.3", to, to, 3, 3);
            if (from != to) Layer($"{name}.skip_connection", to, from, 1, 1);
        }
        void Attention(string name, int size)
        {
            Layer($"{name}.norm", size);
            Layer($"{name}.qkv", 3 * size, size, 1);
            Layer($"{name}.proj_out", size, size, 1);
        }
        Layer("time_embed.0", time, width);
        Layer("time_embed.2", time, time);
        Layer("input_blocks.0.0", channels, 3, 3, 3);
        for (int level = 0; level < mult.Length; level++)
        {
            for (int i = 0; i < 2; i++, block++)
            {
                Residual($"input_blocks.{block}.0", channels, mult[level] * width);
                channels = mult[level] * width;
                if (attention.Contains(factor)) Attention($"input_blocks.{block}.1", channels);
                skips.Push(channels);
            }
            if (level == mult.Length - 1) continue;
            Residual($"input_blocks.{block++}.0", channels, channels);
            skips.Push(channels);
            factor *= 2;
        }
        Residual("middle_block.0", channels, channels);
        Attention("middle_block.1", channels);
        Residual("middle_block.2", channels, channels);
        block = 0;
        for (int level = mult.Length - 1; level >= 0; level--)
        {
            for (int i = 0; i < 3; i++, block++)
            {
                int layer = 0;
                Residual($"output_blocks.{block}.{layer++}", channels + skips.Pop(), mult[level] * width);
                channels = mult[level] * width;
                if (attention.Contains(factor)) Attention($"output_blocks.{block}.{layer++}", channels);
                if (level == 0 || i < 2) continue;
                Residual($"output_blocks.{block}.{layer}", channels, channels);
                factor /= 2;
            }
        }
        Layer("out.0", channels);
        Layer("out.2", outputs, channels, 3, 3);
        return keys;
    }

    private sealed class Notes : ITrainingObserver
    {
        public List<string> Lines { get; } = [];

        public void Note(string text) => Lines.Add(text);

        public void Step(TrainingProgress progress) { }
    }
}
