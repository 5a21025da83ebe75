using Tinctor.Torch;

namespace Tinctor.Training.Networks;

/// <summary>Images cut into rows and columns of tiles, and put together again.</summary>
internal static class TileGrid
{
    /// <summary>[N,C,H,W] to grid * grid tiles, row by row; sizes differ by a pixel where the grid does not divide the image.</summary>
    public static Tensor[] Cut(Tensor image, int grid) =>
    [
        .. Parts(image, 2, grid).SelectMany(row => Parts(row, 3, grid)),
    ];

    /// <summary>The inverse of <see cref="Cut"/>.</summary>
    public static Tensor Join(IReadOnlyList<Tensor> tiles, int grid) =>
        torch.cat([.. tiles.Chunk(grid).Select(row => torch.cat(row, 3))], 2);

    private static IEnumerable<Tensor> Parts(Tensor image, int dimension, int count)
    {
        long size = image.size(dimension);
        for (int i = 0; i < count; i++)
        {
            long start = i * size / count;
            yield return image.narrow(dimension, start, ((i + 1) * size / count) - start);
        }
    }
}
