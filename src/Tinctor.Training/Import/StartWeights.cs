using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Files;
using Tinctor.Training.Methods;
using PthDictionary = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Training.Import;

/// <summary>Copies the weights of a file into newly created networks, as far as names and shapes agree.</summary>
internal static class StartWeights
{
    private const int MostNames = 5;

    // Share of the weights that a file must have, as others are probably of another architecture.
    private const double LeastShare = 0.5;

    /// <summary>Copies weights into the networks of a method.</summary>
    /// <param name="method">Method with new networks.</param>
    /// <param name="start">File of weights.</param>
    /// <returns>Notes for the user: what was copied, adapted, missing and unused.</returns>
    /// <exception cref="TinctorException">The file has changed, is damaged, or belongs to another architecture.</exception>
    public static IReadOnlyList<string> Load(Method method, StartReference start)
    {
        if (Fingerprint.OfFile(start.Path) != start.Sha256)
            throw new TinctorException(start.Path, "the weights have changed since the start of the run", "Restore the file");
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Dictionary<string, Dictionary<string, Tensor>> weights = Read(start.Path);
        foreach (Dictionary<string, Tensor> network in weights.Values) FiniteWeights.Require(start.Path, network);
        var notes = new List<string>();
        foreach ((string name, Module network) in method.Networks)
        {
            bool isGenerator = network == method.Trained;
            Dictionary<string, Tensor>? own = weights.GetValueOrDefault(name) ?? (isGenerator ? weights.GetValueOrDefault("") : null);
            string file = weights.ContainsKey(name) ? Companions(start.Path).FirstOrDefault(each => each.Name == name).Path ?? start.Path
                : start.Path;
            if (own is not null)
                notes.AddRange(Copy(name, network, own, file));
            else if (isGenerator)
                throw new TinctorException(start.Path, $"no weights of network {name}; the networks are {string.Join(", ", weights.Keys)}",
                    "Name a model folder or a checkpoint of this method");
            else notes.Add($"start: network {name} is not in {Path.GetFileName(start.Path)} and keeps its initial weights");
        }
        return notes;
    }

    // Weights by network; the network of a file of one network is named "".
    private static Dictionary<string, Dictionary<string, Tensor>> Read(string path)
    {
        const string networks = "networks.";
        if (Path.GetExtension(path) != ".safetensors")
        {
            var official = new Dictionary<string, Dictionary<string, Tensor>> { [""] = Official(Averaged(path)) };
            foreach ((string name, string file) in Companions(path)) official[name] = Official(Averaged(file));
            return official;
        }
        OrderedDictionary<string, Tensor> all = SafeTensors.Load(path);
        if (!all.Keys.Any(key => key.StartsWith(networks, StringComparison.Ordinal))) return new() { [""] = Official(new(all)) };
        return all.Where(pair => pair.Key.StartsWith(networks, StringComparison.Ordinal))
            .Select(pair => (Parts: pair.Key[networks.Length..].Split('.', 2), pair.Value)).GroupBy(each => each.Parts[0])
            .ToDictionary(group => group.Key, group => group.ToDictionary(each => each.Parts[1], each => each.Value));
    }

    /// <summary>
    /// Finds the other networks of an official checkpoint, which is a file for each network: EPOCH_net_D.pth and others beside
    /// EPOCH_net_G.pth.
    /// </summary>
    /// <returns>Name of each network, such as D, and its file.</returns>
    internal static IEnumerable<(string Name, string Path)> Companions(string path)
    {
        const string generator = "_net_G.pth";
        if (!path.EndsWith(generator, StringComparison.Ordinal)) yield break;
        foreach (string name in new[] { "D", "F" })
        {
            string file = $"{path[..^generator.Length]}_net_{name}.pth";
            if (File.Exists(file)) yield return (name, file);
        }
    }

    private static Dictionary<string, Tensor> Averaged(string path)
    {
        try
        {
            return OfficialUnet.Tensors(PthReader.Load(path) as PthDictionary ?? [], averaged: true);
        }
        catch (FormatException e)
        {
            throw new TinctorException(path, e.Message, "Name another checkpoint", e);
        }
    }

