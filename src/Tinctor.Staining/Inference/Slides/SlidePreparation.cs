using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Tissue;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// What is found out about a slide before it is stained, from tiles spread over its tissue: its stains, its level, the moments that all
/// its tiles are normalised by, and how far the network looks.
/// </summary>
/// <param name="Layout">The tiles to stain.</param>
/// <param name="Logits">The slide's level [1,levels], where the model tells it.</param>
/// <param name="Level">The same, as a level.</param>
/// <param name="Moments">By what all tiles are normalised; null if by other than that.</param>
/// <param name="Untouched">Why the slide is not normalised, if it should be.</param>
internal sealed record SlidePreparation(TileLayout Layout, Tensor? Logits, LevelPrediction? Level, NormMoments? Moments, string? Untouched)
{
    private const int Samples = 24;

    public static SlidePreparation Of(Stainer stainer, TileSource source, SlideStainOptions options, TissueMask? tissue)
    {
        (int width, int height) = source.Size;
        int side = options.Tile!.Value, grain = SlideStainOptions.Grain(stainer.Config.Upscaling);
        var probe = new TileLayout(width, height, side, 0, 0);
        Tile[] tiles = Sampled(probe, source, tissue);
        string? untouched = Normalise(stainer, source, probe, tiles);
        Tensor[] images = [.. tiles.Select(tile => source.Read(probe, tile).ToTensor(ValueRange.MinusOneToOne).unsqueeze(0))];
        var norms = stainer.ImageNorms;
        var logits = new List<Tensor>();
        var moments = new List<NormMoments>();
        Chance? chance = stainer.Sampling is { } own ? new(options.Sampling ?? own, [new("")]) : null;
        if (stainer.Levels.Count > 0 || (norms.Count > 0 && options.Statistics == TileStatistics.Slide))
        {
            foreach (Tensor image in images)
                moments.AddRange(NormMoments.Record(norms, 1, () => Keep(logits, stainer.StainParts(image, chance?.Quick, null).Logits)));
        }
        Tensor? level = logits.Count == 0 ? null : torch.cat([.. logits]).mean([0], keepdim: true);
        NormMoments? common = norms.Count == 0 ? null : options.Statistics switch
        {
            TileStatistics.Slide => NormMoments.Pooled(moments),
            TileStatistics.Thumbnail => OfThumbnail(stainer, source, side, chance, level),
            _ => null,
        };
        int eighth = side / 8 / grain * grain;
        int halo = options.Halo ?? Math.Min(eighth, (Felt(stainer, images[0], chance, level) + grain - 1) / grain * grain);
        int ramp = options.Ramp ?? Math.Max(grain, eighth);
        var layout = new TileLayout(width, height, side, halo, ramp);
        return new(layout, level, level is null ? null : stainer.LevelOf(level), common, untouched);
    }

    private static void Keep(List<Tensor> logits, Tensor? one)
    {
        if (one is not null) logits.Add(one);
    }

    // The tile with the most tissue first, then others evenly.
    private static Tile[] Sampled(TileLayout layout, TileSource source, TissueMask? tissue)
    {
        var shares = layout.Tiles.Select(tile => (Tile: tile, Share: source.TissueShare(layout, tile, tissue)))
            .Where(tile => tile.Share > 0).ToList();
        double most = shares.Max(tile => tile.Share);
        List<Tile> full = [.. shares.Where(tile => tile.Share >= most / 2).Select(tile => tile.Tile)];
        IEnumerable<Tile> even = Enumerable.Range(0, Math.Min(Samples, full.Count)).Select(i => full[(int)((i + 0.5) * full.Count / Math.Min(Samples, full.Count))]);
        return [.. even.Prepend(shares.MaxBy(tile => tile.Share).Tile).Distinct()];
    }

    private static string? Normalise(Stainer stainer, TileSource source, TileLayout layout, Tile[] tiles)
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

    private static NormMoments OfThumbnail(Stainer stainer, TileSource source, int side, Chance? chance, Tensor? level)
    {
        Tensor thumbnail = source.Thumbnail(side).ToTensor(ValueRange.MinusOneToOne).unsqueeze(0);
        return NormMoments.Record(stainer.ImageNorms, 1, () => stainer.StainParts(thumbnail, chance?.Quick, level))[0];
    }

    // As far as a change of the source is felt.
    private static int Felt(Stainer stainer, Tensor tile, Chance? chance, Tensor? level)
    {
        var norms = stainer.ImageNorms;
        NormMoments moments = NormMoments.Record(norms, 1, () => stainer.StainParts(tile, chance, level))[0];
        return Reach.Of(tile, image =>
        {
            Tensor? stained = null;
            NormMoments.Use(norms, [moments], () => stained = stainer.StainParts(image, chance, level).Stained);
            return stained!;
        });
    }
}
