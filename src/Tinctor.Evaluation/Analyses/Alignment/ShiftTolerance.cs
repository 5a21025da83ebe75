using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Alignment;

/// <summary>PSNR and SSIM at the best integer shift of the whole image.</summary>
/// <param name="X">The best shift: the image's structure lies this far further right.</param>
/// <param name="Y">The same, further down.</param>
/// <param name="Psnr">PSNR at that shift, dB.</param>
/// <param name="Ssim">SSIM (7x7 uniform) at that shift.</param>
internal sealed record ShiftTolerance(int X, int Y, double Psnr, double Ssim)
{
    /// <summary>The largest shift along an axis, in pixels; at most an eighth of the image's lesser side.</summary>
    public const int Reach = 8;

    private const int SearchedRows = 64;

    /// <summary>
    /// Compares the reference without a border of <see cref="Reach"/> pixels with the image at every shift. The shift of least squared
    /// error is searched on about 64 rows spread over the image; the scores use all pixels.
    /// </summary>
    public static ShiftTolerance Compute(Image image, Image reference)
    {
        int reach = Math.Min(Reach, Math.Min(image.Width, image.Height) / 8);
        int width = image.Width - (2 * reach), height = image.Height - (2 * reach);
        var (x, y) = BestShift(image, reference, reach, width, height);
        var a = image.Crop(reach + x, reach + y, width, height);
        var b = reference.Crop(reach, reach, width, height);
        PixelView left = new(a.Data, width, height, 3), right = new(b.Data, width, height, 3);
        return new(x, y, PixelErrors.Psnr(left, right), Metrics.Ssim.Compute(left, right));
    }

    private static (int X, int Y) BestShift(Image image, Image reference, int reach, int width, int height)
    {
        int step = Math.Max(1, height / SearchedRows);
        var shifts = from y in Enumerable.Range(-reach, (2 * reach) + 1)
                     from x in Enumerable.Range(-reach, (2 * reach) + 1)
                     select (X: x, Y: y);
        // The smallest shift of equal ones.
        return shifts.OrderBy(shift => (shift.X * shift.X) + (shift.Y * shift.Y)).MinBy(shift =>
        {
            long sum = 0;
            for (int row = 0; row < height; row += step)
                sum += PixelErrors.Sums(Row(image, reach + shift.X, reach + shift.Y + row), Row(reference, reach, reach + row)).Squared;
            return sum;
        });

        ReadOnlySpan<byte> Row(Image of, int x, int y) => of.Data.AsSpan(3 * ((y * of.Width) + x), 3 * width);
    }
}
