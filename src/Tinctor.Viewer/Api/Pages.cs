using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Tinctor.Viewer.Api;

/// <summary>Pages, scripts and styles, all of them resources of the assembly.</summary>
internal static class Pages
{
    private const string ViewerFolder = "viewer/", ReferenceFolder = "reference/";

    private const string NoPages = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Tinctor</title></head><body><main><h1>Tinctor</h1>
        <p>Research use only. This build has no pages; <a href="/reference">the interface for programs</a> is complete.</p>
        </main></body></html>
        """;

    /// <summary>Adds the addresses.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        FrozenDictionary<string, Page> pages = Read();
        routes.MapGet("/reference", (HttpContext context) => Answer(context, pages[ReferenceFolder + "index.html"]))
            .ExcludeFromDescription();
        routes.MapGet("/{**path}", (HttpContext context, string? path) => Find(pages, path ?? "") is { } page ? Answer(context, page)
            : string.IsNullOrEmpty(path) ? Results.Content(NoPages, "text/html; charset=utf-8") : SlideEndpoints.NotFound())
            .ExcludeFromDescription();
    }

    private static Page? Find(FrozenDictionary<string, Page> pages, string path) => pages.GetValueOrDefault(path switch
    {
        "" => ViewerFolder + "index.html",
        "view" => ViewerFolder + "view.html",
        "register" => ViewerFolder + "register.html",
        _ when path.StartsWith(ReferenceFolder, StringComparison.Ordinal) => path,
        _ => ViewerFolder + path,
    });

    private static IResult Answer(HttpContext context, Page page)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(page.Content, page.Type, entityTag: page.Tag);
    }

    private static FrozenDictionary<string, Page> Read()
    {
        var types = new FileExtensionContentTypeProvider();
        var pages = new Dictionary<string, Page>(StringComparer.Ordinal);
        foreach (string name in typeof(Pages).Assembly.GetManifestResourceNames())
        {
            string path = name.Replace('\\', '/');
            if (!path.StartsWith(ViewerFolder, StringComparison.Ordinal) && !path.StartsWith(ReferenceFolder, StringComparison.Ordinal))
                continue;
            using Stream stream = typeof(Pages).Assembly.GetManifestResourceStream(name)!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            string type = types.TryGetContentType(path, out string? found) ? found : "application/octet-stream";
            if (type.StartsWith("text/", StringComparison.Ordinal)) type += "; charset=utf-8";
            pages[path] = new(content, type, new($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\""));
        }
        return pages.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed record Page(byte[] Content, string Type, EntityTagHeaderValue Tag);
}
