using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Evaluation.Features;

/// <summary>Inception features from pytorch-fid's weights or from the TorchScript file of StyleGAN and clean-fid.</summary>
public abstract class InceptionFeatures(WeightsFile file, InceptionResizing resizing) : FeatureExtractor
{
    /// <inheritdoc/>
    public override string Name => "Inception v3 (2015-12-05)";

    /// <inheritdoc/>
    internal override IReadOnlyList<Definition> Provenance =>
        [file.Describe("Inception weights"), InceptionInput.Describe(resizing)];

    /// <inheritdoc/>
    internal override Tensor Prepare(Image rgb) => InceptionInput.Resize(rgb, resizing);

    /// <summary>Opens a file of pytorch-fid or a TorchScript program of StyleGAN, identified by content.</summary>
    /// <exception cref="TinctorException">The file is neither.</exception>
    public static InceptionFeatures Open(string path, InceptionResizing resizing, Device device)
    {
        WeightsFile file = WeightsFile.Open(path);
        return file.IsTorchScript ? new TorchScriptInception(file, resizing, device) : new StateDictInception(file, resizing, device);
    }

    private sealed class StateDictInception : InceptionFeatures
    {
        private readonly InceptionV3 network = new();
        private readonly InceptionResizing resizing;
        private readonly Device device;

        public StateDictInception(WeightsFile file, InceptionResizing resizing, Device device) : base(file, resizing)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (this.resizing, this.device) = (resizing, device);
            // pytorch-fid's file also holds the auxiliary classifier, which is not used.
            var weights = file.LoadStateDict().Where(w => !w.Key.StartsWith("AuxLogits.", StringComparison.Ordinal)).ToDictionary();
            try
            {
                network.load_state_dict(weights);
            }
            catch (TinctorException e)
            {
                throw new TinctorException(file.Path, $"not the weights of FID's Inception ({e.Message})",
                    "Use pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or StyleGAN's TorchScript inception-2015-12-05.pt", e);
            }
            network.to(device);
            network.eval();
        }

        internal override FeatureBatch Extract(Tensor images)
        {
            // pytorch-fid scales [0, 1] to [-1, 1]; clean-fid and TensorFlow's graph take (x - 128) / 128.
            Tensor x = resizing == InceptionResizing.Legacy ? (images.to(device) / 127.5) - 1 : (images.to(device) - 128) / 128;
            Tensor features = network.forward(x);
            return new(features, network.Probabilities(features));
        }

        public override void Dispose() => network.Dispose();
    }

    private sealed class TorchScriptInception : InceptionFeatures
    {
        private readonly ScriptModule network;
        private readonly Device device;

        public TorchScriptInception(WeightsFile file, InceptionResizing resizing, Device device) : base(file, resizing)
        {
            this.device = device;
            network = torch.jit.load(file.Path, device).eval();
            using DisposeScope scope = torch.NewDisposeScope();
            try
            {
                Extract(torch.zeros([1, 3, 299, 299]));
            }
            catch (TorchException e)
            {
                network.Dispose();
                throw new TinctorException(file.Path, "a TorchScript program, but not the Inception of StyleGAN and clean-fid "
                    + "(forward(img, return_features, use_fp16, no_output_bias))",
                    "Use other programs as a TorchScript feature network", e);
            }
        }

        // The program normalises images and does not resize those of 299x299.
        internal override FeatureBatch Extract(Tensor images)
        {
            Tensor x = images.to(device);
            return new(network.Call("forward", [x], [true, false, true])[0], network.Call("forward", [x], [false, false, true])[0]);
        }

        public override void Dispose() => network.Dispose();
    }
}
