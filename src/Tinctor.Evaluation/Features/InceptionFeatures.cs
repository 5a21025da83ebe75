using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Features;

/// <summary>Resizing to Inception's input of 299x299. Results of different methods are not comparable.</summary>
public enum InceptionResizing
{
    /// <summary>clean-fid (Parmar et al. 2022): Pillow's bicubic filter with antialiasing, channel by channel in float.</summary>
    Clean,

    /// <summary>pytorch-fid: bilinear interpolation without antialiasing, align_corners false.</summary>
    Legacy,
}

/// <summary>
/// Inception features from pytorch-fid's weights or their ONNX file, on ONNX Runtime; or from the TorchScript file of StyleGAN and
/// clean-fid, on libtorch.
/// </summary>
public abstract class InceptionFeatures(InceptionResizing resizing) : FeatureExtractor
{
    private const int Side = 299;
    private const string Task = "inception";
    private static readonly string[] Outputs = ["features", "probabilities"];

    /// <inheritdoc/>
    public override string Name => "Inception v3 (2015-12-05)";

    private Definition Resizing => new("Resizing", resizing == InceptionResizing.Clean
        ? "to 299x299 as clean-fid: bicubic with antialiasing, in float"
        : "to 299x299 as pytorch-fid (legacy): bilinear without antialiasing");

    /// <summary>Opens a file, identified by content.</summary>
    /// <param name="path">
    /// Weights of pytorch-fid, which are exported to PATH.onnx when they are first used; that ONNX file; or a TorchScript program of
    /// StyleGAN.
    /// </param>
    /// <param name="resizing">Resizing of the images.</param>
    /// <param name="device">Device of the computation.</param>
    /// <exception cref="TinctorException">The file is none of these, or needs libtorch, which is missing.</exception>
    public static InceptionFeatures Open(string path, InceptionResizing resizing, Device device)
    {
        if (FeatureFile.IsOnnx(path)) return new OnnxInception(OpenFile(path, device), resizing);
        WeightsFile file = WeightsFile.Open(path);
        if (file.IsTorchScript) return new TorchScriptInception(file, resizing, device);
        if (OnnxTensors.DeviceFor(device) is not { } onnxDevice) return new LibtorchInception(file, resizing, device);
        var exported = new ExportedNetwork<InceptionV3>(file, Path.GetFileName(path) + ".onnx", file.Sha256, CreateExport,
            _ => new Dictionary<string, string> { ["task"] = Task, ["weights"] = file.Describe("").Text });
        return new OnnxInception(exported.Open(() => Load(file), 1, Outputs, onnxDevice), resizing);
    }

    /// <summary>
    /// Resizes an image to [3, 299, 299] in [0, 255]; bicubic interpolation may exceed the range slightly, as in clean-fid.
    /// </summary>
    internal static ImageBatch Resize(Image rgb, InceptionResizing resizing) => new(1, 3, Side, Side, resizing == InceptionResizing.Clean
        ? Resampler.ResizeToFloats(rgb, Side, Side, ResizeKernel.Cubic)
        : Resampler.ResizeToFloats(rgb, Side, Side, ResizeKernel.Linear, antialias: false));

    /// <summary>Function of the ONNX file: from "image" [N,3,299,299] to "features" [N,2048] and "probabilities" [N,1008].</summary>
    internal static ExportFunction CreateExport(InceptionV3 network) => new(Task,
        size => [torch.zeros([size.Count, 3, size.Height, size.Width])], ["image"], inputs =>
        {
            Tensor features = network.forward(inputs[0]);
            return [features, network.Probabilities(features)];
        }, Outputs)
    { Size = new(1, 96, 128), SizeMultiple = 32 };

    /// <inheritdoc/>
    internal override ImageBatch Prepare(Image rgb) => Resize(rgb, resizing);

    // pytorch-fid scales [0, 1] to [-1, 1]; clean-fid and TensorFlow's graph take (x - 128) / 128.
    private ImageBatch Normalise(ImageBatch images)
    {
        bool legacy = resizing == InceptionResizing.Legacy;
        float[] values = Array.ConvertAll(images.Values, value => legacy ? (value / 127.5f) - 1 : (value - 128) / 128);
        return new(images.Count, images.Channels, images.Height, images.Width, values);
    }

    private static OnnxNetwork OpenFile(string path, Device device)
    {
        OnnxExternalData.Find(path);
        var network = new OnnxNetwork(path, OnnxTensors.DeviceFor(device) ?? OnnxDevice.Cpu);
        if (network.Metadata("task") == Task && network.Takes(1, Outputs)) return network;
        network.Dispose();
        throw new TinctorException(path, "an ONNX file, but not one that was exported from the weights of FID's Inception",
            "Use other networks as a feature network");
    }

    private static InceptionV3 Load(WeightsFile file) => InceptionV3.FromFile(file.Path);

    private sealed class OnnxInception(OnnxNetwork network, InceptionResizing resizing) : InceptionFeatures(resizing)
    {
        internal override IReadOnlyList<Definition> Provenance =>
            [new("Inception weights", $"{network.Metadata("weights")}; computed by ONNX Runtime on {network.Device}"), Resizing];

        internal override FeatureBatch Extract(ImageBatch images)
        {
            float[][][] outputs = network.RunForVectors(Normalise(images), Outputs);
            return new(outputs[0], outputs[1]);
        }

        public override void Dispose() => network.Dispose();
    }

    // For GPUs that only libtorch supports.
    private sealed class LibtorchInception : InceptionFeatures
    {
        private readonly WeightsFile file;
        private readonly InceptionV3 network;
        private readonly Device device;

        public LibtorchInception(WeightsFile file, InceptionResizing resizing, Device device) : base(resizing)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (this.file, this.device, network) = (file, device, Load(file));
            network.to(device);
        }

        internal override IReadOnlyList<Definition> Provenance => [file.Describe("Inception weights"), Resizing];

        internal override FeatureBatch Extract(ImageBatch images)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard quiet = torch.inference_mode();
            Tensor features = network.forward(Normalise(images).ToTensor().to(device));
            return new(features.ToVectors(), network.Probabilities(features).ToVectors());
        }

        public override void Dispose() => network.Dispose();
    }

    private sealed class TorchScriptInception : InceptionFeatures
    {
        private readonly WeightsFile file;
        private readonly ScriptModule network;
        private readonly Device device;

        public TorchScriptInception(WeightsFile file, InceptionResizing resizing, Device device) : base(resizing)
        {
            (this.file, this.device, network) = (file, device, TorchScript.Load(file.Path, device));
            try
            {
                Extract(new ImageBatch(1, 3, Side, Side));
            }
            catch (TorchException e)
            {
                network.Dispose();
                throw new TinctorException(file.Path, "a TorchScript program, but not the Inception of StyleGAN and clean-fid "
                    + "(forward(img, return_features, use_fp16, no_output_bias))",
                    "Use other programs as a TorchScript feature network", e);
            }
        }

        internal override IReadOnlyList<Definition> Provenance => [file.Describe("Inception weights"), Resizing];

        // The program normalises images and does not resize those of 299x299.
        internal override FeatureBatch Extract(ImageBatch images)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard quiet = torch.inference_mode();
            Tensor x = images.ToTensor().to(device);
            return new(network.Call("forward", [x], [true, false, true])[0].ToVectors(),
                network.Call("forward", [x], [false, false, true])[0].ToVectors());
        }

        public override void Dispose() => network.Dispose();
    }
}
