namespace Tinctor.Staining.Execution;

/// <summary>Variation between several results for the same image.</summary>
internal static class PixelVariation
{
    private const float Darkest = 1 / 255f;

    /// <summary>
    /// Computes the coefficient of variation, standard deviation over mean, averaged over the channels [N,C,H,W] to [N,1,H,W] and clamped
    /// to [0,1]. Both are of light in [0,1]; black counts as 1 of 255.
    /// </summary>
    public static ImageBatch Compute(int count, int channels, int height, int width, float[] mean, float[] deviation)
    {
        var variation = new ImageBatch(count, 1, height, width);
        int area = height * width;
        for (int i = 0; i < mean.Length; i++)
            variation.Values[(i / (channels * area) * area) + (i % area)] += deviation[i] / Math.Max(mean[i], Darkest) / channels;
        for (int i = 0; i < variation.Values.Length; i++) variation.Values[i] = Math.Clamp(variation.Values[i], 0, 1);
        return variation;
    }
}
