using Tinctor.Torch;
using Tinctor.Training.Learners;

namespace Tinctor.Training.Networks;

/// <summary>
/// Stains of the images that pass through networks of several stains, a property of the calling thread as autocast is: the network itself
/// stays unchanged, so threads may share it. Valid until disposal.
/// </summary>
internal sealed class StainContext : IDisposable
{
    [ThreadStatic]
    private static StainContext? current;
    private readonly StainContext? outer;
    private readonly Tensor batch, images;

    private StainContext(Tensor batch, Tensor images)
    {
        (this.batch, this.images, outer) = (batch, images, current);
        current = this;
    }

    /// <summary>One-hot stain of each image, float32 [N,stains], or [1,stains] for all.</summary>
    /// <exception cref="InvalidOperationException">No stain is chosen.</exception>
    public static Tensor Current =>
        current?.images ?? throw new InvalidOperationException("no stain is chosen for a network of several stains");

    /// <summary>Sets the stains of the images of a batch.</summary>
    /// <param name="oneHot">One-hot stains [N,stains], or [1,stains] for all images.</param>
    public static StainContext Use(Tensor oneHot) => new(oneHot, oneHot);

    /// <summary>Sets the stains of a part of the present batch; null if no stain is chosen.</summary>
    public static StainContext? UsePart(BatchPart part) => current is null ? null : new(current.batch, part.Of(current.batch));

    /// <summary>Binds a function to the present stains, for a later call on any thread.</summary>
    public static Func<T, TResult> Bind<T, TResult>(Func<T, TResult> function)
    {
        if (current is not { } bound) return function;
        return input =>
        {
            using var context = new StainContext(bound.batch, bound.images);
            return function(input);
        };
    }

    /// <summary>Creates the one-hot tensor [N,stains] of stains by index.</summary>
    public static Tensor OneHot(IReadOnlyList<int> indices, int stains, Device device)
    {
        var values = new float[indices.Count * stains];
        for (int i = 0; i < indices.Count; i++) values[(i * stains) + indices[i]] = 1;
        return torch.tensor(values, indices.Count, stains).to(device);
    }

    /// <summary>Restores the stains before.</summary>
    public void Dispose() => current = outer;
}
