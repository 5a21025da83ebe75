using Tinctor.Torch;

namespace Tinctor.Training.Methods;

/// <summary>
/// History of generated images for the discriminator (Shrivastava et al. 2017; util/image_pool.py): once the pool is full, each image is
/// exchanged for a stored one with probability one half. Uses libtorch's default random generator. Each rank of a distributed training
/// stores the images of all ranks, so that they draw the same ones.
/// </summary>
/// <param name="size">Number of stored images; 0 returns every image unchanged.</param>
internal sealed class ImagePool(int size)
{
    private readonly List<Tensor> images = [];

    /// <summary>Returns a batch [N,C,H,W] of the same size, with some images exchanged for earlier ones.</summary>
    public Tensor Query(Tensor batch)
    {
        if (size == 0) return batch;
        return BatchAcrossRanks.Ranks is { } ranks ? ranks.OwnRows(Exchange(ranks.GatherRows(batch.detach()))) : Exchange(batch);
    }

    /// <summary>Stored images, for checkpoints.</summary>
    public IReadOnlyDictionary<string, Tensor> State =>
        images.Select((image, i) => (image, i)).ToDictionary(kept => $"pool.{kept.i}", kept => kept.image);

    /// <summary>Restores a <see cref="State"/>.</summary>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        foreach (Tensor image in images) image.Dispose();
        images.Clear();
        for (int i = 0; state.TryGetValue($"pool.{i}", out Tensor? image); i++) images.Add(image.clone().DetachFromDisposeScope());
    }

    private Tensor Exchange(Tensor batch)
    {
        var chosen = new List<Tensor>();
        foreach (Tensor image in batch.split(1)) chosen.Add(ExchangeOne(image));
        return torch.cat([.. chosen]);
    }

    private Tensor ExchangeOne(Tensor image)
    {
        if (images.Count < size)
        {
            images.Add(image.clone().DetachFromDisposeScope());
            return image;
        }
        if (torch.rand([1]).item() <= 0.5) return image;
        int position = (int)torch.randint(0, size, [1]).item();
        Tensor earlier = images[position].clone();
        images[position].copy_(image);
        return earlier;
    }
}
