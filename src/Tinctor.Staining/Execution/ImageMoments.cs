namespace Tinctor.Staining.Execution;

/// <summary>
/// Mean and variance of each channel, by which the layers of a network normalise one image, in the order in which a forward pass uses them.
/// </summary>
internal sealed record ImageMoments(IReadOnlyList<(float[] Mean, float[] Variance)> Layers)
{
    /// <summary>Moments of several images taken together, as if they were one.</summary>
    public static ImageMoments Pool(IReadOnlyList<ImageMoments> images) => Combine(images, (means, variances) =>
    {
        double mean = means.Average();
        return (mean, variances.Zip(means, (v, m) => v + (m * m)).Average() - (mean * mean));
    });

    /// <summary>Weighted mean of means and of standard deviations (kernelized instance normalisation, Ho et al. 2022).</summary>
    public static ImageMoments Smooth(IReadOnlyList<(ImageMoments Moments, double Weight)> neighbours)
    {
        double total = neighbours.Sum(image => image.Weight);
        return Combine([.. neighbours.Select(image => image.Moments)], (means, variances) =>
        {
            double deviation = Weighted(variances.Select(v => Math.Sqrt(v)));
            return (Weighted(means), deviation * deviation);
        });

        double Weighted(IEnumerable<double> values) => values.Zip(neighbours, (value, image) => value * image.Weight).Sum() / total;
    }

    private static ImageMoments Combine(IReadOnlyList<ImageMoments> images, Func<double[], double[],
        (double Mean, double Variance)> combine)
    {
        return new([.. Enumerable.Range(0, images[0].Layers.Count).Select(layer =>
        {
            int channels = images[0].Layers[layer].Mean.Length;
            var (mean, variance) = (new float[channels], new float[channels]);
            for (int c = 0; c < channels; c++)
            {
                (double m, double v) = combine([.. images.Select(image => (double)image.Layers[layer].Mean[c])],
                    [.. images.Select(image => (double)image.Layers[layer].Variance[c])]);
                (mean[c], variance[c]) = ((float)m, (float)Math.Max(v, 0));
            }
            return (mean, variance);
        })]);
    }
}
