using System.Numerics;

namespace Tinctor.Evaluation.Metrics;

/// <summary>Errors of single pixels on 8-bit images: MSE and what is derived from it, and MAE. The sums are exact integers.</summary>
internal static class PixelErrors
{
    internal static readonly PairMetric PsnrMetric = PairMetric.Create("psnr", "PSNR", "dB", 2, true,
        "10 log10(255^2 / MSE) on 8-bit RGB, MSE over all pixels and channels of an image; infinite for identical images; "
        + "as skimage.metrics.peak_signal_noise_ratio with data_range 255",
        (image, reference) => Psnr(image.Pixels, reference.Pixels));

    /// <summary>Metric with <see cref="PsnrOfTargetRange"/>, for comparison with such numbers; computed only on request.</summary>
    public static readonly PairMetric PsnrTargetRangeMetric = PairMetric.Create("psnr_target_range", "PSNR, target's range", "dB", 2, true,
        "10 log10(R^2 / MSE) on 8-bit RGB, R the real image's largest less its smallest sample; infinite for identical images, not "
        + "defined for flat real images; as the evaluation script of the pixel super-resolution paper (Zhang et al. 2024)",
        (image, reference) => PsnrOfTargetRange(image.Pixels, reference.Pixels));

    internal static readonly PairMetric MaeMetric = PairMetric.Create("mae", "MAE", "grey levels", 2, false,
        "mean absolute difference on 8-bit RGB (0 to 255), over all pixels and channels of an image",
        (image, reference) => Mae(image.Pixels, reference.Pixels));

    internal static readonly PairMetric RmseMetric = PairMetric.Create("rmse", "RMSE", "grey levels", 2, false,
        "square root of the mean squared difference on 8-bit RGB (0 to 255), over all pixels and channels of an image",
        (image, reference) => Rmse(image.Pixels, reference.Pixels));

    /// <summary>Mean squared error, 0 to 255^2.</summary>
    public static double Mse(PixelView image, PixelView reference)
    {
        image.MustMatch(reference);
        return Sums(image.Data, reference.Data).Squared / (double)image.Data.Length;
    }

    /// <summary>Peak signal-to-noise ratio in dB with a data range of 255; positive infinity for identical images.</summary>
    public static double Psnr(PixelView image, PixelView reference) => 10 * Math.Log10(255.0 * 255.0 / Mse(image, reference));

    /// <summary>
    /// Computes PSNR in dB with the range of the reference (largest minus smallest sample), as in the script of Zhang et al.
    /// (arXiv 2410.20073). Not comparable between references; NaN if the reference is flat.
    /// </summary>
    public static double PsnrOfTargetRange(PixelView image, PixelView reference)
    {
        var (min, max) = (byte.MaxValue, byte.MinValue);
        foreach (byte sample in reference.Data)
            (min, max) = (Math.Min(min, sample), Math.Max(max, sample));
        return max == min ? double.NaN : 10 * Math.Log10((max - min) * (double)(max - min) / Mse(image, reference));
    }

    /// <summary>Mean absolute error, 0 to 255.</summary>
    public static double Mae(PixelView image, PixelView reference)
    {
        image.MustMatch(reference);
        return Sums(image.Data, reference.Data).Absolute / (double)image.Data.Length;
    }

    /// <summary>Root of the mean squared error, 0 to 255.</summary>
    public static double Rmse(PixelView image, PixelView reference) => Math.Sqrt(Mse(image, reference));

    /// <summary>Exact sums of absolute and squared differences.</summary>
    internal static (long Absolute, long Squared) Sums(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        long absolute = 0, squared = 0;
        // A 32-bit lane does not overflow in a block: 4096 x 255^2 < 2^31.
        for (int start = 0; start < a.Length; start += 4096)
        {
            int length = Math.Min(4096, a.Length - start);
            var (blockAbsolute, blockSquared) = BlockSums(a.Slice(start, length), b.Slice(start, length));
            absolute += blockAbsolute;
            squared += blockSquared;
        }
        return (absolute, squared);
    }

    private static (long Absolute, long Squared) BlockSums(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var absolute = Vector<uint>.Zero;
        var squared = Vector<uint>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            var x = new Vector<byte>(a[i..]);
            var y = new Vector<byte>(b[i..]);
            Vector.Widen(Vector.Max(x, y) - Vector.Min(x, y), out Vector<ushort> low, out Vector<ushort> high);
            Accumulate(low, ref absolute, ref squared);
            Accumulate(high, ref absolute, ref squared);
        }
        long absoluteSum = Vector.Sum(absolute), squaredSum = Vector.Sum(squared);
        for (; i < a.Length; i++)
        {
            int difference = Math.Abs(a[i] - b[i]);
            absoluteSum += difference;
            squaredSum += difference * difference;
        }
        return (absoluteSum, squaredSum);
    }

    private static void Accumulate(Vector<ushort> difference, ref Vector<uint> absolute, ref Vector<uint> squared)
    {
        Vector.Widen(difference, out Vector<uint> low, out Vector<uint> high);
        absolute += low + high;
        squared += low * low + high * high;
    }
}
