using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Focal optical density of DAB (Chen et al. 2024, section 2.1; models/PALS.py of the official PSPStain): the image with DAB alone as grey
/// value g becomes log10(1 / (g + c)) to the power alpha, where c makes it e for g = 0; it is 0 for g = 1.
/// </summary>
internal static class FocalOpticalDensity
{
    /// <summary>Largest value.</summary>
    public const double Largest = Math.E;

    private const double Darkest = 1e-6;

    // Rows are haematoxylin, eosin and DAB (Ruifrok and Johnston 2001, as skimage.color.rgb_from_hed).
    private static readonly double[] Haematoxylin = [0.65, 0.70, 0.29], Eosin = [0.07, 0.99, 0.11], Dab = [0.27, 0.57, 0.78];
    private static readonly double[] Grey = [0.2125, 0.7154, 0.0721];

    /// <summary>Computes the density of each pixel, [N,H,W] in [0, e].</summary>
    /// <param name="images">RGB images [N,3,H,W] with values up to 1; smaller ones than 1e-6 count as 1e-6.</param>
    /// <param name="alpha">Exponent; larger values emphasise dark stains.</param>
    public static Tensor Compute(Tensor images, double alpha)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor logs = images.clamp(min: Darkest).log() / Math.Log(Darkest);
        Tensor amount = Weighted(logs, DabOfRgb()).clamp(min: 0);
        Tensor dab = Dab.Select(absorbance => (amount * (Math.Log(Darkest) * absorbance)).exp().clamp(0, 1))
            .Zip(Grey, (channel, weight) => channel * weight).Aggregate((sum, channel) => sum + channel).clamp(0, 1);
        Tensor density = (dab + Math.Pow(10, -Math.Pow(Math.E, 1 / alpha))).reciprocal().log10().clamp(min: 0);
        return density.pow(alpha).MoveToOuterDisposeScope();
    }

    private static Tensor Weighted(Tensor images, double[] weights) =>
        weights.Select((weight, channel) => images.select(1, channel) * weight).Aggregate((sum, channel) => sum + channel);

    // Last column of the inverse of the matrix with the three rows.
    private static double[] DabOfRgb()
    {
        (double[] a, double[] b) = (Haematoxylin, Eosin);
        double[] cross = [(a[1] * b[2]) - (a[2] * b[1]), (a[2] * b[0]) - (a[0] * b[2]), (a[0] * b[1]) - (a[1] * b[0])];
        double determinant = cross.Zip(Dab, (x, y) => x * y).Sum();
        return [.. cross.Select(each => each / determinant)];
    }
}
