using Tinctor.Slides;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Tiles of the images and slides to stain, on which number formats are calibrated and compared.</summary>
internal static class SampleTiles
{
    private const int MostImages = 8, TilesOfImage = 8;

    /// <summary>Reads up to 8 tiles of each of up to 8 images, at the resolution of a model.</summary>
    /// <exception cref="TinctorException">An image cannot be read, or has other channels than the model.</exception>
    public static Image[] Read(ModelDescription model, IReadOnlyList<ImageJob> images)
    {
        int step = Math.Max(1, images.Count / MostImages);
        var tiles = new List<Image>();
        foreach (ImageJob job in images.Where((_, i) => i % step == 0).Take(MostImages))
        {
            if (!job.IsSlide) tiles.AddRange(CalibrationTiles.Cut(job.Read(), model, TilesOfImage));
            else
            {
                using Slide slide = job.Open();
                tiles.AddRange(CalibrationTiles.Read(slide, model, TilesOfImage));
            }
        }
        return [.. tiles];
    }
}
