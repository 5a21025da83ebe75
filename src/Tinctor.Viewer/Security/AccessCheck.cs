using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Tinctor.Viewer.Security;

/// <summary>Requires the token: as bearer, or as the cookie that the login sets.</summary>
internal static class AccessCheck
{
    /// <summary>Address at which a browser presents the token.</summary>
    public const string LoginPath = "/login";

    private const string Cookie = "tinctor", Bearer = "Bearer ", Liveness = "/health/live";

    // Without scripts and styles, so that nothing else has to be served.
    private const string LoginPage = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>Tinctor</title></head><body><main><h1>Tinctor</h1>
        <p>This server needs the token that it printed when it started.</p>
        <form action="/login" method="get"><label>Token <input name="token" type="password" autocomplete="off" required></label>
        <button>Open</button></form></main></body></html>
        """;

    /// <summary>Adds the check and the login.</summary>
    public static void UseAccessToken(this IApplicationBuilder app, AccessToken access) => app.Use(async (context, next) =>
    {
        HttpRequest request = context.Request;
        bool isLogin = request.Path == LoginPath;
        string? presented = isLogin ? request.Query["token"].ToString() : BearerOf(request);
        if (request.Path == Liveness || (!isLogin && access.IsSession(request.Cookies[Cookie])))
        {
            await next(context);
            return;
        }
        TokenOutcome outcome = string.IsNullOrEmpty(presented) ? TokenOutcome.Refused
            : access.Present(presented, context.Connection.RemoteIpAddress);
        if (outcome != TokenOutcome.Accepted) await Refuse(context, outcome);
        else if (isLogin) LogIn(context, access);
        else await next(context);
    });

    private static string? BearerOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? header[Bearer.Length..].Trim() : null;

    private static void LogIn(HttpContext context, AccessToken access)
    {
        context.Response.Cookies.Append(Cookie, access.Session, new CookieOptions
        {
            HttpOnly = true,
            IsEssential = true,
            SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = "/",
        });
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = LocalPath(context.Request.Query["to"].ToString());
    }

    // Other hosts begin with two slashes; browsers read a backslash as a slash, and leave out line breaks and tabs.
    private static string LocalPath(string path) =>
        path is ['/', not ('/' or '\\'), ..] && path.All(letter => letter is > ' ' and < (char)0x7F and not '\\') ? path : "/";

    private static async Task Refuse(HttpContext context, TokenOutcome outcome)
    {
        HttpResponse response = context.Response;
        response.Headers.CacheControl = "no-store";
        if (outcome == TokenOutcome.TooManyAttempts)
        {
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            response.Headers.RetryAfter = AccessToken.Window.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            await Results.Problem("Too many wrong tokens. Wait a minute.", statusCode: response.StatusCode).ExecuteAsync(context);
            return;
        }
        response.Headers.WWWAuthenticate = "Bearer";
        bool isPage = context.Request.GetTypedHeaders().Accept.Any(
            type => type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase));
        IResult result = isPage
            ? Results.Content(LoginPage, "text/html; charset=utf-8", statusCode: StatusCodes.Status401Unauthorized)
            : Results.Problem("The request has no token, or a wrong one. Log in, or send it as a bearer token.",
                statusCode: StatusCodes.Status401Unauthorized);
        await result.ExecuteAsync(context);
    }
}
