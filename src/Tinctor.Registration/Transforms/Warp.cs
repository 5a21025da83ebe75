using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Transforms;

/// <summary>Resampling of images under an affine transform.</summary>
internal static class Warp
{
    /// <summary>
    /// Resamples the target onto an area of the source. Bicubic (a = -0.75, as torch grid_sample) with repeated edges; a translation by
    /// whole pixels copies.
    /// </summary>
    public static Image Apply(Image target, AffineTransform transform, PixelArea area)
    {
        using var scope = torch.NewDisposeScope();
        (int x, int y) = ((int)Math.Round(transform.X0), (int)Math.Round(transform.Y0));
        if (transform == AffineTransform.Translation(x, y) && Inside(target, area.X + x, area.Y + y, area))
            return target.Crop(area.X + x, area.Y + y, area.Width, area.Height);
        AffineTransform fromArea = transform.After(AffineTransform.Translation(area.X, area.Y));
        Tensor grid = Grid(fromArea, area.Width, area.Height, target.Width, target.Height);
        Tensor warped = F.grid_sample(target.ToTensor().unsqueeze(0), grid, "bicubic", "border", align_corners: true);
        return Image.FromTensor(warped, ValueRange.ZeroToOne, target.SampleType);
    }

    /// <summary>
    /// Finds a large rectangle of the source that lies within the target; null if there is none. Greedy: sides move in one pixel at a time,
    /// always the side that reduces the part outside of the target most.
    /// </summary>
    public static PixelArea? CommonArea(AffineTransform transform, int width, int height, int targetWidth, int targetHeight)
    {
        (int left, int top, int right, int bottom) = (0, 0, width - 1, height - 1);
        while (left <= right && top <= bottom)
        {
            if (Outside(left, top, right, bottom) <= 1e-6) return new(left, top, right - left + 1, bottom - top + 1);
            double[] after =
            [
                Outside(left + 1, top, right, bottom), Outside(left, top + 1, right, bottom),
                Outside(left, top, right - 1, bottom), Outside(left, top, right, bottom - 1),
            ];
            switch (Array.IndexOf(after, after.Min()))
            {
                case 0: left++; break;
                case 1: top++; break;
                case 2: right--; break;
                default: bottom--; break;
            }
        }
        return null;

        // Sum over the corners of their distances outside of the target.
        double Outside(int x0, int y0, int x1, int y1)
        {
            double sum = 0;
            foreach ((int x, int y) in ((int, int)[])[(x0, y0), (x1, y0), (x0, y1), (x1, y1)])
            {
                (double u, double v) = transform.Apply(x, y);
                sum += Math.Max(0, -u) + Math.Max(0, u - (targetWidth - 1)) + Math.Max(0, -v) + Math.Max(0, v - (targetHeight - 1));
            }
            return sum;
        }
    }

    /// <summary>Creates the grid [1, H, W, 2] of grid_sample with align_corners.</summary>
    internal static Tensor Grid(AffineTransform transform, int width, int height, long targetWidth, long targetHeight)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor u, Tensor v) = Positions(transform, width, height);
        Tensor grid = torch.stack([(u * (2.0 / Math.Max(1, targetWidth - 1))) - 1, (v * (2.0 / Math.Max(1, targetHeight - 1))) - 1], -1);
        return grid.unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Samples an image [1, C, H, W] at positions [h, w], bilinear and differentiable in the positions. Returns the values and the mask
    /// [1, 1, h, w] of positions inside the image.
    /// </summary>
    internal static (Tensor Values, Tensor Inside) Sample(Tensor image, Tensor u, Tensor v)
    {
        (long width, long height) = (image.size(3), image.size(2));
        Tensor grid = torch.stack([(u * (2.0 / Math.Max(1, width - 1))) - 1, (v * (2.0 / Math.Max(1, height - 1))) - 1], -1);
        Tensor inside = ((u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)).to(image.dtype).detach();
        return (F.grid_sample(image, grid.unsqueeze(0), "bilinear", "border", align_corners: true), inside.unsqueeze(0).unsqueeze(0));
    }

    /// <summary>Gets the target positions of the pixels of a source of this size, two tensors [H, W].</summary>
    internal static (Tensor U, Tensor V) Positions(AffineTransform t, int width, int height)
    {
        Tensor x = torch.arange(0, width, dtype: ScalarType.Float32).unsqueeze(0),
            y = torch.arange(0, height, dtype: ScalarType.Float32).unsqueeze(1);
        return ((x * t.Xx) + (y * t.Xy) + t.X0, (x * t.Yx) + (y * t.Yy) + t.Y0);
    }

    private static bool Inside(Image image, int x, int y, PixelArea area) =>
        x >= 0 && y >= 0 && x + area.Width <= image.Width && y + area.Height <= image.Height;
}
