using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Comparator of BCIStainer (ComparatorBasic in libs/models/C.py of quqixun/BCIStainer): a classifier of the IHC level, whose pooled
/// feature the generator's loss compares. [N,C,H,W] in [-1,1] to latents [N,F] and logits [N,levels].
/// </summary>
internal sealed class BciStainerComparator : Module
{
    private readonly Sequential encoder, classify_head;

    /// <param name="inputs">Channels of the image.</param>
    /// <param name="ngf">Channels of the first convolution.</param>
    /// <param name="levels">Number of IHC levels.</param>
    /// <param name="full_size">Side of the training images in pixels; they are halved to 8x8 values.</param>
    /// <param name="largest">Largest number of channels, that of the latent.</param>
    /// <param name="dropout">Probability of dropout between latent and logits.</param>
    public BciStainerComparator(int inputs = 3, int ngf = 32, int levels = 4, int full_size = 1024, int largest = 256,
        double dropout = 0.2)
    {
        List<Module<Tensor, Tensor>> layers = [new BciStainerGenerator.ConvBlock(inputs, ngf, 7, stride: 2, padding: 3)];
        int channels = ngf, further = (int)Math.Log2(full_size / 16);
        for (int i = 0; i < further; i++)
        {
            int wider = Math.Min(channels * 2, largest);
            layers.Add(new BciStainerGenerator.ConvBlock(channels, wider, 3, stride: 2, padding: 1));
            channels = wider;
        }
        encoder = register_module("encoder", new Sequential([.. layers]));
        classify_head = register_module("classify_head", new Sequential([new Dropout(dropout), new Linear(channels, levels)]));
    }

    /// <summary>Computes latents [N,F].</summary>
    public Tensor Latent(Tensor image)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return encoder.forward(image).mean([2, 3]).MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits [N,levels] of latents.</summary>
    public Tensor Classify(Tensor latent) => classify_head.forward(latent);
}
