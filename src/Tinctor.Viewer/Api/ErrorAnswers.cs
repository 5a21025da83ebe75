using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Api;

/// <summary>Turns exceptions into problem details (RFC 9457).</summary>
/// <param name="log">Receives errors that are defects.</param>
internal sealed partial class ErrorAnswers(ILogger<ErrorAnswers> log) : IExceptionHandler
{
    private const int ClientClosedRequest = 499;

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = ClientClosedRequest;
            return true;
        }
        (int status, string title, string? detail) = exception switch
        {
            BusyException => (StatusCodes.Status429TooManyRequests, "The server is busy", "Repeat the request later."),
            TinctorException e => (StatusCodes.Status422UnprocessableEntity, "The file cannot be used", PublicMessage.Of(e)),
            BadHttpRequestException e => (e.StatusCode, "The request is malformed", e.Message),
            _ => (StatusCodes.Status500InternalServerError, "Internal error", null),
        };
        if (status == StatusCodes.Status500InternalServerError) LogDefect(log, context.Request.Path, exception);
        if (status == StatusCodes.Status429TooManyRequests)
            context.Response.Headers.RetryAfter = BusyException.RetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        await Results.Problem(detail, statusCode: status, title: title).ExecuteAsync(context);
        return true;
    }

    [LoggerMessage(LogLevel.Error, "The request {Path} failed")]
    private static partial void LogDefect(ILogger log, string path, Exception exception);
}
