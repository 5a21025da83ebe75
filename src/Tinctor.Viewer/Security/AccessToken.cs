using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace Tinctor.Viewer.Security;

/// <summary>Outcome of presenting a token.</summary>
internal enum TokenOutcome
{
    /// <summary>The token is right.</summary>
    Accepted,

    /// <summary>The token is wrong.</summary>
    Refused,

    /// <summary>The address has presented too many wrong tokens; this one was not compared.</summary>
    TooManyAttempts,
}

/// <summary>
/// Token of the server. It is presented as a bearer token, or once at the login, which sets a cookie with a random value that is valid
/// until the server stops. Comparisons take constant time, and wrong tokens are counted for each address.
/// </summary>
/// <param name="token">The token.</param>
internal sealed class AccessToken(string token) : IDisposable
{
    /// <summary>Wrong tokens that an address may present in <see cref="Window"/>.</summary>
    public const int MostAttempts = 10;

    private const int RandomBytes = 32, NetworkBytes = 8;

    private readonly byte[] hash = Hash(token);
    private readonly PartitionedRateLimiter<IPAddress> failures = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
        RateLimitPartition.GetFixedWindowLimiter(NetworkOf(address), _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = MostAttempts,
            Window = Window,
            QueueLimit = 0,
        }));

    /// <summary>Time in which wrong tokens are counted.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(1);

    /// <summary>The token.</summary>
    public string Value => token;

    /// <summary>Value of the cookie of clients that have presented the token.</summary>
    public string Session { get; } = Generate();

    /// <summary>Generates a random token of 256 bits in URL-safe characters.</summary>
    public static string Generate() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>Whether a cookie is that of a client that has presented the token.</summary>
    public bool IsSession(string? cookie) => cookie is not null && IsSame(Hash(cookie), Hash(Session));

    /// <summary>Compares a token that a client presents.</summary>
    public TokenOutcome Present(string presented, IPAddress? client)
    {
        IPAddress address = client ?? IPAddress.None;
        if (failures.GetStatistics(address) is { CurrentAvailablePermits: 0 }) return TokenOutcome.TooManyAttempts;
        if (IsSame(Hash(presented), hash)) return TokenOutcome.Accepted;
        using RateLimitLease attempt = failures.AttemptAcquire(address);
        return attempt.IsAcquired ? TokenOutcome.Refused : TokenOutcome.TooManyAttempts;
    }

    /// <inheritdoc/>
    public void Dispose() => failures.Dispose();

    // Hashes have one length, so that the comparison does not depend on that of the token.
    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static bool IsSame(byte[] one, byte[] other) => CryptographicOperations.FixedTimeEquals(one, other);

    // A client of IPv6 has a whole network of addresses.
    private static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(NetworkBytes).Clear();
        return new(bytes);
    }
}
