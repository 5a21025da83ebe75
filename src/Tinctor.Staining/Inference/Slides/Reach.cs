using Tinctor.Torch;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>How far a pixel of the source is felt in what a network makes of it: how much of a tile's edge lacks context.</summary>
internal static class Reach
{
    private const int Spot = 16;
    private const double Beyond = 0.01;

    /// <summary>
    /// Pixels of the source from the edge of a spot in the tile's middle, beyond which a change of the spot is felt by no more than one
    /// percent of all that it changes.
    /// </summary>
    /// <param name="tile">A tile [1,C,H,W] in [-1,1].</param>
    /// <param name="forward">The network, with the same chance and the same moments at each call; [1,C,f H,f W].</param>
    public static int Of(Tensor tile, Func<Tensor, Tensor> forward)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        (int height, int width) = ((int)tile.size(2), (int)tile.size(3));
        (int top, int left) = (Math.Max(0, (height - Spot) / 2), Math.Max(0, (width - Spot) / 2));
        Tensor changed = tile.clone();
        changed[TensorIndex.Ellipsis, top..Math.Min(height, top + Spot), left..Math.Min(width, left + Spot)].neg_();
        Tensor difference = (forward(changed) - forward(tile)).abs().mean([0, 1]);
        int factor = (int)difference.size(1) / width;
        return Spread(difference.contiguous().ToArray<float>(), width * factor, (left * factor, (left + Spot) * factor), (top * factor, (top + Spot) * factor)) / factor;
    }

    private static int Spread(float[] difference, int width, (int Start, int End) x, (int Start, int End) y)
    {
        var rings = new double[Math.Max(width, difference.Length / width)];
        for (int i = 0; i < difference.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, width);
            int distance = Math.Max(Math.Max(x.Start - column, column - x.End + 1), Math.Max(y.Start - row, row - y.End + 1));
            rings[Math.Max(0, distance)] += difference[i];
        }
        double left = Beyond * rings.Sum();
        int reach = rings.Length - 1;
        while (reach > 0 && (left -= rings[reach]) >= 0) reach--;
        return reach;
    }
}
