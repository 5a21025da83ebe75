using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Slides;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Api;

/// <summary>Centre of a view, in pixels of the stained slide.</summary>
internal sealed record ViewJson(double X, double Y);

/// <summary>
/// Progress of a slide that is stained on demand. The result is the identifier of the finished slide, else null. The novelty share is that
/// part of the source which is unlike the training images; null if it is finished, or the model has no detector.
/// </summary>
internal sealed record StainedJson(int Width, int Height, int Done, int Total, string? Result, double? NoveltyShare = null);

/// <summary>Slides that are stained where somebody looks at them.</summary>
/// <param name="queue">Stains tiles.</param>
/// <param name="places">Places of results.</param>
/// <param name="reads">Limits the regions that are read at once.</param>
internal sealed class StainedEndpoints(StainingQueue queue, StainedPlaces places, ReadQueue reads)
{
    // Coarser views show the stained tiles, but do not cause staining: they hold too many.
    private const double LargestDownsample = 4;
    private const int Quality = 90;

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder stained = routes.MapGroup("/api/v1/slides/{id}/stained/{model}").WithTags("Stained on demand");
        stained.MapGet("", GetAsync).WithSummary("Opens a slide for staining with a model, and gets its size and progress")
            .Produces<StainedJson>().ProducesProblem(404);
        stained.MapPut("/view", LookAsync).WithSummary("Sets the centre of the view: tiles near to it are stained first").Produces(204);
        stained.MapGet("/dzi/stained.dzi", DescribeAsync).WithSummary("Gets the Deep Zoom description of the stained slide")
            .Produces(200, contentType: "application/xml");
        stained.MapGet("/dzi/stained_files/{level:int}/{tile}", TileAsync)
            .WithSummary("Gets a Deep Zoom tile: LEVEL/COLUMN_ROW.jpg, which is stained first at a downsample of up to 4")
            .Produces(200, contentType: "image/jpeg").ProducesProblem(429);
    }

    private async Task<IResult> GetAsync(string id, string model)
    {
        if (places.Find(id, model) is not { } key) return NotFound();
        if (StainedPlaces.FinishedId(key.Target) is { } result)
        {
            using Slide finished = Slide.Open(key.Target);
            return Results.Ok(new StainedJson(finished.Width, finished.Height, 1, 1, result));
        }
        SlideInWork work = await queue.OpenAsync(key);
        return Results.Ok(new StainedJson(work.Width, work.Height, work.Done, work.Total, null, work.NoveltyShare));
    }

    private async Task<IResult> LookAsync(string id, string model, ViewJson view)
    {
        if (places.Find(id, model) is not { } key) return NotFound();
        if (StainedPlaces.FinishedId(key.Target) is null) (await queue.OpenAsync(key)).ViewCentre = (view.X, view.Y);
        return Results.NoContent();
    }

    private async Task<IResult> DescribeAsync(string id, string model)
    {
        if (places.Find(id, model) is not { } key) return NotFound();
        if (StainedPlaces.FinishedId(key.Target) is { } result) return Results.Redirect($"/api/v1/slides/{result}/dzi/source.dzi");
        SlideInWork work = await queue.OpenAsync(key);
        return Results.Text(new DeepZoom(work.Width, work.Height).ToXml(), "application/xml");
    }

    private async Task<IResult> TileAsync(HttpContext context, string id, string model, int level, string tile)
    {
        if (places.Find(id, model) is not { } key) return NotFound();
        if (StainedPlaces.FinishedId(key.Target) is { } result)
            return Results.Redirect($"/api/v1/slides/{result}/dzi/source_files/{level}/{tile}");
        SlideInWork work = await queue.OpenAsync(key);
        if (SlideEndpoints.Place(tile) is not (int column, int row)
            || new DeepZoom(work.Width, work.Height).Tile(level, column, row) is not { } region) return NotFound();
        int x = (int)(region.X * region.Downsample), y = (int)(region.Y * region.Downsample);
        int width = Math.Min((int)(region.Width * region.Downsample), work.Width - x);
        int height = Math.Min((int)(region.Height * region.Downsample), work.Height - y);
        if (region.Downsample <= LargestDownsample && !await queue.StainAsync(work, x, y, width, height, context.RequestAborted))
            throw new BusyException();
        context.Response.Headers.CacheControl = work.IsStained(x, y, width, height) ? "private, max-age=60" : "no-store";
        byte[] jpeg = await reads.RunAsync(() => Read(work, (x, y, width, height), region.Width, region.Height), context.RequestAborted);
        return Results.Bytes(jpeg, "image/jpeg");
    }

    private static byte[] Read(SlideInWork work, (int X, int Y, int Width, int Height) area, int width, int height)
    {
        try
        {
            return ImageWriter.EncodeJpeg(work.Read(area.X, area.Y, area.Width, area.Height, width, height), Quality);
        }
        catch (TinctorException) when (work.IsFinishing)
        {
            // The slide was finished meanwhile, and its tiles are deleted; the client gets the result when it asks again.
            throw new BusyException();
        }
    }

    private static IResult NotFound() => Results.Problem("There is no such slide, model or tile.", statusCode: 404);
}
