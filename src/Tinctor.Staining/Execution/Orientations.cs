namespace Tinctor.Staining.Execution;

/// <summary>The eight orientations of rotation and mirroring, among which a tissue section has no preference.</summary>
internal static class Orientations
{
    /// <summary>Number of orientations.</summary>
    public const int Count = 8;

    /// <summary>Rotates or mirrors images [N,C,H,W] into one of the orientations; 0 leaves them.</summary>
    public static ImageBatch Apply(ImageBatch images, int orientation)
    {
        ImageBatch turned = orientation < 4 ? images : Transpose(images);
        return Flip(turned, orientation % 4);
    }

    /// <summary>Reverts <see cref="Apply"/>.</summary>
    public static ImageBatch Restore(ImageBatch images, int orientation)
    {
        ImageBatch flipped = Flip(images, orientation % 4);
        return orientation < 4 ? flipped : Transpose(flipped);
    }

    private static ImageBatch Transpose(ImageBatch images) =>
        images.Map(images.Width, images.Height, (plane, y, x) => plane[(x * images.Width) + y]);

    // 1 flips top to bottom, 2 left to right, 3 both.
    private static ImageBatch Flip(ImageBatch images, int axes)
    {
        if (axes == 0) return images;
        (int bottom, int right, int width) = (images.Height - 1, images.Width - 1, images.Width);
        (bool vertical, bool horizontal) = ((axes & 1) != 0, (axes & 2) != 0);
        return images.Map(images.Height, width,
            (plane, y, x) => plane[((vertical ? bottom - y : y) * width) + (horizontal ? right - x : x)]);
    }
}
