using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Methods.Pix2Pix;

/// <summary>Settings common to conditional GANs with an L1 loss, trained by <see cref="ConditionalGanMethod"/>.</summary>
public abstract record ConditionalGanConfig : PatchGanConfig
{
    /// <summary>Weight of the L1 loss.</summary>
    [Range(0, 1e6)]
    public double LambdaL1 { get; init; } = 100;

    /// <summary>Weight of the GAN loss; 0 trains the generator alone, without a discriminator.</summary>
    [Range(0, 1e6)]
    public double LambdaGan { get; init; } = 1;

    /// <inheritdoc/>
    internal override bool TakesStains => true;

    /// <summary>Creates the conditional discriminator; its input is source and target.</summary>
    public Module<Tensor, Tensor> CreateDiscriminator() => WithStainInput(CreateDiscriminator(InputChannels + OutputChannels));
}
