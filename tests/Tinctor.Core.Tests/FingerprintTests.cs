using Tinctor.Tests;

namespace Tinctor.Core.Tests;

public sealed class FingerprintTests
{
    private enum Mode
    {
        Fast = 1,
    }

    private static string Hash(Action<Fingerprint> add)
    {
        using var fingerprint = new Fingerprint();
        add(fingerprint);
        return fingerprint.ToHex();
    }

    [Fact]
    public void ToHex_of_equal_values_is_equal_and_can_be_continued()
    {
        Assert.Equal(Hash(f => f.Add("a", 1).Add("b", "x")), Hash(f => f.Add("a", 1).Add("b", "x")));
        Assert.Equal(64, Hash(_ => { }).Length);
        using var continued = new Fingerprint();
        string first = continued.Add("a", 1).ToHex();
        Assert.Equal(first, continued.ToHex());
        Assert.Equal(Hash(f => f.Add("a", 1).Add("b", 2)), continued.Add("b", 2).ToHex());
    }

    [Fact]
    public void ToHex_of_different_values_differs()
    {
        string[] hashes =
        [
            Hash(_ => { }),
            Hash(f => f.Add("a", (string?)null)),
            Hash(f => f.Add("a", "")),
            Hash(f => f.Add("a", "\0")),
            Hash(f => f.Add("a", ReadOnlySpan<byte>.Empty)),
            Hash(f => f.Add("a", "b")),
            Hash(f => f.Add("b", "a")),
            Hash(f => f.Add("a", "b").Add("c", "d")),
            Hash(f => f.Add("c", "d").Add("a", "b")),
            Hash(f => f.Add("ab", "c")),
            Hash(f => f.Add("a", "bc")),
            Hash(f => f.Add("a", "b").Add("c", "")),
            Hash(f => f.Add("a", "bc"u8)),
            Hash(f => f.Add("a", true)),
            Hash(f => f.Add("a", 1)),
            Hash(f => f.Add("a", -1)),
            Hash(f => f.Add("a", Mode.Fast)),
            Hash(f => f.Add("a", 0.1)),
            Hash(f => f.Add("a", Math.BitIncrement(0.1))),
            Hash(f => f.Add("a", 0.1f)),
            Hash(f => f.Add("a", 0.0)),
            Hash(f => f.Add("a", -0.0)),
            Hash(f => f.Add("a", double.NaN)),
            Hash(f => f.Add("a", new[] { 1.0, 2.0 })),
            Hash(f => f.Add("a", new[] { 2.0, 1.0 })),
            Hash(f => f.Add("a", new[] { 12.0 })),
        ];
        // 0.1 as float and as double are both written 0.1, the value of the property.
        Assert.Equal(hashes[17], hashes[19]);
        Assert.Equal(hashes.Length - 1, hashes.Distinct().Count());
    }

    [Fact]
    public void ToHex_of_null_number_equals_null_text() =>
        Assert.Equal(Hash(f => f.Add("a", (int?)null)), Hash(f => f.Add("a", (string?)null)));

    [Fact]
    public void ToHex_equals_recorded_value() =>
        Assert.Equal("8e4e28e6e7b95e81b30ee259297ef7ef11073ab936876356d8c8f5fa73599e08",
            Hash(f => f.Add("mpp", 0.25).Add("name", "größe").Add("mask", new byte[] { 1, 2 }).Add("none", (string?)null)));

    [Fact]
    public void OfFile_is_hash_of_bytes()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Fingerprint.OfFile(folder.File("abc", "abc"u8)));
        Assert.Throws<TinctorException>(() => Fingerprint.OfFile(folder.File("missing")));
    }
}
