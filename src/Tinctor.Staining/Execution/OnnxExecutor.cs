using Microsoft.ML.OnnxRuntime;

namespace Tinctor.Staining.Execution;

/// <summary>
/// Runs staining networks on ONNX Runtime. Thread-safe. The file names its inputs and outputs as the exporter of this project does:
/// source and image, or state, time, end and prediction for the network of a diffusion bridge, whose second file computes the end.
/// </summary>
internal sealed class OnnxExecutor : INetworkExecutor
{
    private readonly InferenceSession network;
    private readonly InferenceSession? matcher;
    private readonly int[] layers;
    private readonly bool isBridge, seesEnd;
    private readonly int ihcLevels;

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
        Precision = $"onnxruntime {device} float32";
        network = OnnxNetwork.OpenSession(path, device, threads);
        isBridge = network.InputNames.Contains("state");
        seesEnd = network.InputNames.Contains("end");
        matcher = matcherPath is null ? null : OnnxNetwork.OpenSession(matcherPath, device, threads);
        layers = Layers(isBridge ? matcher : network);
        ihcLevels = network.InputMetadata.TryGetValue("given_ihc_logits", out NodeMetadata? logits) ? logits.Dimensions[1] : 0;
    }

    /// <inheritdoc/>
    public bool NormalizesByImage => layers.Length > 0;

    /// <inheritdoc/>
    public string Precision { get; }

    /// <inheritdoc/>
    public NetworkOutput Run(NetworkInput input)
    {
        bool records = input.Normalization is { Records: true };
        ImageMoments[]? none = records ? [.. Enumerable.Repeat(new ImageMoments([]), input.Source.Count)] : null;
        if (isBridge && matcher is null) return new(input.Source, null, none);
        using var feeds = new Feeds();
        feeds.Add("source", input.Source);
        if (ihcLevels > 0) feeds.AddChoice("ihc_logits", input.IhcLogits is { } given ? Repeat(given, input.Source.Count)
            : null, input.Source.Count, ihcLevels);
        AddMoments(feeds, input);
        InferenceSession session = matcher ?? network;
        records &= layers.Length > 0;
        string[] names = [isBridge ? "end" : "image", .. ihcLevels > 0 ? ["ihc_logits"] : (string[])[], .. records ? ["used_moments"]
            : (string[])[]];
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(feeds.Options, feeds.Names, feeds.Values, names);
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
        using IDisposableReadOnlyCollection<OrtValue> outputs = network.Run(feeds.Options, feeds.Names, feeds.Values, ["prediction"]);
        return ToBatch(outputs[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
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

    // Channels of the layers that normalise by image, from the metadata of the exporter.
    private static int[] Layers(InferenceSession? session) =>
        Metadata(session, "moments") is { } channels ? [.. channels.Split(',').Select(int.Parse)] : [];

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

    private static ImageBatch ToBatch(OrtValue value)
    {
        long[] shape = value.GetTensorTypeAndShape().Shape;
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
