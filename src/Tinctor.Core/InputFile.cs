namespace Tinctor.Core;

/// <summary>Files that the user names as input.</summary>
public static class InputFile
{
    /// <summary>Opens a file for reading. Other programs may read, rename or delete it meanwhile.</summary>
    /// <exception cref="TinctorException">The file is missing, is a folder, or cannot be opened.</exception>
    public static FileStream Open(string path)
    {
        if (Directory.Exists(path)) throw new TinctorException(path, "is a folder, but a file is expected", "Name a file in it.");
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            throw FileErrors.Reading(path, e);
        }
    }
}
