using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides.Masks;
using Tinctor.Training.Segmentation;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Segmentation by a trained segmenter. Nuclei are separated by a watershed of the signed distance to the outline of their interiors;
/// boundary pixels belong to the nearest nucleus.
/// </summary>
/// <param name="segmenter">The model.</param>
/// <param name="leastPixels">Smaller nuclei are dropped.</param>
internal sealed class SegmenterSegmentation(Segmenter segmenter, int leastPixels = 20) : ISegmentation
{
    private const float Prominence = 1;

    IReadOnlyList<Definition> ISegmentation.Provenance =>
    [
        new("Segmenter", string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"U-Net for {segmenter.Card.Target}, weights SHA-256 {segmenter.Sha256}, training {segmenter.Card.Training.TrainingId}, ")
            + (segmenter.ClassNames.Count > 0 ? $"classes {string.Join(", ", segmenter.ClassNames)}, " : "")
            + (segmenter.Card.Dice is double dice ? FormattableString.Invariant($"Dice {dice:F3} on images held out from its training")
                : "not validated")),
        .. !HasInstances ? Array.Empty<Definition>()
            : [new("Nuclei", $"watershed of the insides (prominence {Prominence} pixel), at least {leastPixels} pixels")],
    ];

    /// <inheritdoc/>
    public bool HasInstances => segmenter.Target == SegmentationTarget.Nuclei;

    IReadOnlyList<string> ISegmentation.Classes => segmenter.ClassNames;

    byte[] ISegmentation.Classify(ImagePair pair, string? method, ScoredImage image) => segmenter.Classify(image.Image);

    LabelMap ISegmentation.Segment(ImagePair pair, string? method, ScoredImage image)
    {
        byte[] classes = segmenter.Classify(image.Image);
        return HasInstances ? Separate(classes, image.Width, image.Height, leastPixels)
            : LabelMap.OfMask(image.Width, image.Height, Array.ConvertAll(classes, each => each != 0));
    }

    /// <summary>Nuclei from classes: 0 background, 1 inside, 2 boundary.</summary>
    /// <param name="classes">[height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="leastPixels">Smaller ones are dropped.</param>
    public static LabelMap Separate(byte[] classes, int width, int height, int leastPixels)
    {
        bool[] inside = Array.ConvertAll(classes, each => each == 1), nuclei = Array.ConvertAll(classes, each => each != 0);
        LabelMap split = Watershed.Split(DistanceTransform.Signed(inside, width, height), nuclei, width, height, Prominence);
        int[] areas = split.Areas();
        return split.Keep(label => areas[label] >= leastPixels);
    }
}
