using System.Net;
using System.Net.NetworkInformation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Tinctor.Viewer.Security;

/// <summary>Checks of requests and headers of responses that protect browsers: against other sites, frames and injected content.</summary>
internal static class RequestGuards
{
    /// <summary>Header that requests which change something must have; other sites cannot send it.</summary>
    public const string WriteHeader = "X-Tinctor";

    private const string ResourcePolicy = "Cross-Origin-Resource-Policy", AllOrigins = "*";

    private const string ContentPolicy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        + "frame-ancestors 'none'; form-action 'self'";

    /// <summary>Adds the headers of all responses.</summary>
    public static void UseResponseHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        // At the end, as errors clear the headers.
        context.Response.OnStarting(() =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = ContentPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            if (headers[ResourcePolicy].Count == 0) headers[ResourcePolicy] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
            if (headers.CacheControl.Count == 0) headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>
    /// Lets pages of other origins read slides by IIIF. Images without a request for reading their pixels have no origin in the request, so
    /// that pages of any origin can show them.
    /// </summary>
    /// <param name="app">The server.</param>
    /// <param name="origins">The origins, or * for all.</param>
    public static void UseIiifOrigins(this IApplicationBuilder app, IReadOnlyCollection<string> origins) => app.Use((context, next) =>
    {
        HttpRequest request = context.Request;
        if (!request.Path.StartsWithSegments("/iiif") || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
            return next(context);
        string? allowed = origins.Contains(AllOrigins) ? AllOrigins
            : origins.FirstOrDefault(origin => string.Equals(origin, request.Headers.Origin, StringComparison.OrdinalIgnoreCase));
        context.Response.OnStarting(() =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            headers[ResourcePolicy] = "cross-origin";
            headers.Vary = "Origin";
            if (allowed is not null) headers.AccessControlAllowOrigin = allowed;
            return Task.CompletedTask;
        });
        return next(context);
    });

    /// <summary>Whether a text is the origin of web pages, scheme and host, or *.</summary>
    public static bool IsOrigin(string text) => text == AllOrigins || (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && uri.Scheme is "http" or "https" && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// Refuses requests that change something without <see cref="WriteHeader"/> or from another origin, and those with a large body.
    /// </summary>
    public static void UseWriteCheck(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        HttpRequest request = context.Request;
        bool isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (request.ContentLength > context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize)
        {
            await Results.Problem("The body of the request is too large.", statusCode: StatusCodes.Status413PayloadTooLarge)
                .ExecuteAsync(context);
            return;
        }
        if (isRead || (request.Headers[WriteHeader] == "1" && IsOwnOrigin(request)))
        {
            await next(context);
            return;
        }
        await Results.Problem($"Requests that change something need the header {WriteHeader}: 1 and must come from this server's pages.",
            statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
    });

    /// <summary>Names and addresses by which clients may call the server: those of this computer, and given ones.</summary>
    /// <param name="address">Address that the server listens on.</param>
    /// <param name="given">Additional names.</param>
    public static string[] HostNames(IPAddress address, IEnumerable<string> given)
    {
        IEnumerable<string> names = ["localhost", "127.0.0.1", "[::1]", .. given];
        if (!IPAddress.IsLoopback(address)) names = names.Concat([Environment.MachineName, Dns.GetHostName()]);
        IEnumerable<IPAddress> addresses = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
            ? NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address) : [address];
        return [.. names.Concat(addresses.Select(HostName)).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Formats an address as it stands in a Host header.</summary>
    public static string HostName(IPAddress address)
    {
        string text = address.ToString().Split('%')[0];
        return text.Contains(':') ? $"[{text}]" : text;
    }

    // Browsers send the origin with each request that is not a plain read.
    private static bool IsOwnOrigin(HttpRequest request) => request.Headers.Origin.ToString() is not { Length: > 0 } origin
        || (Uri.TryCreate(origin, UriKind.Absolute, out Uri? from) && from.Scheme == request.Scheme && from.Authority == HostOf(request));

    // The authority of an address leaves out the default port.
    private static string HostOf(HttpRequest request) => new Uri($"{request.Scheme}://{request.Host.Value}").Authority;
}
