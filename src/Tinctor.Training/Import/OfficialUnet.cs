using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Networks;
using PthDictionary = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Training.Import;

/// <summary>
/// The U-Net in a checkpoint of I2SB, BBDM (of pixel space), super-resolved virtual staining, or improved or guided diffusion, its
/// architecture read off its weights.
/// </summary>
/// <param name="Options">
/// The architecture. Weights do not tell the heads of attention: assumed are 64 channels a head where residual blocks change the size, as
/// I2SB and BBDM have them, otherwise improved diffusion's 4 heads; and the old order of attention.
/// </param>
/// <param name="Weights">The state dictionary of a <see cref="DiffusionUnet"/>.</param>
/// <param name="Others">What the file holds beside it, such as the schedule in BBDM's.</param>
internal sealed partial record OfficialUnet(
    DiffusionUnetOptions Options, IReadOnlyDictionary<string, Tensor> Weights, IReadOnlyDictionary<string, Tensor> Others)
{
    private const string Landmark = "time_embed.0.weight";

    /// <summary>Reads a .pth or .pt file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="averaged">Whether to take the running average of the weights, where the file has both.</param>
    /// <exception cref="TinctorException">It holds no such network.</exception>
    public static OfficialUnet Read(string path, bool averaged = true)
    {
        try
        {
            return Of(PthReader.Load(path), averaged);
        }
        catch (FormatException e)
        {
            throw new TinctorException($"{path}: {e.Message}");
        }
    }

    /// <summary>Content of a checkpoint, from <see cref="PthReader.Load"/>.</summary>
    /// <exception cref="FormatException">It holds no such network.</exception>
    internal static OfficialUnet Of(object? content, bool averaged)
    {
        Dictionary<string, Tensor> all = Tensors(content as PthDictionary ?? [], averaged);
        if (all.Keys.Any(key => key.StartsWith("vqgan.")))
            throw new FormatException("is a BBDM of latent space; only those of pixel space can be imported");
        string landmark = all.Keys.FirstOrDefault(key => key.EndsWith(Landmark))
            ?? throw new FormatException($"holds no U-Net of diffusion; its first key is {all.Keys.FirstOrDefault()}");
        // What stands before every key: denoise_fn. in BBDM, diffusion_model. in I2SB, module. after parallel training.
        string prefix = landmark[..^Landmark.Length];
        ILookup<bool, KeyValuePair<string, Tensor>> own = all.ToLookup(pair => pair.Key.StartsWith(prefix));
        var weights = own[true].ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value);
        return new(OptionsOf(weights), weights, own[false].ToDictionary());
    }

    // I2SB saves {net, ema: {shadow_params: a list}}, BBDM {model, ema: by key}, the others the weights alone.
    private static Dictionary<string, Tensor> Tensors(PthDictionary content, bool averaged)
    {
        Dictionary<string, Tensor> weights = ByKey(content.GetValueOrDefault("net") ?? content.GetValueOrDefault("model") ?? content);
        if (!averaged || content.GetValueOrDefault("ema") is not PthDictionary average) return weights;
        if (average.GetValueOrDefault("shadow_params") is not List<object?> list)
        {
            // They are of the parameters; what else there is stays as it is.
            foreach ((string key, Tensor value) in ByKey(average)) weights[key] = value;
            return weights;
        }
        return list.Count == weights.Count ? weights.Keys.Zip(list.Cast<Tensor>()).ToDictionary()
            : throw new FormatException($"has {weights.Count} weights, but averages of {list.Count}");
    }

    private static Dictionary<string, Tensor> ByKey(object? dictionary) => (dictionary as PthDictionary ?? [])
        .Where(pair => pair is { Key: string, Value: Tensor }).ToDictionary(pair => (string)pair.Key, pair => (Tensor)pair.Value!);

    private static DiffusionUnetOptions OptionsOf(Dictionary<string, Tensor> weights)
    {
        int width = Size(Landmark, 1), inputs = Size("input_blocks.0.0.weight", 1), outputs = Size("out.2.weight", 0);
        if (inputs < outputs)
            throw new FormatException($"predicts {outputs} channels of {inputs}: the variance too, which bridges do not");
        int blocks = Numbers(InputBlock(), weights).Max() + 1;
        // The way up has one block more a level, behind which the size is doubled.
        int each = Numbers(Doubling(), weights).DefaultIfEmpty(blocks - 1).Min(), levels = blocks / (each + 1);
        // Behind an input convolution or a halving, and the levels above.
        string FirstOf(int level) => $"input_blocks.{(level * (each + 1)) + 1}";
        bool updown = levels > 1 && !weights.ContainsKey($"input_blocks.{each + 1}.0.op.weight");
        return new()
        {
            InChannels = outputs,
            ConditionChannels = inputs - outputs,
            OutChannels = outputs,
            ModelChannels = width,
            NumResBlocks = each,
            ChannelMult = [.. Enumerable.Range(0, levels).Select(level => Size($"{FirstOf(level)}.0.out_layers.0.weight", 0) / width)],
            AttentionResolutions = [.. Enumerable.Range(0, levels)
                .Where(level => weights.ContainsKey($"{FirstOf(level)}.1.qkv.weight")).Select(level => 1 << level)],
            NumHeadChannels = updown ? 64 : -1,
            UseScaleShiftNorm = Size($"{FirstOf(0)}.0.emb_layers.1.weight", 0) > Size($"{FirstOf(0)}.0.out_layers.0.weight", 0),
            ResblockUpdown = updown,
        };

        int Size(string key, int dimension) => weights.TryGetValue(key, out Tensor? weight) && weight.ndim > dimension
            ? (int)weight.size(dimension) : throw new FormatException($"is no U-Net of diffusion: it lacks {key}");
    }

    private static IEnumerable<int> Numbers(Regex pattern, Dictionary<string, Tensor> weights) =>
        weights.Keys.Select(key => pattern.Match(key)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value));

    [GeneratedRegex(@"^input_blocks\.(\d{1,4})\.")]
    private static partial Regex InputBlock();

    [GeneratedRegex(@"^output_blocks\.(\d{1,4})\.[12]\.(conv|in_layers\.0)\.weight$")]
    private static partial Regex Doubling();
}
