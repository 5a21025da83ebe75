using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Slides;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Api;

/// <summary>
/// Links of reports, which name slides by file name and content: they open the view of a slide that this server has, wherever it lies.
/// </summary>
/// <param name="catalogue">Slides of the folders.</param>
internal sealed class OpenEndpoint(SlideCatalogue catalogue)
{
    private const int MostCandidates = 50;

    // Without scripts and styles, as the page of the login.
    private const string MissingPage = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Tinctor</title></head><body><main><h1>Tinctor</h1>
        <p>{0} Start the viewer with the folder that holds it.</p><p><a href="/">Slides of this server</a></p></main></body></html>
        """;

    /// <summary>Adds the address.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/open", Open).WithTags("Slides")
        .WithSummary("Opens the view of a slide by its file name, and by the fingerprint of its content if several have the name; "
            + "compare and compareFingerprint name a second one")
        .Produces(302).Produces(404, contentType: "text/html").ProducesProblem(400);

    private IResult Open(string name, string? fingerprint = null, string? compare = null, string? compareFingerprint = null,
        double? x = null, double? y = null, double? zoom = null)
    {
        if (new[] { fingerprint, compareFingerprint }.Any(text => text is not null && !IsFingerprint(text)))
            return Results.Problem($"A fingerprint has {SlideContent.Digits} hexadecimal digits.", statusCode: 400);
        if (Find(name, fingerprint) is not { } slide) return Missing(name);
        string address = $"/view?slide={slide.Id}";
        if (x is not null && y is not null && zoom is not null)
            address += string.Create(CultureInfo.InvariantCulture, $"&x={x}&y={y}&zoom={zoom}");
        if (compare is null) return Results.Redirect(address);
        return Find(compare, compareFingerprint) is { } other ? Results.Redirect($"{address}&compare={other.Id}&mode=curtain")
            : Missing(compare);
    }

    private CatalogueSlide? Find(string name, string? fingerprint)
    {
        CatalogueSlide[] named = [.. catalogue.Current.ByName[name].Take(MostCandidates)];
        return fingerprint is null ? (named.Length == 1 ? named[0] : null) : named.FirstOrDefault(slide => Has(slide, fingerprint));
    }

    private static bool Has(CatalogueSlide slide, string fingerprint)
    {
        try
        {
            return slide.Content == fingerprint;
        }
        catch (TinctorException)
        {
            return false;
        }
    }

    private IResult Missing(string name)
    {
        string shown = WebUtility.HtmlEncode(name);
        string problem = "The folders of this server have "
            + (catalogue.Current.ByName[name].Any() ? $"another slide with the name {shown}." : $"no slide {shown}.");
        return Results.Content(string.Format(CultureInfo.InvariantCulture, MissingPage, problem), "text/html; charset=utf-8",
            statusCode: StatusCodes.Status404NotFound);
    }

    private static bool IsFingerprint(string text) => text.Length == SlideContent.Digits && text.All(char.IsAsciiHexDigitLower);
}
