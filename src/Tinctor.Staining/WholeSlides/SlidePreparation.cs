using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Tissue;
using Tinctor.Staining.Execution;

namespace Tinctor.Staining.WholeSlides;

/// <summary>Properties of a slide that are measured before it is stained, on tiles sampled over its tissue.</summary>
/// <param name="Layout">Tiles to stain.</param>
/// <param name="IhcLogits">Logits of the slide's IHC level; null if the model predicts none.</param>
/// <param name="IhcLevel">The slide's IHC level.</param>
/// <param name="Moments">Moments that all tiles are normalised by; null if they differ.</param>
/// <param name="NormalizationSkippedReason">
/// Reason why stain normalisation is skipped; null if it is applied or the model uses none.
/// </param>
/// <param name="NoveltyShare">Share of windows unlike the training images; null if the model has no detector.</param>
internal sealed record SlidePreparation(TileLayout Layout, float[]? IhcLogits, IhcLevelPrediction? IhcLevel, ImageMoments? Moments,
    string? NormalizationSkippedReason, double? NoveltyShare)
{
    private const int Samples = 24, ProbeSide = 256;

    public static SlidePreparation Measure(Stainer stainer, TileSource source, SlideStainOptions options, TissueMask? tissue)
    {
        (int width, int height) = source.Size;
        (int side, int largest) = options.TileSides(stainer.Model);
        int grain = SlideStainOptions.Grain(stainer.Model.Upscaling);
        var probe = new TileLayout(width, height, side, 0, 0);
        Tile[] tiles = Sampled(probe, source, tissue, Samples);
        string? skipped = Normalize(stainer, source, probe, tiles);
        if (stainer.Model.StandardizesSource) source.MeasureStatistics(tissue);
        Image[] images = [.. tiles.Select(tile => source.Read(probe, tile))];
        SamplingRequest? sampling = stainer.DefaultSampling is { } own && options.Sampling is { } how ? own with { Sampling = how }
            : stainer.DefaultSampling;
        NetworkOutput[] outputs = [];
        if (stainer.Model.IhcLevels.Count > 0 || (stainer.NormalizesByImage && options.Normalization == TileNormalization.Slide))
        {
            outputs = [.. images.Select(image =>
                stainer.Measure(stainer.ToBatch([image], source.Statistics), null, NormalizationContext.Recorded))];
        }
        float[]? level = stainer.Model.IhcLevels.Count == 0 ? null : Mean([.. outputs.Select(output => output.IhcLogits![0])]);
        ImageMoments? common = !stainer.NormalizesByImage ? null : options.Normalization switch
        {
            TileNormalization.Slide => ImageMoments.Pool([.. outputs.Select(output => output.Moments![0])]),
            TileNormalization.Thumbnail => MomentsOf(stainer, stainer.ToBatch([source.Thumbnail(side)], source.Statistics), level),
            _ => null,
        };
        int eighth = side / 8 / grain * grain;
        int overlap = options.Overlap ?? (stainer.NormalizesByImage ? Math.Max(grain, eighth) : grain);
        int halo = options.Halo ?? Halo(stainer.ReceptiveField
            ?? Radius(stainer, images[0], sampling, level, source.Statistics), overlap, grain / 2, eighth);
        if ((2 * halo) + overlap >= side)
            throw new OptionException(nameof(SlideStainOptions.TileSize),
                $"tiles of {side} pixels are too small for a halo of {halo} on both sides and an overlap of {overlap}", "Use larger tiles");
        // Networks that halve images often pad tiles of other sizes.
        int step = stainer.Model.SizeMultiple % grain == 0 ? stainer.Model.SizeMultiple : grain / 2;
        var layout = TileLayout.Fit(width, height, (side, largest), step, halo, overlap);
        return new(layout, level, level is null ? null : IhcLevelPrediction.FromLogits(stainer.Model.IhcLevels, level), common, skipped,
            stainer.Novelty?.ShareBeyondLimit(images));
    }

    // The receptive field fits between a tile's border and the middle of the blended region, where the weights of two tiles are equal.
    private static int Halo(int radius, int overlap, int grain, int largest) =>
        Math.Clamp((radius - (overlap / 2) + grain - 1) / grain * grain, 0, largest);

    private static float[] Mean(float[][] logits) =>
        [.. Enumerable.Range(0, logits[0].Length).Select(i => logits.Average(one => one[i]))];

    // The tile with the most tissue first, then others evenly.
    internal static Tile[] Sampled(TileLayout layout, TileSource source, TissueMask? tissue, int largestCount)
    {
        var shares = layout.Tiles.Select(tile => (Tile: tile, Share: source.TissueShare(layout, tile, tissue)))
            .Where(tile => tile.Share > 0).ToList();
        double most = shares.Max(tile => tile.Share);
        List<Tile> full = [.. shares.Where(tile => tile.Share >= most / 2).Select(tile => tile.Tile)];
        int count = Math.Min(largestCount, full.Count);
        IEnumerable<Tile> even = Enumerable.Range(0, count).Select(i => full[(int)((i + 0.5) * full.Count / count)]);
        return [.. even.Prepend(shares.MaxBy(tile => tile.Share).Tile).Distinct()];
    }

    private static string? Normalize(Stainer stainer, TileSource source, TileLayout layout, Tile[] tiles)
    {
        if (stainer.Normalizer is null) return null;
        var pixels = new StainedPixels();
        foreach (Tile tile in tiles) pixels.Add(source.Read(layout, tile));
        try
        {
            source.Normalizer = stainer.Normalizer.For(pixels);
            return null;
        }
        catch (TinctorException reason)
        {
            return reason.Message;
        }
    }

    private static ImageMoments MomentsOf(Stainer stainer, ImageBatch image, float[]? level) =>
        stainer.Measure(image, level, NormalizationContext.Recorded).Moments![0];

    /// <summary>Measures the receptive field on the middle of a tile, of at most twice the largest radius that is used.</summary>
    internal static int Radius(Stainer stainer, Image tile, SamplingRequest? sampling = null, float[]? level = null,
        SourceStatistics? statistics = null)
    {
        (int width, int height) = (Math.Min(tile.Width, ProbeSide), Math.Min(tile.Height, ProbeSide));
        ImageBatch image =
            stainer.ToBatch([tile.Crop((tile.Width - width) / 2, (tile.Height - height) / 2, width, height)], statistics);
        NormalizationContext normalization = stainer.NormalizesByImage ? NormalizationContext.Use([MomentsOf(stainer, image, level)])
            : NormalizationContext.PerImage;
        return ReceptiveField.MeasureRadius(image,
            input => stainer.Run(input, sampling, level, normalization).Image);
    }
}
