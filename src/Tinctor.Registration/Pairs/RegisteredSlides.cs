using Tinctor.Registration.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Registration.Pairs;

/// <summary>Two slides of the same tissue, and how they lie on each other.</summary>
/// <param name="Source">The slide that stays.</param>
/// <param name="Target">The slide that is brought onto it.</param>
/// <param name="SourceTissue">Where the source has tissue.</param>
/// <param name="TargetTissue">Where the target has tissue.</param>
/// <param name="Transform">From the source's level 0 to the target's.</param>
public sealed record RegisteredSlides(Slide Source, Slide Target, TissueMask SourceTissue, TissueMask TargetTissue, SlideTransform Transform)
{
    /// <summary>What is compared unless told otherwise.</summary>
    internal StructureChannel Channel => Source.Channels == 3 && Target.Channels == 3 ? StructureChannel.Grey : StructureChannel.Edges;

    /// <summary>An area of the source, and the target as it lies there.</summary>
    /// <param name="area">In pixels of a resolution.</param>
    /// <param name="downsample">Pixels of the source's level 0 to a pixel of the area.</param>
    internal (Image Source, Image Target) Read(PixelArea area, double downsample) =>
        (Source.ReadAt(downsample, area.X, area.Y, area.Width, area.Height),
            Transform.Read(Target, downsample, area.X, area.Y, area.Width, area.Height));
}
