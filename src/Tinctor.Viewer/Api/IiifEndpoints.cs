using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Api;

/// <summary>Slides by the IIIF Image API 3.0, level 1, for other viewers.</summary>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="reader">Reads slides.</param>
internal sealed class IiifEndpoints(SlideCatalogue catalogue, SlideReader reader)
{
    private const string Profile = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder images = routes.MapGroup("/iiif/3/{id}").WithTags("IIIF");
        images.MapGet("", (HttpRequest request) => Redirect(request)).WithSummary("Redirects to the description of the image");
        images.MapGet("/info.json", DescribeAsync).WithSummary("Gets the description of a slide by the IIIF Image API 3.0, level 1");
        images.MapGet("/{region}/{size}/{rotation}/{file}", ImageAsync)
            .WithSummary("Gets a region of a slide as QUALITY.jpg or QUALITY.png; the quality is default or color, the rotation is 0")
            .Produces(200, contentType: "image/jpeg");
    }

    private static IResult Redirect(HttpRequest request)
    {
        request.HttpContext.Response.Headers.Location = $"{request.PathBase}{request.Path}/info.json";
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    private async Task<IResult> DescribeAsync(HttpRequest request, string id, CancellationToken cancel)
    {
        if (await FindAsync(id, cancel) is not { } found) return SlideEndpoints.NotFound();
        (int width, int height) = (found.Summary.Width, found.Summary.Height);
        int[] factors = [.. Enumerable.Range(0, 31).Select(power => 1 << power)
            .TakeWhile(factor => factor == 1 || Math.Max(width, height) / (factor / 2) > IiifRequest.TileSide)];
        var info = new Dictionary<string, object>
        {
            ["@context"] = "http://iiif.io/api/image/3/context.json",
            ["id"] = $"{request.Scheme}://{request.Host}/iiif/3/{id}",
            ["type"] = "ImageService3",
            ["protocol"] = "http://iiif.io/api/image",
            ["profile"] = "level1",
            ["width"] = width,
            ["height"] = height,
            ["maxWidth"] = IiifRequest.LargestSide,
            ["maxHeight"] = IiifRequest.LargestSide,
            ["tiles"] = new[] { new { width = IiifRequest.TileSide, height = IiifRequest.TileSide, scaleFactors = factors } },
            ["extraFormats"] = new[] { "png" },
            ["extraQualities"] = new[] { "color" },
            ["extraFeatures"] = new[] { "regionByPct", "sizeByPct", "sizeByConfinedWh", "sizeByWh" },
        };
        bool wantsLinked = request.Headers.Accept.ToString().Contains("application/ld+json", StringComparison.OrdinalIgnoreCase);
        return Results.Text(JsonSerializer.Serialize(info), wantsLinked ? Profile : "application/json");
    }

    private async Task<IResult> ImageAsync(HttpContext context, string id, string region, string size, string rotation, string file)
    {
        if (await FindAsync(id, context.RequestAborted) is not { } found) return SlideEndpoints.NotFound();
        bool isPng = file is "default.png" or "color.png";
        if (rotation != "0" || (!isPng && file is not ("default.jpg" or "color.jpg"))
            || IiifRequest.Parse(found.Summary.Width, found.Summary.Height, region, size) is not { } request)
        {
            return Results.Problem("The region, size, rotation, quality or format is malformed, outside of the slide or not supported.",
                statusCode: StatusCodes.Status400BadRequest);
        }
        return await SlideEndpoints.ImageAsync(context, SlideEndpoints.Tag(found.Slide, "iiif", region, size, file),
            isPng ? "image/png" : "image/jpeg",
            async () => await reader.IiifAsync(found.Slide, request, isPng, context.RequestAborted));
    }

    private async Task<(CatalogueSlide Slide, SlideSummary Summary)?> FindAsync(string id, CancellationToken cancel)
    {
        if (!catalogue.Current.All.TryGetValue(id, out CatalogueSlide? slide)) return null;
        SlideSummary summary = await reader.SummaryAsync(slide, cancel);
        return summary.Error is { } error ? throw new TinctorException(slide.Name, error) : (slide, summary);
    }
}
