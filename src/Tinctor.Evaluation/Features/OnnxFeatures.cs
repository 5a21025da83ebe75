using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Training.Execution;

namespace Tinctor.Evaluation.Features;

/// <summary>
/// Features of a network in an ONNX file that returns one vector per image, such as a pathology foundation model. The network runs on ONNX
/// Runtime. Its first output is [N,D], [N,D,1,1], or [N,T,D] with the class token first.
/// </summary>
internal sealed class OnnxFeatures : FeatureExtractor
{
    private const string Remedy = "Export a network with one input, float32 [N,3,H,W], and one vector per image as the first output";
    private readonly WeightsFile file;
    private readonly IReadOnlyList<string> externalFiles;
    private readonly OnnxNetwork network;
    private readonly FeaturePreparation preparation;
    private readonly int? batchSize;
    private readonly bool keepsSize;
    private int dimensions;
    private long length;

    /// <summary>Opens the network.</summary>
    /// <param name="path">ONNX file.</param>
    /// <param name="input">Size and normalisation of its input.</param>
    /// <param name="device">Device of the computation; the CPU if ONNX Runtime does not support it.</param>
    /// <exception cref="TinctorException">
    /// The file is missing or damaged, or not a network from images to feature vectors, or takes images of another size only.
    /// </exception>
    public OnnxFeatures(string path, FeatureInput input, Device device)
    {
        keepsSize = input.Size == 0;
        file = WeightsFile.Open(path);
        externalFiles = OnnxExternalData.Find(path);
        network = new OnnxNetwork(path, OnnxTensors.DeviceFor(device) ?? OnnxDevice.Cpu);
        try
        {
            OnnxPort images = Images();
            RequireVectors(network.Outputs.Count > 0 ? network.Outputs[0] : throw Refuse("the network has no output"));
            batchSize = images.Shape[0] > 0 ? images.Shape[0] : null;
            preparation = new(input, FixedSize(images, input));
        }
        catch
        {
            network.Dispose();
            throw;
        }
        dimensions = network.Outputs[0].Shape.Count;
    }

    /// <inheritdoc/>
    public override string Name => Path.GetFileNameWithoutExtension(file.Path);

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance =>
    [
        file.Describe("Feature network"),
        .. externalFiles.Select(path => WeightsFile.Open(path).Describe("Weights of the feature network")),
        new("Features", $"{(dimensions == 3 ? "first token (class token) of the" : "the")} first output of the network, "
            + $"{network.Outputs[0].Name}; computed by ONNX Runtime on {network.Device}"),
        preparation.Description,
    ];

    /// <inheritdoc/>
    internal override ImageBatch Prepare(Image rgb) => preparation.Apply(rgb);

    /// <inheritdoc/>
    internal override FeatureBatch Extract(ImageBatch images)
    {
        int group = batchSize ?? images.Count;
        var features = new List<float[]>();
        for (int start = 0; start < images.Count; start += group)
        {
            // A network of a fixed batch also gets images of zeros, whose features are left out.
            int used = Math.Min(group, images.Count - start);
            var batch = new ImageBatch(group, images.Channels, images.Height, images.Width);
            images.Values.AsSpan(start * images.ImageLength, used * images.ImageLength).CopyTo(batch.Values);
            features.AddRange(Vectors(batch).Take(used));
        }
        return features.TrueForAll(vector => Array.TrueForAll(vector, float.IsFinite)) ? new([.. features])
            : throw new TinctorException(file.Path, "the network returns NaN or infinite features",
                "Check the mean and standard deviation of its input, or export the model again");
    }

    /// <inheritdoc/>
    public override void Dispose() => network.Dispose();

    private IEnumerable<float[]> Vectors(ImageBatch images)
    {
        OnnxArray output;
        try
        {
            output = network.Run(images, network.Outputs[0].Name)[0];
        }
        catch (TinctorException e)
        {
            string remedy = keepsSize ? "Use images of the size that the network takes" : "Set the input size of this network";
            throw new TinctorException(e.File, e.Problem, remedy, e) { Option = keepsSize ? null : nameof(FeatureInput.Size) };
        }
        string sizes = string.Join(',', output.Shape);
        if (output.Shape is not ([_, > 0] or [_, > 0, > 0] or [_, > 0, 1, 1]) || output.Shape[0] != images.Count)
            throw Refuse($"the output {network.Outputs[0].Name} is [{sizes}] for {images.Count} images, "
                + $"expected [{images.Count},features]");
        dimensions = output.Shape.Length;
        long found = output.Shape[dimensions == 3 ? 2 : 1];
        if (length == 0) length = found;
        if (found != length) throw Refuse($"the output {network.Outputs[0].Name} is [{sizes}], but it had {length} features before");
        return output.Values.Chunk(output.Values.Length / images.Count).Select(values => values[..(int)length]);
    }

    private OnnxPort Images() => network.Inputs switch
    {
        [{ IsFloat: true, Shape: [_, 3, _, _] or [_, -1, _, not 3] } images] => images,
        [var other] => throw Refuse($"the input {other.Name} is {other.Description}, expected float32 [N,3,H,W]"),
        var several => throw Refuse($"the network has {several.Count} inputs ({string.Join(", ", several.Select(port => port.Name))}), "
            + "expected one image"),
    };

    // Without sizes in the file, the first batch shows them.
    private void RequireVectors(OnnxPort output)
    {
        if (!output.IsFloat || output.Shape is not ([] or [_, _] or [_, _, _] or [_, _, 1 or -1, 1 or -1]))
            throw Refuse($"the output {output.Name} is {output.Description}, expected float32 [N,features]");
    }

    private int? FixedSize(OnnxPort images, FeatureInput input)
    {
        int[] sides = [.. images.Shape.Skip(2).Where(side => side > 0).Distinct()];
        if (sides.Length == 0) return null;
        if (sides.Length > 1) throw Refuse($"the network takes images of {images.Shape[3]}x{images.Shape[2]} pixels, expected a square");
        return input.Size is not { } size || size == 0 || size == sides[0] ? sides[0]
            : throw new TinctorException(file.Path,
                $"the network takes images of {sides[0]}x{sides[0]} pixels, but the input size is {size}",
                    $"Use {sides[0]}, or leave the size out")
            { Option = nameof(FeatureInput.Size) };
    }

    private TinctorException Refuse(string problem) => new(file.Path, problem, Remedy);
}