    // The keys of a diffusion U-Net have the prefix denoise here, and none, diffusion_model, denoise_fn or module in official files.
    private static Dictionary<string, Tensor> Official(Dictionary<string, Tensor> weights)
    {
        const string parallel = "module.", own = "denoise.";
        if (weights.Count > 0 && weights.Keys.All(key => key.StartsWith(parallel, StringComparison.Ordinal)))
            weights = weights.ToDictionary(pair => pair.Key[parallel.Length..], pair => pair.Value);
        if (weights.Keys.FirstOrDefault(key => key.EndsWith(OfficialUnet.Landmark, StringComparison.Ordinal)) is not { } landmark)
            return weights;
        string prefix = landmark[..^OfficialUnet.Landmark.Length];
        return prefix == own ? weights : weights.ToDictionary(
            pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal) ? own + pair.Key[prefix.Length..] : pair.Key, pair => pair.Value);
    }

    private static IEnumerable<string> Copy(string name, Module network, Dictionary<string, Tensor> weights, string path)
    {
        var (adapted, missing, other, copied) = (new List<string>(), new List<string>(), new List<string>(), 0L);
        OrderedDictionary<string, Tensor> state = network.state_dict();
        foreach ((string key, Tensor present) in state)
        {
            if (!weights.TryGetValue(key, out Tensor? value)) missing.Add(key);
            else if (value.shape.SequenceEqual(present.shape))
            {
                present.copy_(value);
                copied += present.numel();
            }
            else if (Adapt(key, present, value) is { } how)
            {
                adapted.Add($"{key}: {how}");
                copied += present.numel();
            }
            else other.Add($"{key} [{string.Join(',', value.shape)}], expected [{string.Join(',', present.shape)}]");
        }
        if (copied < LeastShare * state.Values.Sum(tensor => tensor.numel()))
            throw new TinctorException(path, $"the weights are of another architecture than network {name}: "
                + (other.Count > 0 ? ProblemList.Join(other, 2) : $"{ProblemList.Join(missing, 2)} missing"),
                "Use the settings with which they were trained");
        string[] unused = [.. weights.Keys.Where(key => !state.ContainsKey(key))];
        yield return $"start: network {name} takes {state.Count - missing.Count - other.Count} of its {state.Count} tensors from "
            + Path.GetFileName(path);
        foreach (string each in adapted) yield return $"start: {each}";
        if (missing.Count > 0) yield return $"start: initial weights, as the file has none: {ProblemList.Join(missing, MostNames)}";
        if (other.Count > 0) yield return $"start: initial weights, as the file has another shape: {ProblemList.Join(other, MostNames)}";
        if (unused.Length > 0) yield return $"start: not used: {ProblemList.Join(unused, MostNames)}";
    }

    // The official code of I2SB adapts guided diffusion's weights in this way; null for other shapes.
    private static string? Adapt(string key, Tensor present, Tensor value)
    {
        long own = present.ndim == 4 ? present.size(1) : 0;
        if (key.EndsWith("input_blocks.0.0.weight", StringComparison.Ordinal) && value.ndim == 4 && value.size(0) == present.size(0)
            && value.size(2) == present.size(2) && value.size(1) < own)
        {
            present.narrow(1, 0, value.size(1)).copy_(value);
            return $"{value.size(1)} of {own} input channels; those of the condition keep their initial weights, as in the official code";
        }
        bool isOutput = key.EndsWith("out.2.weight", StringComparison.Ordinal) || key.EndsWith("out.2.bias", StringComparison.Ordinal);
        if (!isOutput || value.size(0) != 2 * present.size(0) || !value.shape[1..].SequenceEqual(present.shape[1..])) return null;
        present.copy_(value.narrow(0, 0, present.size(0)));
        return $"the first {present.size(0)} of {value.size(0)} outputs; those of the variance are dropped";
    }
}
