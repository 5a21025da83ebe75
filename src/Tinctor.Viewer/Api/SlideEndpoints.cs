using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using Tinctor.Slides;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Api;

/// <summary>Slides: lists, metadata, thumbnails, associated images and Deep Zoom tiles.</summary>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="reader">Reads slides.</param>
/// <param name="modelName">Name of a model by the SHA-256 of its weights and its stain; null if it is not known.</param>
internal sealed class SlideEndpoints(SlideCatalogue catalogue, SlideReader reader, Func<string, string?, string?> modelName)
{
    private const int LargestPage = 500, SmallestThumbnail = 16, LargestThumbnail = 1024, ShortId = 12;
    // Thumbnails have these sizes only, so that the cache stays small.
    private static readonly int[] ThumbnailSizes = [128, 256, 512, LargestThumbnail];

    // A page is a file of the user's folders: its script runs without the rights of this server's pages.
    private const string ReportPolicy = "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        + "script-src 'unsafe-inline'; frame-ancestors 'none'";

    // Changes when pixels or encoding of served images change.
    private const string Version = "1";

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder slides = routes.MapGroup("/api/v1/slides").WithTags("Slides");
        slides.MapGet("", ListAsync).WithSummary("Lists slides; the search text is part of a name or folder")
            .Produces<PageJson<SlideJson>>();
        slides.MapGet("/{id}", GetAsync).WithSummary("Gets a slide with its metadata").Produces<SlideJson>().Produces(404);
        slides.MapGet("/{id}/thumbnail", ThumbnailAsync).WithSummary("Gets a thumbnail; size is the longest side in pixels")
            .Produces(200, contentType: "image/jpeg");
        slides.MapGet("/{id}/associated/{name}", AssociatedAsync).WithSummary("Gets an associated image, such as the label")
            .Produces(200, contentType: "image/png");
        slides.MapGet("/{id}/report", Report).WithSummary("Gets the page that was written when the slide was stained")
            .Produces(200, contentType: "text/html").ProducesProblem(404);
        slides.MapGet("/{id}/dzi/{file}", DescribeAsync).WithSummary("Gets the Deep Zoom description of a layer: LAYER.dzi")
            .Produces(200, contentType: "application/xml");
        slides.MapGet("/{id}/dzi/{files}/{level:int}/{tile}", TileAsync)
            .WithSummary("Gets a Deep Zoom tile of a layer: LAYER_files/LEVEL/COLUMN_ROW.jpg")
            .WithDescription("Channels of fluorescence are chosen by channels=INDEX:RRGGBB:LOW:HIGH:GAMMA,...: samples from LOW to HIGH "
                + "are shown from black to the colour; gamma can be left out. Layers of uncertainty are PNG.")
            .Produces(200, contentType: "image/jpeg").ProducesProblem(400).ProducesProblem(404);
    }

    /// <summary>Creates the entity tag of an image made of a slide's content.</summary>
    public static EntityTagHeaderValue Tag(CatalogueSlide slide, params ReadOnlySpan<string> parts)
    {
        using var hash = new Fingerprint();
        hash.Add("slide", slide.Fingerprint).Add("version", Version);
        foreach (string part in parts) hash.Add("part", part);
        return new($"\"{hash.ToHex()[..32]}\"");
    }

    /// <summary>Answers with an image, or with 304 if the client has it. The image is only made if it is needed.</summary>
    public static async Task<IResult> ImageAsync(
        HttpContext context, EntityTagHeaderValue tag, string type, Func<Task<byte[]?>> read, string cache = "private, no-cache")
    {
        context.Response.Headers.CacheControl = cache;
        context.Response.Headers.ETag = tag.ToString();
        IList<EntityTagHeaderValue> known = context.Request.GetTypedHeaders().IfNoneMatch;
        if (known.Any(other => other.Compare(tag, useStrongComparison: false) || other == EntityTagHeaderValue.Any))
            return Results.StatusCode(StatusCodes.Status304NotModified);
        if (await read() is { } bytes) return Results.Bytes(bytes, type);
        context.Response.Headers.Remove("ETag");
        return NotFound();
    }

    /// <summary>Answers that there is no such thing.</summary>
    public static IResult NotFound() =>
        Results.Problem("There is no such slide, image or tile.", statusCode: StatusCodes.Status404NotFound);

    private async Task<IResult> ListAsync(CancellationToken cancel, string? search = null, int offset = 0, int limit = 100)
    {
        SlideList list = catalogue.Current;
        CatalogueSlide[] found = string.IsNullOrWhiteSpace(search) ? [.. list.Sources]
            : [.. list.Sources.Where(slide => search.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word =>
                $"{slide.Folder}/{slide.Name}".Contains(word, StringComparison.OrdinalIgnoreCase)))];
        CatalogueSlide[] page = [.. found.Skip(Math.Max(0, offset)).Take(Math.Clamp(limit, 0, LargestPage))];
        var items = new List<SlideJson>();
        // One after the other, so that a list takes one place in the queue.
        foreach (CatalogueSlide slide in page) items.Add(Describe(slide, await reader.SummaryAsync(slide, cancel), list));
        return Results.Ok(new PageJson<SlideJson>(found.Length, items));
    }

    private async Task<IResult> GetAsync(string id, CancellationToken cancel)
    {
        SlideList list = catalogue.Current;
        if (!list.All.TryGetValue(id, out CatalogueSlide? slide)) return NotFound();
        SlideSummary summary = await reader.SummaryAsync(slide, cancel);
        return Results.Ok(Describe(slide, summary, list) with { Metadata = summary.Metadata });
    }

    private async Task<IResult> ThumbnailAsync(HttpContext context, string id, int size = 256)
    {
        if (size is < SmallestThumbnail or > LargestThumbnail)
            return Results.Problem($"The size is {size}, expected {SmallestThumbnail} to {LargestThumbnail}.", statusCode: 400);
        if (!catalogue.Current.All.TryGetValue(id, out CatalogueSlide? slide)) return NotFound();
        int side = ThumbnailSizes.First(known => known >= size);
        return await ImageAsync(context, Tag(slide, "thumbnail", side.ToString(CultureInfo.InvariantCulture)), "image/jpeg",
            async () => await reader.ThumbnailAsync(slide, side, context.RequestAborted));
    }

    private async Task<IResult> AssociatedAsync(HttpContext context, string id, string name)
    {
        if (!catalogue.Current.All.TryGetValue(id, out CatalogueSlide? slide)) return NotFound();
        return await ImageAsync(context, Tag(slide, "associated", name), "image/png",
            () => reader.AssociatedAsync(slide, name, context.RequestAborted));
    }

    private async Task<IResult> DescribeAsync(string id, string file, CancellationToken cancel)
    {
        if (DeepZoom.LayerOf(file) is not { } layer || await FindAsync(id, layer, cancel) is not { } found) return NotFound();
        string format = FormatOf(found.Summary, layer);
        return Results.Text(new DeepZoom(found.Summary.Width, found.Summary.Height).ToXml(format), "application/xml");
    }

    private async Task<IResult> TileAsync(HttpContext context, string id, string files, int level, string tile, string? channels = null)
    {
        if (DeepZoom.LayerOfTiles(files) is not { } layer || await FindAsync(id, layer, context.RequestAborted) is not { } found
            || FormatOf(found.Summary, layer) is not { } format || Place(tile, format) is not (int column, int row)
            || new DeepZoom(found.Summary.Width, found.Summary.Height).Tile(level, column, row) is not { } region)
            return NotFound();
        IReadOnlyList<ShownChannel>? shown = channels is null ? null : ChannelRequest.Parse(channels, found.Summary.Channels.Count);
        if (channels is not null && shown is null)
            return Results.Problem($"The channels are malformed; the slide has {found.Summary.Channels.Count}.", statusCode: 400);
        return await ImageAsync(context, Tag(found.Slide, layer, $"{level}", $"{column}_{row}", channels ?? "all"),
            format == "png" ? "image/png" : "image/jpeg",
            async () => await reader.TileAsync(found.Slide, layer, region, shown, context.RequestAborted),
            "private, max-age=60, must-revalidate");
    }

    private async Task<(CatalogueSlide Slide, SlideSummary Summary)?> FindAsync(string id, string layer, CancellationToken cancel)
    {
        if (!catalogue.Current.All.TryGetValue(id, out CatalogueSlide? slide)) return null;
        SlideSummary summary = await reader.SummaryAsync(slide, cancel);
        if (summary.Error is { } error) throw new TinctorException(slide.Name, error);
        return summary.Layers.Contains(layer) || summary.Overlays.Contains(layer) ? (slide, summary) : null;
    }

    // Layers of uncertainty are transparent in most places.
    private static string FormatOf(SlideSummary summary, string layer) => summary.Overlays.Contains(layer) ? "png" : "jpg";

    /// <summary>Reads column and row from the name of a tile, COLUMN_ROW.FORMAT; null if it is another name.</summary>
    internal static (int Column, int Row)? Place(string tile, string format = "jpg") =>
        tile.EndsWith($".{format}", StringComparison.Ordinal) && tile[..^4].Split('_') is [string column, string row]
        && int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int x)
        && int.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out int y) ? (x, y) : null;

    private SlideJson Describe(CatalogueSlide slide, SlideSummary summary, SlideList list) => new()
    {
        Id = slide.Id,
        Name = slide.Name,
        Folder = slide.Folder,
        Width = summary.Width,
        Height = summary.Height,
        Mpp = summary.Mpp,
        Magnification = summary.Magnification,
        Levels = summary.Levels,
        Format = summary.Format,
        Bytes = slide.Bytes,
        Modified = slide.Modified,
        Channels = [.. summary.Channels.Select((channel, c) => new ChannelJson(
            channel.Name.Length > 0 ? channel.Name : FormattableString.Invariant($"channel {c + 1}"), channel.Colour,
            channel.Range.Low, channel.Range.High, channel.AutomaticRange.Low, channel.AutomaticRange.High, summary.LargestSample))],
        IsFluorescence = summary.IsFluorescence,
        Results = [.. list.Results[slide.Id].Select(Describe)],
        Associated = summary.Associated,
        Layers = summary.Layers,
        Overlays = [.. summary.Overlays.Select(Overlay)],
        Staining = list.Stained.GetValueOrDefault(slide.Id) is { Kind: ResultKind.Stained } stained
            ? Describe(stained, list) : null,
        Error = summary.Error,
    };

    private IResult Report(HttpContext context, string id)
    {
        SlideList list = catalogue.Current;
        if (!list.Stained.TryGetValue(id, out StainedResult? result) || StainedReport.PageOf(result, catalogue.Folders) is not { } path)
            return NotFound();
        context.Response.Headers.ContentSecurityPolicy = ReportPolicy;
        context.Response.Headers.CacheControl = "private, no-cache";
        return Results.File(path, "text/html; charset=utf-8", lastModified: File.GetLastWriteTimeUtc(path));
    }

    private StainingJson Describe(StainedResult result, SlideList list)
    {
        StainedNumbers numbers = result.Numbers;
        return new(ModelOf(result), numbers.SeamScore, numbers.HaematoxylinCorrelation, numbers.BackgroundDrift, numbers.IhcLevel,
            numbers.IhcLevelProbability, numbers.NoveltyShare, numbers.UnlikeTraining, list.UncertaintyOf(result.Slide)?.Id,
            StainedReport.PageOf(result, catalogue.Folders) is null ? null : $"/api/v1/slides/{result.Slide.Id}/report");
    }

    private static OverlayJson Overlay(string layer) => new(layer, [.. UncertaintyLayer.BandsOf(layer)!.Select((band, i) => new BandJson(
        band.Name, i == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"#{band.Red:x2}{band.Green:x2}{band.Blue:x2}")))]);

    private string? ModelOf(StainedResult result) =>
        result.ModelId is { } id ? modelName(id, result.Stain) ?? id[..Math.Min(ShortId, id.Length)] : null;

    private ResultJson Describe(StainedResult result) => new(result.Slide.Id, result.Slide.Name, ModelOf(result),
        result.Kind == ResultKind.Stained ? "stained" : "variation", result.Complete);
}
