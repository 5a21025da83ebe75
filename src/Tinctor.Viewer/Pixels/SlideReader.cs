using System.Globalization;
using System.Runtime.CompilerServices;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;
using Tinctor.Transforms;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Pixels;

/// <summary>Metadata and encoded images of slides of the catalogue; all decoding goes through one queue.</summary>
/// <param name="pool">Open slides.</param>
/// <param name="queue">Reads at a time.</param>
/// <param name="tiles">Encoded tiles in memory.</param>
/// <param name="thumbnails">Thumbnails on disk.</param>
internal sealed class SlideReader(SlidePool pool, ReadQueue queue, TileCache tiles, ThumbnailCache thumbnails)
{
    private const int Quality = 85;

    private readonly ConditionalWeakTable<CatalogueSlide, SlideSummary> summaries = [];

    /// <summary>Reads the metadata of a slide, once for each content. A slide that cannot be read has an error in it.</summary>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    public async Task<SlideSummary> SummaryAsync(CatalogueSlide slide, CancellationToken cancel)
    {
        if (summaries.TryGetValue(slide, out SlideSummary? known)) return known;
        SlideSummary summary = await queue.RunAsync(() => Summarize(slide), cancel);
        summaries.AddOrUpdate(slide, summary);
        return summary;
    }

    /// <summary>Reads a region of a layer, from the cache if it is there: as JPEG, or layers of uncertainty as PNG.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="layer">One of the slide's layers.</param>
    /// <param name="region">Downsample, and the region in pixels of that resolution.</param>
    /// <param name="channels">Channels to merge; null for all, as the slide states them.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read there.</exception>
    public async Task<byte[]> TileAsync(CatalogueSlide slide, string layer,
        (double Downsample, int X, int Y, int Width, int Height) region, IReadOnlyList<ShownChannel>? channels, CancellationToken cancel)
    {
        var key = (slide.Fingerprint, layer, region, channels is null ? null : string.Join(',', channels));
        return tiles.Get(key) ?? await UseAsync(slide, open =>
        {
            // Another request may have read the tile while this one waited.
            if (tiles.Get(key) is { } read) return read;
            byte[] tile = UncertaintyLayer.BandsOf(layer) is { } bands ? Uncertainty(open, layer, bands, region) : ImageWriter.EncodeJpeg(
                SlideLayer.Render(open.Read(region.Downsample, region.X, region.Y, region.Width, region.Height, channels), layer), Quality);
            tiles.Add(key, tile);
            return tile;
        }, cancel);
    }

    /// <summary>Reads a region as 8-bit RGB.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="downsample">Pixels of the full resolution per pixel of the region, above 0.</param>
    /// <param name="area">The region in pixels of that resolution.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read there.</exception>
    public Task<Image> ReadAsync(CatalogueSlide slide, double downsample, PixelArea area, CancellationToken cancel) =>
        UseAsync(slide, open => open.Read(downsample, area.X, area.Y, area.Width, area.Height), cancel);

    /// <summary>Reads a region of a target slide on the pixels of the source, as 8-bit RGB.</summary>
    /// <param name="target">Target slide.</param>
    /// <param name="transform">Transform from source to target.</param>
    /// <param name="downsample">Pixels of the source's full resolution per pixel of the region, above 0.</param>
    /// <param name="area">The region in pixels of that resolution.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read there, or is not the registered one.</exception>
    public Task<Image> ReadRegisteredAsync(CatalogueSlide target, RegistrationTransform transform, double downsample, PixelArea area,
        CancellationToken cancel) =>
        UseAsync(target, open => RegisteredRegion.Read(transform, open, downsample, area.X, area.Y, area.Width, area.Height), cancel);

    /// <summary>Reads a region of a layer of a target slide on the pixels of the source, as JPEG.</summary>
    /// <param name="target">Target slide.</param>
    /// <param name="transform">Transform from source to target.</param>
    /// <param name="layer">One of the target's layers.</param>
    /// <param name="region">Downsample, and the region in pixels of the source at that resolution.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read there, or is not the registered one.</exception>
    public Task<byte[]> RegisteredAsync(CatalogueSlide target, RegistrationTransform transform, string layer,
        (double Downsample, int X, int Y, int Width, int Height) region, CancellationToken cancel) =>
        UseAsync(target, open => ImageWriter.EncodeJpeg(SlideLayer.Render(RegisteredRegion.Read(transform, open, region.Downsample,
            region.X, region.Y, region.Width, region.Height), layer), Quality), cancel);

    /// <summary>Reads a region as IIIF requests it, encoded as JPEG or PNG.</summary>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read there.</exception>
    public Task<byte[]> IiifAsync(CatalogueSlide slide, IiifRequest request, bool png, CancellationToken cancel) => UseAsync(slide, open =>
    {
        double across = (double)request.Width / request.OutputWidth, down = (double)request.Height / request.OutputHeight;
        double downsample = Math.Min(across, down);
        int x = (int)Math.Round(request.X / downsample), y = (int)Math.Round(request.Y / downsample);
        Image image = open.Read(downsample, x, y, Math.Max(1, (int)Math.Round(request.Width / downsample)),
            Math.Max(1, (int)Math.Round(request.Height / downsample)));
        if (image.Width != request.OutputWidth || image.Height != request.OutputHeight)
            image = image.Resize(request.OutputWidth, request.OutputHeight);
        return png ? ImageWriter.EncodePng(image) : ImageWriter.EncodeJpeg(image, Quality);
    }, cancel);

