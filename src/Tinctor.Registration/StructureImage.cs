using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Registration;

/// <summary>What of an image is compared: something that looks alike in both stains.</summary>
public enum StructureChannel
{
    /// <summary>Haematoxylin by Ruifrok's vectors: the nuclei, in H&amp;E as in IHC. RGB only.</summary>
    Haematoxylin,

    /// <summary>Mean optical density of RGB; mean brightness, each channel by its spread, of other images.</summary>
    Grey,

    /// <summary>Strength of the edges of <see cref="Grey"/>: for modalities of inverse contrast, as fluorescence and brightfield.</summary>
    Edges,
}

/// <summary>Grey images [1, 1, H, W] of tissue structure, with mean 0 and standard deviation 1.</summary>
public static class StructureImage
{
    private const float Floor = 1e-6f;
    private const double Least = 0.01, Most = 0.99; // quantiles
    private const int QuantileSamples = 100_000;

    /// <summary>The structure of a field.</summary>
    /// <exception cref="TinctorException">Haematoxylin is asked for of an image that is not RGB.</exception>
    public static Tensor Of(Image image, StructureChannel channel)
    {
        using var scope = torch.NewDisposeScope();
        if (channel == StructureChannel.Haematoxylin && image.Channels != 3)
            throw new TinctorException($"has {image.Channels} channels, haematoxylin needs RGB; use --channel grey or edges");
        Tensor structure = channel == StructureChannel.Haematoxylin ? Haematoxylin(image) : Grey(image);
        if (channel == StructureChannel.Edges)
        {
            (Tensor gx, Tensor gy) = Gradient(Blur(structure, 1.5));
            structure = ((gx * gx) + (gy * gy)).sqrt();
        }
        return Standardise(structure).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The structure of a section, 0 to 1 from its 1st to its 99th percentile: stains of any strength become alike, and neither dust nor
    /// folds take the range.
    /// </summary>
    /// <exception cref="TinctorException">Haematoxylin is asked for of an image that is not RGB.</exception>
    public static Tensor Stretched(Image image, StructureChannel channel)
    {
        using var scope = torch.NewDisposeScope();
        Tensor structure = Of(image, channel);
        Tensor some = structure.view(-1)[TensorIndex.Slice(step: 1 + (structure.numel() / QuantileSamples))];
        Tensor low = some.quantile(Least), high = some.quantile(Most);
        return ((structure - low) / (high - low + Floor)).clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Share of pixels with tissue, by an optical density above that of glass; null for images that are not RGB.</summary>
    public static double? TissueShare(Image image)
    {
        const float glass = 0.06f; // mean density of a grey of 222
        if (image.Channels != 3) return null;
        using var scope = torch.NewDisposeScope();
        return (Density(image).mean(-1) > glass).to(ScalarType.Float32).mean().item();
    }

    /// <summary>A Gaussian blur with zero padding.</summary>
    public static Tensor Blur(Tensor image, double sigma)
    {
        using var scope = torch.NewDisposeScope();
        int radius = (int)Math.Ceiling(3 * sigma);
        double[] weights = [.. Enumerable.Range(-radius, (2 * radius) + 1).Select(i => Math.Exp(-i * i / (2 * sigma * sigma)))];
        Tensor kernel = torch.tensor([.. weights.Select(w => (float)(w / weights.Sum()))], 1, 1, 1, weights.Length);
        Tensor across = F.conv2d(image, kernel, padding: (0, radius));
        return F.conv2d(across, kernel.transpose(2, 3), padding: (radius, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>Central differences, 0 at the border.</summary>
    public static (Tensor X, Tensor Y) Gradient(Tensor image)
    {
        Tensor Pad(Tensor difference, params long[] pad) => F.pad(difference, pad);
        return (Pad((image[.., .., .., 2..] - image[.., .., .., ..^2]) * 0.5, 1, 1, 0, 0),
            Pad((image[.., .., 2.., ..] - image[.., .., ..^2, ..]) * 0.5, 0, 0, 1, 1));
    }

    private static Tensor Haematoxylin(Image image)
    {
        using Tensor density = Density(image);
        Span<float> amounts = density.data<float>();
        StainMatrix.HaematoxylinEosinDab.Separate(amounts, amounts);
        return density[.., .., 0].clamp(min: 0).contiguous().view(1, 1, image.Height, image.Width);
    }

    private static Tensor Grey(Image image)
    {
        if (image.Channels == 3) return Density(image).mean(-1).view(1, 1, image.Height, image.Width);
        Tensor planes = image.ToTensor();
        Tensor spread = planes.std([1, 2], keepdim: true) + Floor;
        return (planes / spread).mean([0L]).view(1, 1, image.Height, image.Width);
    }

    /// <summary>Optical densities [H, W, 3].</summary>
    private static Tensor Density(Image image)
    {
        Tensor density = image.ToTensor().permute(1, 2, 0).contiguous();
        OpticalDensity.FromLight(density.data<float>(), density.data<float>(), floor: 1 / 255f);
        return density;
    }

    private static Tensor Standardise(Tensor image)
    {
        Tensor centred = image - image.mean();
        return centred / ((centred * centred).mean().sqrt() + Floor);
    }
}
