using Tinctor.Slides;

namespace Tinctor.Staining.Execution;

/// <summary>
/// Mean and standard deviation of all pixels and channels of a source together, in [-1, 1], by which it is z-scored. Sums of samples are
/// integers, so a slide that is read in tiles has exactly the statistics of the whole image. Not thread-safe while images are added.
/// </summary>
internal sealed class SourceStatistics
{
    // Added to the standard deviation, for constant images, as in the code of pixel super-resolved virtual staining.
    private const double Epsilon = 1e-6;
    private Int128 count, sum, squares;
    private double largest;

    /// <summary>Gets the statistics of an image.</summary>
    public static SourceStatistics FromImage(Image image)
    {
        var statistics = new SourceStatistics();
        statistics.Add(image);
        return statistics;
    }

    /// <summary>Mean of the samples in [-1, 1].</summary>
    public double Mean => Moments().Mean;

    /// <summary>Standard deviation of the samples, with n in the denominator.</summary>
    public double Deviation => Moments().Deviation;

    /// <summary>Adds all samples of an image.</summary>
    public void Add(Image image)
    {
        double full = image.SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue;
        if (count > 0 && full != largest) throw new ArgumentException("all parts of a source have one sample type", nameof(image));
        largest = full;
        for (int y = 0; y < image.Height; y++)
        {
            // A row of 16-bit samples fits: 65535 squared times two billion is less than 2^63.
            (int start, int length) = (y * image.Width * image.Channels, image.Width * image.Channels);
            (long row, long square) = image.SampleType == SampleType.UInt8
                ? Sums(image.Data.AsSpan(start, length)) : Sums(image.Samples16.Slice(start, length));
            (count, sum, squares) = (count + length, sum + row, squares + square);
        }
    }

    /// <summary>Z-scores samples in [-1, 1] in place.</summary>
    public void Standardize(Span<float> samples)
    {
        (double mean, double deviation) = Moments();
        Standardize(samples, mean, deviation);
    }

    /// <summary>Z-scores samples in [-1, 1] in place by the given mean and standard deviation.</summary>
    public static void Standardize(Span<float> samples, double mean, double deviation)
    {
        (float shift, float scale) = ((float)mean, (float)(1 / (deviation + Epsilon)));
        foreach (ref float sample in samples) sample = (sample - shift) * scale;
    }

    private (double Mean, double Deviation) Moments()
    {
        if (count == 0) throw new InvalidOperationException("no image was added");
        // The variance of integers is exact before the division.
        double n = (double)count, deviation = Math.Sqrt((double)((count * squares) - (sum * sum))) / (n * largest);
        return ((2 * (double)sum / (n * largest)) - 1, 2 * deviation);
    }

    private static (long Sum, long Squares) Sums(ReadOnlySpan<byte> samples)
    {
        (long sum, long squares) = (0, 0);
        foreach (byte sample in samples) (sum, squares) = (sum + sample, squares + (sample * sample));
        return (sum, squares);
    }

    private static (long Sum, long Squares) Sums(ReadOnlySpan<ushort> samples)
    {
        (long sum, long squares) = (0, 0);
        foreach (ushort sample in samples) (sum, squares) = (sum + sample, squares + ((long)sample * sample));
        return (sum, squares);
    }
}
