using System.Security.Cryptography;
using System.Text;

namespace Tinctor.Evaluation.Data;

/// <summary>Hashes that identify the test set of an evaluation.</summary>
/// <param name="NamesSha256">SHA-256 of the names of the scored images in ordinal order, each followed by a line feed.</param>
/// <param name="Manifest">The label table or manifest; null if none was given.</param>
/// <param name="ManifestSha256">SHA-256 of the manifest; null without one.</param>
internal sealed record TestSetIdentity(string NamesSha256, string? Manifest, string? ManifestSha256)
{
    /// <summary>Computes the hashes.</summary>
    /// <param name="pairs">The scored images, ordered by name.</param>
    /// <param name="manifest">The label table or manifest; null for none.</param>
    public static TestSetIdentity Create(IEnumerable<ImagePair> pairs, string? manifest)
    {
        string names = string.Concat(pairs.Select(pair => pair.Name + "\n"));
        return new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names))), manifest,
            manifest is null ? null : Fingerprint.OfFile(manifest));
    }
}
