using Tinctor.Torch;

namespace Tinctor.Slides.Torch;

/// <summary>Splits images into rows and columns of tiles and joins them again.</summary>
public static class TileGrid
{
    /// <summary>Splits images [N,C,H,W] into grid x grid tiles, row by row; sizes differ by a pixel if the grid does not divide the image.</summary>
    public static Tensor[] Cut(Tensor image, int grid) =>
    [
        .. Parts(image, 2, grid).SelectMany(row => Parts(row, 3, grid)),
    ];

    /// <summary>Joins tiles that <see cref="Cut"/> has split.</summary>
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
