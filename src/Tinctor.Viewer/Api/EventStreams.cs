using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Api;

/// <summary>Limit on the streams of events that are open at once.</summary>
/// <param name="most">Largest number of streams.</param>
internal sealed class EventStreams(int most) : IDisposable
{
    private readonly ConcurrencyLimiter limiter = new(new() { PermitLimit = most, QueueLimit = 0 });

    /// <summary>Counts a stream until its request ends.</summary>
    /// <exception cref="BusyException">Too many streams are open.</exception>
    public void Enter(HttpContext context)
    {
        RateLimitLease lease = limiter.AttemptAcquire();
        if (!lease.IsAcquired) throw new BusyException();
        context.Response.RegisterForDispose(lease);
    }

    /// <inheritdoc/>
    public void Dispose() => limiter.Dispose();
}
