namespace Tinctor.Training.Files;

/// <summary>Error for files in a format of a newer version of this program.</summary>
internal sealed class NewerFormatException : TinctorException
{
    private NewerFormatException(string path, int version, int newest)
        : base(path, $"the format has version {version}, but this program reads up to version {newest}",
            "Use the version of Tinctor that wrote it, or a later one.")
    {
    }

    /// <summary>Checks the version of a file's format.</summary>
    /// <param name="path">File with the format.</param>
    /// <param name="version">Version of the format; null for files without a version.</param>
    /// <param name="newest">Newest version that this program reads.</param>
    /// <exception cref="NewerFormatException">The version is newer.</exception>
    public static void ThrowIfNewer(string path, int? version, int newest)
    {
        if (version > newest) throw new NewerFormatException(path, version.Value, newest);
    }
}
