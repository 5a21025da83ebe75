using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Staining.Execution;

namespace Tinctor.Evaluation.Features;

/// <summary>Input of a feature network that the user provides.</summary>
/// <param name="Size">
/// Side in pixels to which images are resized (bicubic, antialiased); 0 keeps their size; null for the only size that the network takes, or
/// <see cref="DefaultSize"/>.
/// </param>
/// <param name="Mean">Mean of each channel in [0, 1], subtracted.</param>
/// <param name="Std">Standard deviation of each channel in [0, 1], by which it is then divided.</param>
internal sealed record FeatureInput(int? Size, IReadOnlyList<double> Mean, IReadOnlyList<double> Std)
{
    /// <summary>Side of most pathology foundation models' input in pixels.</summary>
    public const int DefaultSize = 224;

    /// <summary>The network's size with ImageNet's mean and standard deviation, as for most pathology foundation models.</summary>
    public static FeatureInput ImageNet { get; } = new(null, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
}

/// <summary>Resizing and normalisation of images for a feature network that the user provides.</summary>
/// <param name="input">Description of the input.</param>
/// <param name="networkSize">The only size that the network takes; null for any.</param>
internal sealed class FeaturePreparation(FeatureInput input, int? networkSize = null)
{
    private readonly int size = input.Size ?? networkSize ?? FeatureInput.DefaultSize;

    /// <summary>Description for reports.</summary>
    public Definition Description => new("Input",
        $"{(size > 0 ? $"{size}x{size} by bicubic resizing with antialiasing" : "images as they are")}, "
        + $"[0, 1] normalised by mean {string.Join(", ", input.Mean)} and std {string.Join(", ", input.Std)}");

    /// <summary>Converts an 8-bit RGB image to the network's input.</summary>
    public ImageBatch Apply(Image rgb)
    {
        ImageBatch image = size == 0 ? ImageBatch.FromImages([rgb], ValueRange.ZeroToOne)
            : new(1, 3, size, size, Resampler.ResizeToFloats(rgb, size, size, ResizeKernel.Cubic));
        float scale = size == 0 ? 1 : byte.MaxValue;
        int plane = image.Height * image.Width;
        for (int c = 0; c < 3; c++)
        {
            (float mean, float std) = ((float)input.Mean[c], (float)input.Std[c]);
            foreach (ref float value in image.Values.AsSpan(c * plane, plane)) value = (Math.Clamp(value / scale, 0, 1) - mean) / std;
        }
        return image;
    }
}
