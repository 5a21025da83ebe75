namespace Tinctor.Training.Files;

/// <summary>A file has a format that only newer versions of this program read.</summary>
internal sealed class NewerFormatException : TinctorException
{
    private NewerFormatException(string path, int version, int newest)
        : base(path, $"the format has version {version}, but this program reads up to version {newest}",
            "Use the version of Tinctor that wrote it, or a later one.")
    {
    }

    /// <summary>Refuses versions that are too new.</summary>
    /// <param name="path">The file.</param>
    /// <param name="version">Version of its format; null for files from before formats had versions.</param>
    /// <param name="newest">Newest version that this program reads.</param>
    /// <exception cref="NewerFormatException">The version is newer.</exception>
    public static void ThrowIfNewer(string path, int? version, int newest)
    {
        if (version > newest) throw new NewerFormatException(path, version.Value, newest);
    }
}
