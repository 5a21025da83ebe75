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
        RequireChannels(slide.Channels, model, slide.Path);
        var source = new TileSource(slide, SlideScale.Choose(slide, model).Downsample);
        var layout = new TileLayout(source.Size.Width, source.Size.Height, SideFor(model), 0, 0);
        TissueMask tissue = TissueMask.Detect(slide);
        return [.. SlidePreparation.Sampled(layout, source, tissue.IsEmpty ? null : tissue, count).Take(count)
            .Select(tile => source.Read(layout, tile))];
    }

    /// <summary>Cuts tiles evenly out of an image, at the resolution of a model.</summary>
    /// <param name="image">The image.</param>
    /// <param name="model">The model.</param>
    /// <param name="count">Largest number of tiles.</param>
    /// <exception cref="TinctorException">The image has other channels than the model.</exception>
    public static IReadOnlyList<Image> Cut(Image image, ModelDescription model, int count)
    {
        RequireChannels(image.Channels, model, null);
        (int width, int height) = ((int)Math.Max(1, image.Width * model.Scale), (int)Math.Max(1, image.Height * model.Scale));
        if (model.Scale != 1) image = image.Resize(width, height, ResizeKernel.Cubic);
        var layout = new TileLayout(width, height, SideFor(model), 0, 0);
        Tile[] tiles = [.. layout.Tiles];
        int taken = Math.Min(count, tiles.Length);
        return [.. Enumerable.Range(0, taken).Select(i => tiles[(int)((i + 0.5) * tiles.Length / taken)])
            .Select(tile => image.Crop(layout.Across.Start(tile.Column), layout.Down.Start(tile.Row), layout.Across.Tile,
                layout.Down.Tile))];
    }

    private static int SideFor(ModelDescription model)
    {
        int multiple = Math.Max(model.SizeMultiple, model.SmallestSize);
        return Math.Max(1, Side / multiple) * multiple;
    }

    private static void RequireChannels(int channels, ModelDescription model, string? path)
    {
        if (channels != model.InputChannels)
            throw new TinctorException(path, $"the image has {channels} channels, but the model expects {model.InputChannels}");
    }
}
