using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// Moments that the layers of a network normalise one image by, in the order in which a forward pass asks for them: a mean and a variance
/// for each channel.
/// </summary>
internal sealed record NormMoments(IReadOnlyList<(float[] Mean, float[] Variance)> Calls)
{
    /// <summary>Runs a network while its layers normalise by their images as ever, and notes by what.</summary>
    /// <param name="norms">The layers.</param>
    /// <param name="count">Images in the batch.</param>
    /// <param name="forward">One forward pass.</param>
    public static NormMoments[] Record(IReadOnlyList<INormalisesByImage> norms, int count, Action forward)
    {
        var calls = Enumerable.Range(0, count).Select(_ => new List<(float[], float[])>()).ToArray();
        Hook(norms, own =>
        {
            float[] means = own.Mean.cpu().contiguous().ToArray<float>(), variances = own.Variance.cpu().contiguous().ToArray<float>();
            int channels = means.Length / count;
            for (int i = 0; i < count; i++)
                calls[i].Add((means[(i * channels)..((i + 1) * channels)], variances[(i * channels)..((i + 1) * channels)]));
            return own;
        }, forward);
        return [.. calls.Select(list => new NormMoments(list))];
    }

    /// <summary>Runs a network whose layers normalise each image of the batch by given moments.</summary>
    public static void Use(IReadOnlyList<INormalisesByImage> norms, IReadOnlyList<NormMoments> moments, Action forward)
    {
        int call = 0;
        Hook(norms, own =>
        {
            int index = call++;
            return new(Batch(own.Mean, m => m.Calls[index].Mean), Batch(own.Variance, m => m.Calls[index].Variance));
        }, forward);

        Tensor Batch(Tensor like, Func<NormMoments, float[]> part) =>
            torch.tensor<float>([.. moments.SelectMany(part)], like.shape).to(like.device, like.dtype);
    }

    /// <summary>
    /// Runs a network whose layers normalise each image of the batch by its own moments, those too that would take the batch together.
    /// </summary>
    public static void UseOwn(IReadOnlyList<INormalisesByImage> norms, Action forward) => Hook(norms, own => own, forward);

    /// <summary>The moments of several images together, as if they were one.</summary>
    public static NormMoments Pooled(IReadOnlyList<NormMoments> images) => Combine(images, (means, variances) =>
    {
        double mean = means.Average();
        return (mean, variances.Zip(means, (v, m) => v + (m * m)).Average() - (mean * mean));
    });

    /// <summary>A weighted mean of means, and of standard deviations, as kernelized instance normalisation takes them.</summary>
    public static NormMoments Smoothed(IReadOnlyList<(NormMoments Moments, double Weight)> around)
    {
        double total = around.Sum(image => image.Weight);
        return Combine([.. around.Select(image => image.Moments)], (means, variances) =>
        {
            double deviation = Weighted(variances.Select(v => Math.Sqrt(v)));
            return (Weighted(means), deviation * deviation);
        });

        double Weighted(IEnumerable<double> values) => values.Zip(around, (value, image) => value * image.Weight).Sum() / total;
    }

    private static NormMoments Combine(IReadOnlyList<NormMoments> images, Func<double[], double[], (double Mean, double Variance)> combine)
    {
        return new([.. Enumerable.Range(0, images[0].Calls.Count).Select(call =>
        {
            int channels = images[0].Calls[call].Mean.Length;
            var (mean, variance) = (new float[channels], new float[channels]);
            for (int c = 0; c < channels; c++)
            {
                (double m, double v) = combine([.. images.Select(image => (double)image.Calls[call].Mean[c])],
                    [.. images.Select(image => (double)image.Calls[call].Variance[c])]);
                (mean[c], variance[c]) = ((float)m, (float)Math.Max(v, 0));
            }
            return (mean, variance);
        })]);
    }

    private static void Hook(IReadOnlyList<INormalisesByImage> norms, Func<Moments, Moments> moments, Action forward)
    {
        foreach (INormalisesByImage norm in norms) norm.moments = moments;
        try
        {
            forward();
        }
        finally
        {
            foreach (INormalisesByImage norm in norms) norm.moments = null;
        }
    }
}
