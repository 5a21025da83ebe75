using System.Runtime.Intrinsics;

namespace Tinctor.Staining.Bridges;

/// <summary>
/// Philox4x32-10 (Salmon et al. 2011): 128 random bits from a 128-bit counter and a 64-bit key, without any state. Four blocks at once;
/// each lane of the four words holds 32 bits.
/// </summary>
internal readonly record struct Philox(Vector256<ulong> A, Vector256<ulong> B, Vector256<ulong> C, Vector256<ulong> D)
{
    private const int Rounds = 10;
    private const uint Golden = 0x9E3779B9, Root3 = 0xBB67AE85;
    private static readonly Vector256<ulong> First = Vector256.Create(0xD2511F53UL), Second = Vector256.Create(0xCD9E8D57UL);
    private static readonly Vector256<ulong> Low = Vector256.Create((ulong)uint.MaxValue);

    /// <summary>Computes the random bits of these counters.</summary>
    public Philox Encrypt(ulong key)
    {
        (Vector256<ulong> a, Vector256<ulong> b, Vector256<ulong> c, Vector256<ulong> d) = this;
        uint key0 = (uint)key, key1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            Vector256<ulong> p = First * a, q = Second * c;
            (a, b) = ((q >>> 32) ^ b ^ Vector256.Create((ulong)key0), q & Low);
            (c, d) = ((p >>> 32) ^ d ^ Vector256.Create((ulong)key1), p & Low);
            key0 += Golden;
            key1 += Root3;
        }
        return new(a, b, c, d);
    }
}
