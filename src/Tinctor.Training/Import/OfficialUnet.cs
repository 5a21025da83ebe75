using System.Text.RegularExpressions;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Networks;
using PthDictionary = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Training.Import;

/// <summary>
/// U-Net in a checkpoint of I2SB, pixel-space BBDM, super-resolved virtual staining, improved or guided diffusion; its architecture is
/// inferred from the weights.
/// </summary>
/// <param name="Options">
/// Architecture. Weights do not determine the attention heads; assumed are 64 channels per head if residual blocks resample, as in I2SB and
/// BBDM, otherwise 4 heads, as in improved diffusion, and the old order of attention.
/// </param>
/// <param name="Weights">State dictionary of a <see cref="DiffusionUnet"/>.</param>
/// <param name="Others">Other tensors of the file, such as the schedule of BBDM.</param>
internal sealed partial record OfficialUnet(
    DiffusionUnetOptions Options, IReadOnlyDictionary<string, Tensor> Weights, IReadOnlyDictionary<string, Tensor> Others)
{
    /// <summary>Key of a diffusion U-Net without its prefix.</summary>
    internal const string Landmark = "time_embed.0.weight";

    /// <summary>Reads a .pth or .pt file.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="averaged">Whether to read the running average of the weights if the file contains it.</param>
    /// <exception cref="TinctorException">The file contains no such network.</exception>
    public static OfficialUnet Read(string path, bool averaged = true)
    {
        try
        {
            return FromCheckpoint(PthReader.Load(path), averaged);
        }
        catch (FormatException e)
        {
            throw new TinctorException(path, e.Message, "Name a checkpoint of a pixel-space diffusion bridge", e);
        }
    }

    /// <summary>Finds the network in the content of a checkpoint, from <see cref="PthReader.Load"/>.</summary>
    /// <exception cref="FormatException">The checkpoint contains no such network.</exception>
    internal static OfficialUnet FromCheckpoint(object? content, bool averaged)
    {
        Dictionary<string, Tensor> all = Tensors(content as PthDictionary ?? [], averaged);
        if (all.Keys.Any(key => key.StartsWith("vqgan.")))
            throw new FormatException("latent-space BBDM, but only pixel-space models can be imported");
        string landmark = all.Keys.FirstOrDefault(key => key.EndsWith(Landmark))
            ?? throw new FormatException($"no diffusion U-Net; the first key is {all.Keys.FirstOrDefault()}");
        // Prefix of every key: denoise_fn. in BBDM, diffusion_model. in I2SB, module. after parallel training.
        string prefix = landmark[..^Landmark.Length];
        ILookup<bool, KeyValuePair<string, Tensor>> own = all.ToLookup(pair => pair.Key.StartsWith(prefix));
        var weights = own[true].ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value);
        return new(OptionsOf(weights), weights, own[false].ToDictionary());
    }

    /// <summary>
    /// Gets the weights of a checkpoint: I2SB saves {net, ema: {shadow_params: list}}, BBDM {model, ema: dictionary}, others the weights.
    /// </summary>
    /// <exception cref="FormatException">The numbers of weights and averaged weights differ.</exception>
    internal static Dictionary<string, Tensor> Tensors(PthDictionary content, bool averaged)
    {
        Dictionary<string, Tensor> weights = ByKey(content.GetValueOrDefault("net") ?? content.GetValueOrDefault("model") ?? content);
        if (!averaged || content.GetValueOrDefault("ema") is not PthDictionary average) return weights;
        if (average.GetValueOrDefault("shadow_params") is not List<object?> list)
        {
            // Averages exist for parameters only, not for buffers.
            foreach ((string key, Tensor value) in ByKey(average)) weights[key] = value;
            return weights;
        }
        return list.Count == weights.Count ? weights.Keys.Zip(list.Cast<Tensor>()).ToDictionary()
            : throw new FormatException($"{weights.Count} weights, but {list.Count} averaged weights");
    }

    private static Dictionary<string, Tensor> ByKey(object? dictionary) => (dictionary as PthDictionary ?? [])
        .Where(pair => pair is { Key: string, Value: Tensor }).ToDictionary(pair => (string)pair.Key, pair => (Tensor)pair.Value!);

    private static DiffusionUnetOptions OptionsOf(Dictionary<string, Tensor> weights)
    {
        int width = Size(Landmark, 1), inputs = Size("input_blocks.0.0.weight", 1), outputs = Size("out.2.weight", 0);
        if (inputs < outputs)
            throw new FormatException($"the network predicts {outputs} channels from {inputs}; bridges do not predict the variance");
        int blocks = Numbers(InputBlock(), weights).Max() + 1;
        // The upward path has one more block per level, followed by upsampling.
        int each = Numbers(Doubling(), weights).DefaultIfEmpty(blocks - 1).Min(), levels = blocks / (each + 1);
        // First residual block of a level.
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
            ? (int)weight.size(dimension) : throw new FormatException($"no diffusion U-Net: the key {key} is missing");
    }

    private static IEnumerable<int> Numbers(Regex pattern, Dictionary<string, Tensor> weights) =>
        weights.Keys.Select(key => pattern.Match(key)).Where(match => match.Success).Select(match => int.Parse(match.Groups[1].Value));

    [GeneratedRegex(@"^input_blocks\.(\d{1,4})\.")]
    private static partial Regex InputBlock();

    [GeneratedRegex(@"^output_blocks\.(\d{1,4})\.[12]\.(conv|in_layers\.0)\.weight$")]
    private static partial Regex Doubling();
}
