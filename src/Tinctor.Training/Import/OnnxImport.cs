using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Models;
using Tinctor.Training.Configuration;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Training.Import;

/// <summary>
/// Turns a network in ONNX that another program exported into a model folder: the network is put between conversions of ranges and layout,
/// so
/// that it takes sources and gives images as the networks of this project do.
/// </summary>
internal sealed class OnnxImport
{
    private const string Source = "source", Image = "image", Prefix = "tinctor_";
    private const int TrialSide = 256;
    private readonly string path;
    private readonly OnnxImportConfig config;
    private readonly ModelProto model;
    private readonly ValueInfoProto input, output;

    private OnnxImport(string path, OnnxImportConfig config)
    {
        (this.path, this.config, model) = (path, config, OnnxFile.Read(path));
        GraphProto graph = model.Graph;
        HashSet<string> weights = [.. graph.Initializer.Select(tensor => tensor.Name)];
        ValueInfoProto[] inputs = [.. graph.Input.Where(each => !weights.Contains(each.Name))];
        input = Choose(inputs, config.Input, nameof(OnnxImportConfig.Input), "input");
        if (inputs.Length > 1)
            throw Refuse($"the network has the inputs {Names(inputs)}, expected one image", "Export it with the image as its only input");
        output = Choose([.. graph.Output], config.Output, nameof(OnnxImportConfig.Output), "output");
        if (Sizes(input).Length != 4) throw Refuse($"the input {input.Name} has {Sizes(input).Length} dimensions, expected 4", null);
    }

    /// <summary>Imports a network.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="config">Properties of the network.</param>
    /// <param name="folder">Model folder to write.</param>
    /// <returns>Description of the model.</returns>
    /// <exception cref="TinctorException">The file is damaged, or the network does not stain images as the properties state.</exception>
    public static ModelDescription Run(string path, OnnxImportConfig config, string folder)
    {
        var import = new OnnxImport(path, config);
        ModelDescription description = import.Wrap();
        string file = Path.Combine(folder, ModelFolder.OnnxFile), trial = $"{file}.trial";
        Directory.CreateDirectory(folder);
        AtomicFile.Write(trial, stream => import.model.WriteTo(stream));
        try
        {
            description = import.Try(trial, description);
            ModelFolder.Write(folder, description, novelty: null);
            File.Move(trial, file, overwrite: true);
        }
        finally
        {
            File.Delete(trial);
        }
        return description;
    }

    private ModelDescription Wrap()
    {
        bool last = config.Layout == ImageLayout.Nhwc;
        long[] sizes = Sizes(input);
        (long channels, long height, long width) = last ? (sizes[3], sizes[1], sizes[2]) : (sizes[1], sizes[2], sizes[3]);
        if (channels <= 0) channels = config.InputChannels;
        if (channels <= 0) throw Missing(nameof(OnnxImportConfig.InputChannels), "the file does not state the number of channels", "3");
        if (config.InputChannels > 0 && channels != config.InputChannels)
            throw Invalid(nameof(OnnxImportConfig.InputChannels), $"is {config.InputChannels}, but the network takes {channels}");
        if (height > 0 && height != width) throw Refuse($"the network takes sources of {width} x {height} pixels, expected squares", null);
        int tile = height > 0 ? (int)height : config.TileSize;
        if (config.TileSize > 0 && config.TileSize != tile)
            throw Invalid(nameof(OnnxImportConfig.TileSize), $"is {config.TileSize}, but the network takes {tile}");

        RenameCollisions();
        AddInput(channels, sizes[0], tile, last);
        AddOutput(last);
        return new()
        {
            Method = config.Method,
            InputChannels = (int)channels,
            OutputChannels = 3,
            Mpp = config.Mpp > 0 ? config.Mpp : null,
            TileSize = tile > 0 ? tile : null,
            SizeMultiple = tile > 0 ? tile : config.SizeMultiple,
        };
    }

    // Values of the network may have the names that the model's own input and output get.
    private void RenameCollisions()
    {
        foreach (string name in new[] { Source, Image }) OnnxFile.Rename(model.Graph, name, $"{Prefix}{name}");
    }

    private void AddInput(long channels, long batch, int tile, bool last)
    {
        (double scale, double shift) = ((Range(config.InputRange, nameof(config.InputRange)).White - config.InputRange[0]) / 2,
            (config.InputRange[0] + config.InputRange[1]) / 2);
        double[] mean = PerChannel(config.InputMean, 0, channels, nameof(config.InputMean)),
            std = PerChannel(config.InputStd, 1, channels, nameof(config.InputStd));
        string gain = Constant("input_gain", [.. std.Select(s => scale / s)]),
            offset = Constant("input_offset", [.. mean.Zip(std, (m, s) => (shift - m) / s)]);
        string values = $"{Prefix}scaled", shifted = last ? $"{Prefix}shifted" : input.Name;
        List<NodeProto> nodes =
        [
            OnnxNode.Create("Mul", [Source, gain], [values]), OnnxNode.Create("Add", [values, offset], [shifted]),
        ];
        if (last) nodes.Add(OnnxNode.Create("Transpose", [shifted], [input.Name], ("perm", new long[] { 0, 2, 3, 1 })));
        for (int i = 0; i < nodes.Count; i++) model.Graph.Node.Insert(i, nodes[i]);
        model.Graph.Input.Remove(input);
        object side = tile > 0 ? tile : "H";
        model.Graph.Input.Insert(0, OnnxNode.CreateInfo(Source, DataType.Float, batch == 1 ? 1 : "N", channels, side, tile > 0 ? tile
            : "W"));
    }

