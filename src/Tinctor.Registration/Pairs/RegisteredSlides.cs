using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Transforms;

namespace Tinctor.Registration.Pairs;

/// <summary>Two registered slides of the same tissue.</summary>
/// <param name="Source">Source slide.</param>
/// <param name="Target">Target slide.</param>
/// <param name="SourceTissue">Tissue mask of the source.</param>
/// <param name="TargetTissue">Tissue mask of the target.</param>
/// <param name="Transform">Transform from the source's level 0 to the target's.</param>
internal sealed record RegisteredSlides(Slide Source, Slide Target, TissueMask SourceTissue, TissueMask TargetTissue,
    RegistrationTransform Transform)
{
    /// <summary>Target pixels per source pixel of tiles along each axis.</summary>
    public int Factor { get; init; } = 1;

    /// <summary>
    /// Reads an area of the source and the warped target, which has <see cref="Factor"/> times as many pixels along each axis.
    /// </summary>
    /// <param name="area">Area in pixels of a resolution of the source.</param>
    /// <param name="downsample">Pixels of the source's level 0 per pixel of the area.</param>
    public (Image Source, Image Target) Read(PixelArea area, double downsample) =>
        (Source.ReadAt(downsample, area.X, area.Y, area.Width, area.Height),
            Transform.Read(Target, downsample / Factor, area.X * Factor, area.Y * Factor, area.Width * Factor, area.Height * Factor));

    /// <summary>Measures the alignment of tiles at the resolution of the source; the residual counts target pixels.</summary>
    /// <param name="source">Tile of the source.</param>
    /// <param name="target">Tile of the warped target.</param>
    /// <param name="channel">Structure; null is grey for two brightfield slides and edges for others.</param>
    public TileAlignment Measure(Image source, Image target, StructureChannel? channel)
    {
        bool brightfield = Source.Modality == Modality.Brightfield && Target.Modality == Modality.Brightfield;
        if (Factor > 1) target = target.Resize(source.Width, source.Height);
        TileAlignment alignment = TileAlignment.Measure(Structure(Source, source), Structure(Target, target),
            channel ?? (brightfield ? StructureChannel.Grey : StructureChannel.Edges), Source.Modality, Target.Modality);
        return alignment with { Residual = alignment.Residual * Factor };
    }

    private static Image Structure(Slide slide, Image tile) =>
        slide.IsRgb && slide.Modality == Modality.Fluorescence ? FluorescenceImage.FromRgb(tile) : tile;
}
