using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Tiles of slides and images that show which values a network computes on them.</summary>
internal static class CalibrationTiles
{
    private const int Side = 256;

    /// <summary>Reads tiles with much tissue, evenly from the whole slide, at the resolution of a model.</summary>
    /// <param name="slide">Slide or image.</param>
    /// <param name="model">The model.</param>
    /// <param name="count">Largest number of tiles.</param>
    /// <exception cref="TinctorException">The slide is damaged, or has other channels than the model.</exception>
    public static IReadOnlyList<Image> Read(Slide slide, ModelDescription model, int count)
    {
        if (slide.Channels != model.InputChannels)
            throw new TinctorException(slide.Path, $"the slide has {slide.Channels} channels, but the model expects {model.InputChannels}");
        var source = new TileSource(slide, SlideScale.Choose(slide, model).Downsample);
        int multiple = Math.Max(model.SizeMultiple, model.SmallestSize), side = Math.Max(1, Side / multiple) * multiple;
        var layout = new TileLayout(source.Size.Width, source.Size.Height, side, 0, 0);
        TissueMask tissue = TissueMask.Detect(slide);
        return [.. SlidePreparation.Sampled(layout, source, tissue.IsEmpty ? null : tissue, count).Take(count)
            .Select(tile => source.Read(layout, tile))];
    }
}
