using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Registrations;

/// <summary>Registration of two slides of the catalogue.</summary>
/// <param name="Id">Identifier in addresses.</param>
/// <param name="Source">Source slide.</param>
/// <param name="Target">Target slide.</param>
/// <param name="Original">File of the transform that was found or estimated; null if only the reviewed one is left.</param>
/// <param name="Reviewed">File of the reviewed transform; null if there is none.</param>
/// <param name="IsManual">Whether it was begun by hand, without an estimate.</param>
internal sealed record CatalogueRegistration(string Id, CatalogueSlide Source, CatalogueSlide Target, string? Original, string? Reviewed,
    bool IsManual)
{
    /// <summary>File of the transform that is valid now.</summary>
    public string Path => Reviewed ?? Original!;

    /// <summary>Name of the transform, without extension.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Identifies the content of the present transform in caches.</summary>
    public string Stamp => FormattableString.Invariant($"{Path} {File.GetLastWriteTimeUtc(Path).Ticks} {new FileInfo(Path).Length}");
}
