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
        Tensor image = target.ToTensor().unsqueeze(0), positions = Positions(fromArea, image, area.Width, area.Height);
        Tensor warped = F.grid_sample(image, positions.permute(0, 2, 3, 1), "bicubic", "border", align_corners: true);
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

    /// <summary>
    /// Samples an image [1, C, H, W] at grid positions [N, 2, h, w], which are -1 at its first pixel and 1 at its last, bilinear and
    /// differentiable in the positions. Returns the values [N, C, h, w] and the mask [N, 1, h, w] of positions inside the image.
    /// </summary>
    internal static (Tensor Values, Tensor Inside) Sample(Tensor image, Tensor positions)
    {
        const double rounding = 1e-6;
        Tensor inside = (positions.detach().abs().amax([1], keepdim: true) <= 1 + rounding).to(image.dtype);
        return (F.grid_sample(image.expand(positions.size(0), -1, -1, -1), positions.permute(0, 2, 3, 1), "bilinear", "border",
            align_corners: true), inside);
    }

    /// <summary>Gets the transform from the pixels of an image [1, C, h, w] to grid positions.</summary>
    internal static AffineTransform ToGrid(Tensor image) =>
        new(2.0 / Math.Max(1, image.size(3) - 1), 0, -1, 0, 2.0 / Math.Max(1, image.size(2) - 1), -1);

    /// <summary>
    /// Gets the grid positions [1, 2, height, width] in the target [1, C, h, w] of the pixels of a source of this size under a transform.
    /// </summary>
    internal static Tensor Positions(AffineTransform transform, Tensor target, long width, long height) =>
        Positions(Matrices(ToGrid(target).After(transform)), width, height);

    /// <summary>
    /// Maps the pixels of a source of this size by transforms [N, 2, 3], such as to grid positions: [N, 2, height, width], across and down.
    /// </summary>
    internal static Tensor Positions(Tensor transforms, long width, long height)
    {
        Tensor x = torch.arange(0, width, dtype: ScalarType.Float32), y = torch.arange(0, height, dtype: ScalarType.Float32).unsqueeze(1);
        Tensor[] columns = transforms.to(ScalarType.Float32).view(-1, 2, 3, 1, 1).unbind(2);
        return (columns[0] * x) + ((columns[1] * y) + columns[2]);
    }

    /// <summary>Copies transforms to a tensor [N, 2, 3] of float64.</summary>
    internal static Tensor Matrices(params AffineTransform[] transforms) =>
        torch.tensor<double>([.. transforms.SelectMany(t => (double[])[t.Xx, t.Xy, t.X0, t.Yx, t.Yy, t.Y0])], transforms.Length, 2, 3);

    private static bool Inside(Image image, int x, int y, PixelArea area) =>
        x >= 0 && y >= 0 && x + area.Width <= image.Width && y + area.Height <= image.Height;
}
