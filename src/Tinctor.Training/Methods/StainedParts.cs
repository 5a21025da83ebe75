using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Learners;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods;

/// <summary>
/// Results of a generator for the parts of a batch, which a step needs twice: without gradients for the discriminator, then with gradients.
/// A whole batch is computed once. Parts are computed once more for the gradients, with the same random numbers (dropout), so that the
/// memory of a single part suffices; running statistics of batch norms are updated once.
/// </summary>
/// <typeparam name="T">Result of the generator.</typeparam>
internal sealed class StainedParts<T> : IDisposable
{
    private readonly Func<Tensor, T> run;
    private readonly Tensor source;
    private readonly IReadOnlyList<BatchPart> parts;
    private readonly Tensor[] images;
    private readonly RandomStates[] states;
    private readonly T? whole;

    /// <summary>Computes all parts.</summary>
    /// <param name="network">Generator.</param>
    /// <param name="run">Runs the generator on source images.</param>
    /// <param name="image">Gets the stained images of a result.</param>
    /// <param name="source">Source images of the batch.</param>
    /// <param name="parts">Parts of the batch.</param>
    public StainedParts(Module network, Func<Tensor, T> run, Func<T, Tensor> image, Tensor source, IReadOnlyList<BatchPart> parts)
    {
        (this.run, this.source, this.parts) = (run, source, parts);
        images = new Tensor[parts.Count];
        states = parts.Count == 1 ? [] : new RandomStates[parts.Count];
        if (parts.Count == 1)
        {
            whole = run(source);
            images[0] = image(whole).detach();
            return;
        }
        WithoutStatistics(network, () =>
        {
            for (int i = 0; i < parts.Count; i++)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                states[i] = RandomStates.Read(source.device);
                using StainContext? stains = StainContext.UsePart(parts[i]);
                // With gradients, as autocast would otherwise keep copies of the weights without them.
                images[i] = image(run(parts[i].Of(source))).detach().clone().MoveToOuterDisposeScope();
            }
        });
    }

    /// <summary>Gets the stained images of a part, without gradients.</summary>
    public Tensor Image(int part) => images[part];

    /// <summary>Gets the result for a part, with gradients.</summary>
    public T Result(int part)
    {
        if (parts.Count == 1) return whole!;
        using IDisposable same = states[part].Replay();
        return run(parts[part].Of(source));
    }

    /// <summary>Frees the states of the random generators.</summary>
    public void Dispose()
    {
        foreach (RandomStates state in states) state.Dispose();
    }

    private static void WithoutStatistics(Module network, Action pass)
    {
        var norms = network.modules().OfType<RunningNorm>().Where(norm => norm.num_batches_tracked is not null)
            .Select(norm => (Norm: norm, norm.momentum, Batches: norm.num_batches_tracked!.clone())).ToArray();
        foreach (var each in norms) each.Norm.momentum = 0;
        pass();
        using Guard quiet = torch.no_grad();
        foreach (var each in norms)
        {
            each.Norm.momentum = each.momentum;
            each.Norm.num_batches_tracked!.copy_(each.Batches);
        }
    }
}
