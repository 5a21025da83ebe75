using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods;

/// <summary>
/// Staining method: networks, losses and training step. The trainer provides loop, files and devices. Images are [N,C,H,W] in [-1,1].
/// </summary>
public abstract class Method : Learner
{
    /// <summary>Staining network.</summary>
    public abstract Module<Tensor, Tensor> Generator { get; }

    /// <summary>Network from targets to sources, which becomes a model of its own; null for none.</summary>
    internal virtual Module<Tensor, Tensor>? ReverseGenerator => null;

    /// <inheritdoc/>
    public sealed override Module Trained => Generator;

    /// <inheritdoc/>
    internal sealed override void Pass(Batch batch, Device device)
    {
        using StainContext? stains = UseStains(batch.Pairs, device);
        Generator.forward(batch.Source.to(device));
    }

    /// <summary>Stains of the model, in the order of the networks' input; empty if unknown.</summary>
    public IReadOnlyList<string> Stains { get; set; } = [];

    /// <summary>Sets the stains of pairs as the input of the networks until disposal; null if the model has one stain.</summary>
    internal StainContext? UseStains(IReadOnlyList<Pair> pairs, Device device) => Stains.Count < 2 ? null
        : StainContext.Use(StainContext.OneHot([.. pairs.Select(pair => Stains.ToList().IndexOf(pair.Stain!))], Stains.Count, device));

    /// <summary>
    /// Maximum number of pairs that pass through the networks at a time; gradients are accumulated over the batch. 0 for the whole batch.
    /// </summary>
    public int Microbatch { get; set; }

    /// <summary>Updates all networks once.</summary>
    /// <param name="source">Source images [N,Cin,H,W].</param>
    /// <param name="target">Target images [N,Cout,H,W].</param>
    /// <param name="labels">Label of each pair, null for pairs without one; null if no pair has a label.</param>
    /// <returns>Losses by name, as detached tensors.</returns>
    public abstract IReadOnlyDictionary<string, Tensor> TrainStep(
        Tensor source, Tensor target, IReadOnlyList<string?>? labels = null);

    /// <summary>Computes further scores of validation pairs for the log, such as the similarity of features; none by default.</summary>
    /// <param name="pairs">Source [C,H,W] and target images, on the CPU.</param>
    /// <returns>Scores by name.</returns>
    internal virtual IReadOnlyDictionary<string, double> Measure(IReadOnlyList<(Tensor Source, Tensor Target)> pairs) =>
        new Dictionary<string, double>();

    /// <summary>Whether <see cref="Measure"/> computes scores.</summary>
    internal virtual bool Measures => false;

    /// <summary>Splits a batch into parts of at most <see cref="Microbatch"/> pairs.</summary>
    private protected IReadOnlyList<BatchPart> Parts(Tensor batch) => BatchPart.Split(batch.size(0), Microbatch);
}
