using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Registration.Metrics;

/// <summary>Structure that is compared, chosen to look similar in both stains.</summary>
public enum StructureChannel
{
    /// <summary>Haematoxylin concentration by Ruifrok's stain vectors: nuclei, in H&amp;E and in IHC. Brightfield only.</summary>
    Haematoxylin,

    /// <summary>
    /// Mean optical density of brightfield images; mean intensity of other images, each channel divided by its standard deviation.
    /// </summary>
    Grey,

    /// <summary>
    /// Gradient magnitude of <see cref="Grey"/>, for modalities of inverse contrast such as fluorescence and brightfield.
    /// </summary>
    Edges,
}

/// <summary>Extraction of tissue structure as one channel, [1, 1, H, W].</summary>
internal static class StructureImage
{
    private const float Floor = 1e-6f;
    private const double LowQuantile = 0.01, HighQuantile = 0.99;
    private const int QuantileSamples = 100_000;

    /// <summary>Extracts the structure with mean 0 and standard deviation 1.</summary>
    /// <param name="image">Image of any modality.</param>
    /// <param name="channel">Structure.</param>
    /// <param name="modality">Modality of the slide that the image is a part of; null estimates it from the image.</param>
    /// <exception cref="TinctorException">Haematoxylin is requested of an image that is not brightfield.</exception>
    public static Tensor Create(Image image, StructureChannel channel, Modality? modality = null)
    {
        using var scope = torch.NewDisposeScope();
        bool brightfield = (modality ?? image.EstimateModality()) == Modality.Brightfield;
        if (channel == StructureChannel.Haematoxylin && !brightfield)
        {
            string found = image.Channels == 3 ? "the image is fluorescence" : $"the image has {image.Channels} channels";
            throw new TinctorException(null, $"{found}, but haematoxylin needs brightfield RGB", "Compare grey or edges")
            { Option = "Channel" };
        }
        Tensor structure = channel == StructureChannel.Haematoxylin ? Haematoxylin(image)
            : brightfield ? MeanDensity(image).view(1, 1, image.Height, image.Width) : Intensity(image);
        if (channel == StructureChannel.Edges)
        {
            (Tensor gx, Tensor gy) = Gradient(Blur(structure, 1.5));
            structure = ((gx * gx) + (gy * gy)).sqrt();
        }
        return Standardise(structure).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Extracts the structure, stretched from its 1st and 99th percentile to 0 and 1, so that stains of any strength become comparable and
    /// dust and folds do not determine the range.
    /// </summary>
    /// <inheritdoc cref="Create"/>
    public static Tensor CreateStretched(Image image, StructureChannel channel, Modality? modality = null)
    {
        using var scope = torch.NewDisposeScope();
        Tensor structure = Create(image, channel, modality);
        Tensor some = structure.view(-1)[TensorIndex.Slice(step: 1 + (structure.numel() / QuantileSamples))];
        float[] values = some.sort().values.ToArray<float>();
        float low = Quantile(values, LowQuantile), high = Quantile(values, HighQuantile);
        return ((structure - low) / (high - low + Floor)).clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Finds the pixels of a brightfield image whose mean optical density is above <see cref="Background.TissueDensity"/>, row by row.
    /// </summary>
    internal static bool[] DensePixels(Image image)
    {
        using var scope = torch.NewDisposeScope();
        return Array.ConvertAll(MeanDensity(image).ToArray<float>(), density => density > Background.TissueDensity);
    }

    /// <summary>Blurs an image with a Gaussian and zero padding.</summary>
    public static Tensor Blur(Tensor image, double sigma)
    {
        using var scope = torch.NewDisposeScope();
        int radius = (int)Math.Ceiling(3 * sigma);
        double[] weights = [.. Enumerable.Range(-radius, (2 * radius) + 1).Select(i => Math.Exp(-i * i / (2 * sigma * sigma)))];
        Tensor kernel = torch.tensor([.. weights.Select(w => (float)(w / weights.Sum()))], 1, 1, 1, weights.Length);
        Tensor across = F.conv2d(image, kernel, padding: (0, radius));
        return F.conv2d(across, kernel.transpose(2, 3), padding: (radius, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes central differences, 0 at the border.</summary>
    public static (Tensor X, Tensor Y) Gradient(Tensor image)
    {
        Tensor Pad(Tensor difference, params long[] pad) => F.pad(difference, pad);
        return (Pad((image[.., .., .., 2..] - image[.., .., .., ..^2]) * 0.5, 1, 1, 0, 0),
            Pad((image[.., .., 2.., ..] - image[.., .., ..^2, ..]) * 0.5, 0, 0, 1, 1));
    }

    private static Tensor Haematoxylin(Image image)
    {
        using Tensor density = Density(image).permute(1, 2, 0).contiguous();
        Span<float> amounts = density.data<float>();
        StainMatrix.HaematoxylinEosinDab.Separate(amounts, amounts);
        return density[.., .., 0].clamp(min: 0).contiguous().view(1, 1, image.Height, image.Width);
    }

    private static Tensor Intensity(Image image)
    {
        Tensor planes = image.ToTensor();
        Tensor spread = planes.std([1, 2], keepdim: true) + Floor;
        return (planes / spread).mean([0L]).view(1, 1, image.Height, image.Width);
    }

    private static Tensor MeanDensity(Image image) => Density(image).mean([0L]);

    /// <summary>Optical densities [3, H, W].</summary>
    private static Tensor Density(Image image)
    {
        Tensor density = image.ToTensor();
        OpticalDensity.FromLight(density.data<float>(), density.data<float>(), floor: 1 / 255f);
        return density;
    }

    // Of sorted values, interpolated linearly.
    private static float Quantile(float[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int before = (int)place, after = Math.Min(before + 1, sorted.Length - 1);
        return sorted[before] + ((float)(place - before) * (sorted[after] - sorted[before]));
    }

    private static Tensor Standardise(Tensor image)
    {
        Tensor centred = image - image.mean();
        return centred / ((centred * centred).mean().sqrt() + Floor);
    }
}
