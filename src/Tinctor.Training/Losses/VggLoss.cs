using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Perceptual loss of pix2pixHD (networks.VGGLoss of NVIDIA/pix2pixHD): weighted L1 distance of five features of VGG-19.</summary>
internal static class VggLoss
{
    private static readonly double[] Weights = [1.0 / 32, 1.0 / 16, 1.0 / 8, 1.0 / 4, 1];

    /// <summary>Computes the loss of images [N,3,H,W] in [-1,1], without a normalisation of colours, as in the official code.</summary>
    /// <param name="features">Computes the five features of images.</param>
    /// <param name="stained">Stained images.</param>
    /// <param name="target">Real images.</param>
    public static Tensor Compute(Func<Tensor, IReadOnlyList<Tensor>> features, Tensor stained, Tensor target)
    {
        IReadOnlyList<Tensor> a = features(stained), b = features(target);
        return Weights.Select((weight, i) => F.l1_loss(a[i], b[i].detach()) * weight).Aggregate((sum, loss) => sum + loss);
    }
}
