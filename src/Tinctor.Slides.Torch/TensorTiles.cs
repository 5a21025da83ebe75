using Tinctor.Torch;

namespace Tinctor.Slides.Torch;

/// <summary>Division of image tensors into the tiles of a <see cref="TileGrid"/>.</summary>
internal static class TensorTiles
{
    /// <summary>
    /// Splits images [N,C,H,W] into grid x grid tiles, row by row; sizes differ by a pixel if the grid does not divide the image.
    /// </summary>
    public static Tensor[] Cut(Tensor image, int grid) =>
    [
        .. TileGrid.Divide((int)image.size(3), (int)image.size(2), grid)
            .Select(area => image.narrow(2, area.Y, area.Height).narrow(3, area.X, area.Width)),
    ];

    /// <summary>Joins tiles that <see cref="Cut"/> has split.</summary>
    public static Tensor Join(IReadOnlyList<Tensor> tiles, int grid) =>
        torch.cat([.. tiles.Chunk(grid).Select(row => torch.cat(row, 3))], 2);
}