    /// <summary>Reads a thumbnail as JPEG, from the cache if it is there.</summary>
    /// <param name="slide">The slide.</param>
    /// <param name="size">Longest side in pixels.</param>
    /// <param name="cancel">Cancels while the read waits.</param>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The slide cannot be read.</exception>
    public async Task<byte[]> ThumbnailAsync(CatalogueSlide slide, int size, CancellationToken cancel)
    {
        if (thumbnails.Read(slide.Fingerprint, size) is { } cached) return cached;
        byte[] jpeg = await UseAsync(slide, open => ImageWriter.EncodeJpeg(open.Thumbnail(size), Quality), cancel);
        thumbnails.Write(slide.Fingerprint, size, jpeg);
        return jpeg;
    }

    /// <summary>Reads an associated image as PNG; null if the slide has none of that name.</summary>
    /// <exception cref="BusyException">Too many reads wait.</exception>
    /// <exception cref="TinctorException">The image is damaged.</exception>
    public Task<byte[]?> AssociatedAsync(CatalogueSlide slide, string name, CancellationToken cancel) => UseAsync(slide, open =>
        open.Slide.AssociatedNames.Contains(name) ? ImageWriter.EncodePng(open.Slide.ReadAssociated(name).ToDisplay()) : null, cancel);

    private Task<T> UseAsync<T>(CatalogueSlide slide, Func<ViewedSlide, T> use, CancellationToken cancel) =>
        queue.RunAsync(() => pool.Use(slide.Path, slide.Fingerprint, use), cancel);

    private static byte[] Uncertainty(ViewedSlide open, string layer, IReadOnlyList<UncertaintyBand> bands,
        (double Downsample, int X, int Y, int Width, int Height) region)
    {
        Image samples = open.ReadSamples(region.Downsample, region.X, region.Y, region.Width, region.Height);
        int channel = UncertaintyLayer.NamesOf(open.Slide).Index().First(name => name.Item == layer).Index;
        return ImageWriter.EncodePng(UncertaintyLayer.Render(samples, channel, bands));
    }

    private SlideSummary Summarize(CatalogueSlide slide)
    {
        try
        {
            return pool.Use(slide.Path, slide.Fingerprint, SlideSummary.FromSlide);
        }
        catch (TinctorException e)
        {
            return SlideSummary.Unreadable(e.Remedy is null ? e.Problem : $"{e.Problem}. {e.Remedy}");
        }
    }
}

/// <summary>Channel of a slide.</summary>
/// <param name="Name">Name; empty if the file has none.</param>
/// <param name="Colour">Colour as #rrggbb.</param>
/// <param name="Range">Samples that are shown black and in full colour.</param>
/// <param name="AutomaticRange">Such a range by the overview of the slide.</param>
internal sealed record ChannelSummary(string Name, string Colour, (double Low, double High) Range, (double Low, double High) AutomaticRange)
{
    /// <summary>Creates the summary of a channel.</summary>
    public static ChannelSummary Create(SlideChannel channel, (double Low, double High) automatic) => new(channel.Name,
        $"#{(channel.Colour ?? 0xFFFFFF).ToString("x6", CultureInfo.InvariantCulture)}", channel.Display!.Value, automatic);
}

/// <summary>Metadata of a slide.</summary>
internal sealed record SlideSummary
{
    private const int LongestValue = 4096, MostProperties = 500;

    public int Width { get; init; }

    public int Height { get; init; }

    public double? Mpp { get; init; }

    public double? Magnification { get; init; }

    public int Levels { get; init; }

    public string Format { get; init; } = "";

    public IReadOnlyList<ChannelSummary> Channels { get; init; } = [];

    /// <summary>Largest value that a sample can have.</summary>
    public int LargestSample { get; init; }

    public bool IsFluorescence { get; init; }

    public IReadOnlyList<string> Associated { get; init; } = [];

    public IReadOnlyList<string> Layers { get; init; } = [];

    /// <summary>Layers of uncertainty; empty if the slide holds none.</summary>
    public IReadOnlyList<string> Overlays { get; init; } = [];

    /// <summary>Metadata of the file; long values are cut.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Reason why the slide cannot be read; null if it can.</summary>
    public string? Error { get; init; }

    /// <summary>Reads the metadata of a slide.</summary>
    public static SlideSummary FromSlide(ViewedSlide open)
    {
        Slide slide = open.Slide;
        return new()
        {
            Width = slide.Width,
            Height = slide.Height,
            Mpp = slide.Mpp,
            Magnification = slide.Objective,
            Levels = slide.Levels.Count,
            Format = slide.Format,
            Channels = [.. open.Channels.Zip(open.AutomaticRanges, ChannelSummary.Create)],
            LargestSample = slide.SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue,
            IsFluorescence = slide.Modality == Modality.Fluorescence,
            Associated = slide.AssociatedNames,
            Layers = SlideLayer.NamesOf(open.IsBrightfield),
            Overlays = UncertaintyLayer.NamesOf(slide),
            Metadata = slide.Properties.OrderBy(property => property.Key, StringComparer.Ordinal).Take(MostProperties).ToDictionary(
                property => property.Key,
                property => property.Value.Length <= LongestValue ? property.Value : property.Value[..LongestValue] + "…"),
        };
    }

    /// <summary>Creates the summary of a slide that cannot be read.</summary>
    public static SlideSummary Unreadable(string error) => new() { Error = error };
}
