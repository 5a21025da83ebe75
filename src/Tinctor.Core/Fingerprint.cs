using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Core;

/// <summary>
/// SHA-256 of named values, which identifies the inputs of a computation, for instance to decide whether earlier results can be reused.
/// Values are hashed by name, length and content; neither the type that holds them nor values that were not added have an influence.
/// </summary>
internal sealed class Fingerprint : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Adds a text; null differs from the empty text.</summary>
    public Fingerprint Add(string name, string? value)
    {
        Append(name);
        if (value is null) hash.AppendData([0]);
        else
        {
            hash.AppendData([1]);
            Append(value);
        }
        return this;
    }

    /// <summary>Adds bytes.</summary>
    public Fingerprint Add(string name, ReadOnlySpan<byte> value)
    {
        Append(name);
        hash.AppendData([2]);
        AppendLength(value.Length);
        hash.AppendData(value);
        return this;
    }

    /// <summary>Adds a number or a member of an enumeration in its invariant form.</summary>
    public Fingerprint Add<T>(string name, T value)
        where T : struct, IFormattable => Add(name, value.ToString(value is float or double ? "R" : null, CultureInfo.InvariantCulture));

    /// <summary>Adds a number or a member of an enumeration in its invariant form, or its absence.</summary>
    public Fingerprint Add<T>(string name, T? value)
        where T : struct, IFormattable => value is { } present ? Add(name, present) : Add(name, (string?)null);

    /// <summary>Adds a boolean.</summary>
    public Fingerprint Add(string name, bool value) => Add(name, value ? "true" : "false");

    /// <summary>Adds numbers in their order.</summary>
    public Fingerprint Add(string name, IEnumerable<double> values) =>
        Add(name, string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture))));

    /// <summary>SHA-256 of what was added so far, in hexadecimal.</summary>
    public string ToHex() => Convert.ToHexStringLower(hash.GetCurrentHash());

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();

    /// <summary>SHA-256 of a file's bytes, in hexadecimal.</summary>
    /// <exception cref="TinctorException">The file is missing or cannot be opened.</exception>
    public static string OfFile(string path)
    {
        using FileStream file = InputFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private void Append(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        AppendLength(bytes.Length);
        hash.AppendData(bytes);
    }

    // The length keeps "ab" + "c" apart from "a" + "bc".
    private void AppendLength(int length) => hash.AppendData(BitConverter.GetBytes(length));
}