    private void AddOutput(bool last)
    {
        (double black, double white) = Range(config.OutputRange, nameof(config.OutputRange));
        string result = output.Name;
        if (last)
        {
            model.Graph.Node.Add(OnnxNode.Create("Transpose", [result], [$"{Prefix}nchw"], ("perm", new long[] { 0, 3, 1, 2 })));
            result = $"{Prefix}nchw";
        }
        model.Graph.Node.Add(OnnxNode.Create("Mul", [result, Constant("output_gain", [2 / (white - black)])], [$"{Prefix}light"]));
        model.Graph.Node.Add(OnnxNode.Create("Add",
            [$"{Prefix}light", Constant("output_offset", [-(white + black) / (white - black)])], [Image]));
        model.Graph.Output.Clear();
        model.Graph.Output.Add(OnnxNode.CreateInfo(Image, DataType.Float, "N", "C", "out_H", "out_W"));
        model.MetadataProps.Add(new StringStringEntryProto { Key = "method", Value = config.Method });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "licence", Value = config.Licence });
    }

    // The size of the result and its channels are known only after a run.
    private ModelDescription Try(string file, ModelDescription description)
    {
        int side = description.TileSize ?? Math.Max(TrialSide / config.SizeMultiple, 1) * config.SizeMultiple;
        var noise = new Random(1);
        var source = new ImageBatch(1, description.InputChannels, side, side,
            [.. Enumerable.Range(0, description.InputChannels * side * side).Select(_ => (float)((noise.NextDouble() * 2) - 1))]);
        ImageBatch image;
        try
        {
            using var executor = new OnnxExecutor(file);
            image = executor.Run(new(source)).Image;
        }
        catch (Exception e) when (e is OnnxRuntimeException or TinctorException)
        {
            string reason = e is OnnxRuntimeException failure ? OnnxNetwork.Reason(failure) : ((TinctorException)e).Problem;
            throw Refuse($"the network fails on a source of {side} x {side} pixels: {reason}",
                "State its size_multiple, tile_size or layout, or export it again", e);
        }
        if (!image.IsFinite) throw Refuse("the network's output contains values that are not finite numbers", "Use another checkpoint");
        int factor = image.Width / side;
        if (factor < 1 || image.Width != factor * side || image.Height != factor * side)
            throw Refuse($"a source of {side} x {side} pixels gives an image of {image.Width} x {image.Height}, expected a multiple of it",
                null);
        if (image.Channels is not (1 or 3))
            throw Refuse($"the stained image has {image.Channels} channels, expected 1 or 3", "Choose another output");
        return description with { OutputChannels = image.Channels, Upscaling = factor };
    }

    private string Constant(string name, double[] values)
    {
        TensorProto tensor = OnnxTensor.Create(Prefix + name, Array.ConvertAll(values, value => (float)value), 1, values.Length, 1, 1);
        model.Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private ValueInfoProto Choose(ValueInfoProto[] among, string name, string property, string kind)
    {
        if (among.Length == 0) throw Refuse($"the network has no {kind}", "Export it again");
        return name.Length == 0 ? among[0] : among.FirstOrDefault(each => each.Name == name)
            ?? throw Invalid(property, $"is {name}, but the network has {Names(among)}");
    }

    private (double Black, double White) Range(double[] range, string property) => range is [var black, var white] && black != white
        ? (black, white) : throw Invalid(property, $"is [{string.Join(", ", range)}], expected two different numbers");

    private double[] PerChannel(double[] values, double otherwise, long channels, string property) =>
        values.Length == 0 ? [.. Enumerable.Repeat(otherwise, (int)channels)]
            : values.Length == channels && (property != nameof(config.InputStd) || values.All(value => value > 0)) ? values
            : throw Invalid(property, $"is [{string.Join(", ", values)}], expected {channels} numbers{(otherwise > 0 ? " above 0" : "")}");

    // Sizes of a value; 0 for those that vary.
    private static long[] Sizes(ValueInfoProto value) => [.. (value.Type?.TensorType?.Shape?.Dim ?? []).Select(size => size.DimValue)];

    private static string Names(IEnumerable<ValueInfoProto> values) => string.Join(", ", values.Select(value => value.Name));

    private TinctorException Refuse(string problem, string? remedy, Exception? inner = null) => new(path, problem, remedy, inner);

    private TinctorException Missing(string property, string problem, string example) =>
        new(path, problem, $"Set {ConfigFile.KeyOf(property)}={example}");

    private TinctorException Invalid(string property, string problem) =>
        new(path, $"{ConfigFile.KeyOf(property)} {problem}") { Option = ConfigFile.KeyOf(property) };
}
