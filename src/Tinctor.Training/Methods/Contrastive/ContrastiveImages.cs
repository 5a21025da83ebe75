using Tinctor.Torch;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Contrastive;

/// <summary>
/// Images of a part of a batch, [N,C,H,W], and their features at the compared layers, which are computed at their first use. Features of
/// source and target have no gradient, as they are only keys.
/// </summary>
internal sealed class ContrastiveImages
{
    private readonly Lazy<Tensor[]> source, target, stained, identity;

    /// <param name="generator">Generator, whose features are compared.</param>
    /// <param name="layers">Compared layers.</param>
    /// <param name="source">Source images.</param>
    /// <param name="target">Target images.</param>
    /// <param name="generated">Results of the generator for the sources, then for the targets if it received them.</param>
    /// <param name="flipped">Whether the generator received mirrored images.</param>
    /// <param name="batch">Number of pairs in the batch, of all ranks.</param>
    public ContrastiveImages(ResnetGenerator generator, IReadOnlyList<int> layers, Tensor source, Tensor target, Tensor generated,
        bool flipped, int batch)
    {
        BatchFactor = (double)batch / source.size(0);
        (Source, Target) = (source, target);
        Generated = generated.narrow(0, 0, source.size(0));
        Stained = flipped ? Generated.flip(3) : Generated;
        this.source = new(() => Keys(Source));
        this.target = new(() => Keys(Target));
        stained = new(() => Queries(Generated));
        identity = new(() => Queries(generated.narrow(0, source.size(0), source.size(0))));

        Tensor[] Keys(Tensor images)
        {
            using Guard quiet = torch.no_grad();
            return generator.Features(images, layers);
        }

        Tensor[] Queries(Tensor images)
        {
            Tensor[] features = generator.Features(images, layers);
            return flipped ? [.. features.Select(feature => feature.flip(3))] : features;
        }
    }

    /// <summary>Factor of sums over the images, by which means over parts add up to the sum over the batch.</summary>
    public double BatchFactor { get; }

    /// <summary>Source images.</summary>
    public Tensor Source { get; }

    /// <summary>Target images.</summary>
    public Tensor Target { get; }

    /// <summary>Result of the generator for the sources, mirrored if it received mirrored images.</summary>
    public Tensor Generated { get; }

    /// <summary>Stained images, aligned with the sources.</summary>
    public Tensor Stained { get; }

    /// <summary>Features of the sources.</summary>
    public Tensor[] SourceFeatures => source.Value;

    /// <summary>Features of the targets.</summary>
    public Tensor[] TargetFeatures => target.Value;

    /// <summary>Features of the stained images, aligned with the sources.</summary>
    public Tensor[] StainedFeatures => stained.Value;

    /// <summary>Features of the targets that passed through the generator, aligned with the targets.</summary>
    public Tensor[] IdentityFeatures => identity.Value;
}
