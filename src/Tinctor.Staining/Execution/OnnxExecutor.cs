using Microsoft.ML.OnnxRuntime;

namespace Tinctor.Staining.Execution;

/// <summary>
/// Runs staining networks on ONNX Runtime. Thread-safe. The file names its inputs and outputs as the exporter of this project does:
/// source and image, or state, time, end and prediction for the network of a diffusion bridge, whose second file computes the end.
/// </summary>
internal sealed class OnnxExecutor : INetworkExecutor
{
    private readonly string path;
    private readonly InferenceSession network;
    private readonly InferenceSession? matcher;
    private readonly int[] layers;
    private readonly bool isBridge, seesEnd, takesOne;
    private readonly int ihcLevels, stains;
    private readonly int? stain;

    /// <summary>Loads a network.</summary>
    /// <param name="path">ONNX file of the network.</param>
    /// <param name="matcherPath">
    /// ONNX file that computes the end of a bridge from the source; null where the end is the source itself.
    /// </param>
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="threads">Number of threads of one operator on the CPU; 0 for all cores.</param>
    /// <exception cref="TinctorException">A file is missing, or is no model that ONNX Runtime can run.</exception>
    public OnnxExecutor(string path, string? matcherPath = null, OnnxDevice? device = null, int threads = 0)
    {
        device ??= OnnxDevice.Cpu;
        this.path = path;
        network = OnnxNetwork.OpenSession(path, device, threads);
        Precision = $"onnxruntime {device} {Metadata(network, "precision") ?? "float32"}";
        isBridge = network.InputNames.Contains("state");
        RequireNames();
        seesEnd = network.InputNames.Contains("end");
        takesOne = network.InputMetadata.TryGetValue("source", out NodeMetadata? source) && source.Dimensions is [1, ..];
        matcher = matcherPath is null ? null : OnnxNetwork.OpenSession(matcherPath, device, threads);
        layers = Moments(isBridge ? matcher : network);
        stains = Columns("stain");
        ihcLevels = Columns("given_ihc_logits");
    }

    // The network of another executor, which owns it, for one stain.
    private OnnxExecutor(OnnxExecutor owner, int stain)
    {
        (path, network, matcher, layers, Precision) = (owner.path, owner.network, owner.matcher, owner.layers, owner.Precision);
        (isBridge, seesEnd, takesOne, ihcLevels) = (owner.isBridge, owner.seesEnd, owner.takesOne, owner.ihcLevels);
        (stains, this.stain) = (owner.stains, stain);
    }

    /// <inheritdoc/>
    public INetworkExecutor ForStain(int index) => index < stains ? new OnnxExecutor(this, index)
        : throw new TinctorException(path, $"the network takes {stains} stains, but model.json has more", "Export the model again");

    /// <inheritdoc/>
    public bool NormalizesByImage => layers.Length > 0;

    /// <inheritdoc/>
    public string Precision { get; }

    /// <inheritdoc/>
    public int? ReceptiveField => Metadata(network, "receptive_field") is { } radius ? int.Parse(radius) : null;

    /// <inheritdoc/>
    public NetworkOutput Run(NetworkInput input)
    {
        if (takesOne && input.Source.Count > 1) return RunEach(input.Source);
        bool records = input.Normalization is { Records: true };
        ImageMoments[]? none = records ? [.. Enumerable.Repeat(new ImageMoments([]), input.Source.Count)] : null;
        if (isBridge && matcher is null) return new(input.Source, null, none);
        using var feeds = new Feeds();
        feeds.Add("source", input.Source);
        if (!isBridge) AddStain(feeds, input.Source.Count);
        if (ihcLevels > 0) feeds.AddChoice("ihc_logits", input.IhcLogits is { } given ? Repeat(given, input.Source.Count)
            : null, input.Source.Count, ihcLevels);
        AddMoments(feeds, input);
        InferenceSession session = matcher ?? network;
        records &= layers.Length > 0;
        string[] names = [isBridge ? "end" : "image", .. ihcLevels > 0 ? ["ihc_logits"] : (string[])[], .. records ? ["used_moments"]
            : (string[])[]];
        using IDisposableReadOnlyCollection<OrtValue> outputs = Run(session, feeds, names);
        ImageBatch image = ToBatch(outputs[0]);
        return new(image, ihcLevels > 0 ? Rows(outputs[1], input.Source.Count) : null,
            records ? [.. Rows(outputs[^1], input.Source.Count).Select(Split)] : none);
    }

