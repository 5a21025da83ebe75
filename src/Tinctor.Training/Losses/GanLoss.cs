using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Adversarial objective.</summary>
public enum GanMode
{
    /// <summary>Cross entropy of logits (Goodfellow et al. 2014).</summary>
    Vanilla,

    /// <summary>Squared distance to 0 or 1 (Mao et al. 2017).</summary>
    Lsgan,

    /// <summary>Wasserstein distance with a gradient penalty (Gulrajani et al. 2017).</summary>
    Wgangp,
}

/// <summary>Adversarial losses (networks.GANLoss and networks.cal_gradient_penalty of the official pix2pix).</summary>
internal static class GanLoss
{
    /// <summary>Computes the mean loss of discriminator logits [N,1,h,w] for the label real or fake.</summary>
    public static Tensor Compute(GanMode mode, Tensor prediction, bool real)
    {
        if (mode == GanMode.Wgangp) return real ? -prediction.mean() : prediction.mean();
        Tensor target = torch.full_like(prediction, real ? 1.0 : 0.0);
        return mode == GanMode.Lsgan ? F.mse_loss(prediction, target) : F.binary_cross_entropy_with_logits(prediction, target);
    }

    /// <summary>Computes weight * (|gradient| - 1)² at points between real and fake images.</summary>
    /// <param name="discriminator">Maps images to logits.</param>
    /// <param name="real">Real images [N,C,H,W].</param>
    /// <param name="fake">Generated images, detached.</param>
    /// <param name="alpha">Position of each point between fake (0) and real (1), [N,1,1,1] in [0,1].</param>
    /// <param name="weight">lambda_gp.</param>
    public static Tensor GradientPenalty(Func<Tensor, Tensor> discriminator, Tensor real, Tensor fake, Tensor alpha, double weight = 10)
    {
        Tensor between = (alpha * real + (1 - alpha) * fake).detach().requires_grad_();
        Tensor prediction = discriminator(between);
        Tensor gradient = torch.autograd.grad([prediction], [between], [torch.ones_like(prediction)], create_graph: true)[0];
        Tensor length = (gradient.view(real.size(0), -1) + 1e-16).norm(2, [1]);
        return (length - 1).square().mean() * weight;
    }
}
