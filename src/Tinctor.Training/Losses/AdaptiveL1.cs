using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Adaptive L1 loss of CEFF (Jia et al. 2025, equation 5; models/CEFF_model.py, backward_G): the L1 distance of each tile is weighted by
/// the similarity of stained and real tile according to an encoder.
/// </summary>
internal static class AdaptiveL1
{
    /// <summary>Computes the mean over tiles of (alpha + beta similarity) L1, a scalar. Weights have no gradient.</summary>
    /// <param name="stained">Stained images [N,C,H,W].</param>
    /// <param name="real">Target images [N,C,H,W].</param>
    /// <param name="encode">Embeds tiles [N,C,h,w] as [N,D].</param>
    /// <param name="grid">Rows and columns of tiles.</param>
    /// <param name="alpha">Weight at similarity 0.</param>
    /// <param name="beta">Increase of the weight at similarity 1.</param>
    /// <param name="byImage">
    /// Whether each image has its own weights; the official code uses common weights per batch, here over all ranks.
    /// </param>
    public static Tensor Compute(
        Tensor stained, Tensor real, Func<Tensor, Tensor> encode, int grid = 2, double alpha = 50, double beta = 50,
        bool byImage = false)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor[] made = TensorTiles.Cut(stained, grid), there = TensorTiles.Cut(real, grid);
        Tensor[] similarities = Similarities(made, there, encode);
        IEnumerable<Tensor> losses = made.Zip(there, similarities).Select(tile =>
        {
            Tensor weight = alpha + beta * (byImage ? tile.Third : BatchAcrossRanks.Mean(tile.Third.mean()));
            return (weight * (tile.First - tile.Second).abs().mean([1, 2, 3])).mean();
        });
        return torch.stack([.. losses]).mean().MoveToOuterDisposeScope();
    }

    // Cosine similarities [N] of each tile. Running statistics depend on the order: stained tiles are encoded first.
    private static Tensor[] Similarities(Tensor[] made, Tensor[] there, Func<Tensor, Tensor> encode)
    {
        using Guard quiet = torch.no_grad();
        Tensor[] embedded = Array.ConvertAll(made, tile => encode(tile.detach()));
        return [.. embedded.Zip(there, (embedding, tile) => F.cosine_similarity(embedding, encode(tile), dim: -1))];
    }
}