    /// <inheritdoc/>
    public ImageBatch Predict(ImageBatch state, double time, ImageBatch end)
    {
        if (!isBridge) throw new NotSupportedException("the network belongs to no diffusion bridge");
        using var feeds = new Feeds();
        feeds.Add("state", state);
        feeds.Add("time", [(float)time], 1);
        if (seesEnd) feeds.Add("end", end);
        AddStain(feeds, state.Count);
        using IDisposableReadOnlyCollection<OrtValue> outputs = Run(network, feeds, ["prediction"]);
        return ToBatch(outputs[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (stain is not null) return;
        network.Dispose();
        matcher?.Dispose();
    }

    /// <summary>SHA-256 of the weights that the network was exported from; null if the file does not state it.</summary>
    internal string? WeightsSha256 => Metadata(network, "weights_sha256");

    /// <summary>Reads the SHA-256 of the weights that an ONNX file was exported from; null if the file does not state it.</summary>
    /// <exception cref="TinctorException">The file is missing or damaged.</exception>
    internal static string? ReadWeightsSha256(string path)
    {
        using InferenceSession session = OnnxNetwork.OpenSession(path, OnnxDevice.Cpu, threads: 1, GraphOptimizationLevel.ORT_DISABLE_ALL);
        return Metadata(session, "weights_sha256");
    }

    private static string? Metadata(InferenceSession? session, string key) =>
        session is null ? null : OnnxNetwork.Metadata(session, key);

    // Networks of other programs may take a single image.
    private NetworkOutput RunEach(ImageBatch sources)
    {
        ImageBatch[] images = [.. Enumerable.Range(0, sources.Count).Select(i =>
            Run(new(new(1, sources.Channels, sources.Height, sources.Width, sources.Samples(i).ToArray()))).Image)];
        return new(new(sources.Count, images[0].Channels, images[0].Height, images[0].Width,
            [.. images.SelectMany(image => image.Values)]));
    }

    private void RequireNames()
    {
        string[] missing = [.. (isBridge ? ["time"] : (string[])["source"]).Except(network.InputNames),
            .. new[] { isBridge ? "prediction" : "image" }.Except(network.OutputNames)];
        if (missing.Length == 0) return;
        network.Dispose();
        throw new TinctorException(path, $"is no network of this program: it has no {missing[0]}", "Import the network of another program");
    }

    // K of an input [N,K]; 0 if the network has no such input.
    private int Columns(string name) =>
        network.InputMetadata.TryGetValue(name, out NodeMetadata? input) && input.Dimensions is [_, int columns] ? columns : 0;

    private IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession session, Feeds feeds, string[] outputs)
    {
        try
        {
            return session.Run(feeds.Options, feeds.Names, feeds.Values, outputs);
        }
        catch (OnnxRuntimeException e)
        {
            throw new TinctorException(path, $"ONNX Runtime cannot run it ({OnnxNetwork.Reason(e)})",
                "Use smaller tiles if memory is short; otherwise export the model again", e);
        }
    }

    // Channels of the layers that normalise by image, from the metadata of the exporter.
    private int[] Moments(InferenceSession? session)
    {
        if (Metadata(session, "moments") is not { } text) return [];
        int[] channels = [.. text.Split(',').Select(part => int.TryParse(part, out int number) ? number : 0)];
        return session!.InputMetadata.TryGetValue("moments", out NodeMetadata? input)
            && input.Dimensions is [_, int columns] && columns == channels.Sum() * 2
            ? channels
            : throw new TinctorException(path, "its metadata \"moments\" does not fit its inputs", "Export the model again");
    }

    private void AddStain(Feeds feeds, int count)
    {
        if (stains == 0) return;
        var oneHot = new float[count * stains];
        for (int i = 0; i < count; i++) oneHot[(i * stains) + stain!.Value] = 1;
        feeds.Add("stain", oneHot, count, stains);
    }

    private void AddMoments(Feeds feeds, NetworkInput input)
    {
        if (layers.Length == 0) return;
        float[]? given = input.Normalization?.Moments is { } moments
            ? [.. moments.SelectMany(image => image.Layers).SelectMany(layer => (float[])[.. layer.Mean, .. layer.Variance])] : null;
        feeds.AddChoice("moments", given, input.Source.Count, layers.Sum() * 2);
    }

    private ImageMoments Split(float[] values)
    {
        var moments = new List<(float[], float[])>();
        int start = 0;
        foreach (int channels in layers)
        {
            moments.Add((values[start..(start + channels)], values[(start + channels)..(start + (2 * channels))]));
            start += 2 * channels;
        }
        return new(moments);
    }

    private static float[] Repeat(float[] values, int count) => [.. Enumerable.Repeat(values, count).SelectMany(row => row)];

    private static float[][] Rows(OrtValue value, int count) =>
        [.. value.GetTensorDataAsSpan<float>().ToArray().Chunk((int)(value.GetTensorTypeAndShape().ElementCount / count))];

    private ImageBatch ToBatch(OrtValue value)
    {
        long[] shape = value.GetTensorTypeAndShape().Shape;
        if (shape.Length != 4)
            throw new TinctorException(path, $"its result has {shape.Length} dimensions, expected 4", "Export the model again");
        return new((int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3], value.GetTensorDataAsSpan<float>().ToArray());
    }

    /// <summary>Named inputs of one run.</summary>
    private sealed class Feeds : IDisposable
    {
        public List<string> Names { get; } = [];

        public List<OrtValue> Values { get; } = [];

        public RunOptions Options { get; } = new();

        public void Add(string name, ImageBatch images) =>
            Add(name, images.Values, images.Count, images.Channels, images.Height, images.Width);

        public void Add(string name, float[] values, params long[] shape)
        {
            Names.Add(name);
            Values.Add(OrtValue.CreateTensorValueFromMemory(values, shape));
        }

        /// <summary>Adds values to use instead of those that the network computes, or none.</summary>
        public void AddChoice(string name, float[]? given, int count, int length)
        {
            Add(name == "moments" ? name : $"given_{name}", given ?? new float[count * length], count, length);
            Names.Add($"use_{name}");
            Values.Add(OrtValue.CreateTensorValueFromMemory([given is not null], [1]));
        }

        public void Dispose()
        {
            foreach (OrtValue value in Values) value.Dispose();
            Options.Dispose();
        }
    }
}
