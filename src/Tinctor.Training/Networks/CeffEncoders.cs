using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>CEFF's two encoders, of H&amp;E and of IHC images. State-dict keys are those of models/Encoder.py, Encoder.</summary>
internal sealed class CeffEncoders : Module<Tensor, Tensor, (Tensor Source, Tensor Target)>
{
    /// <param name="ngf">Channels of the first convolutions.</param>
    /// <param name="feature_dim">Length of the embeddings.</param>
    public CeffEncoders(int ngf = 64, int feature_dim = 1024)
    {
        Source = register_module("encoder1", new CeffEncoder(ngf, feature_dim));
        Target = register_module("encoder2", new CeffEncoder(ngf, feature_dim));
    }

    /// <summary>The encoder of source (H&amp;E) images.</summary>
    public CeffEncoder Source { get; }

    /// <summary>The encoder of target (IHC) images.</summary>
    public CeffEncoder Target { get; }

    /// <summary>Embeddings of source and target images, [N,feature_dim] each.</summary>
    public override (Tensor Source, Tensor Target) forward(Tensor source, Tensor target) =>
        (Source.forward(source), Target.forward(target));
}
