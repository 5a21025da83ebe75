namespace Tinctor.Core;

/// <summary>Opens input files; missing and unreadable files give the same messages everywhere.</summary>
internal static class InputFile
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

    /// <summary>Reads a file as a whole.</summary>
    /// <exception cref="TinctorException">The file is missing, is a folder, or cannot be read.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        using FileStream stream = Open(path);
        try
        {
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw FileErrors.Reading(path, e);
        }
    }

    /// <summary>Reads a text file; UTF-8 unless it begins with another byte order mark.</summary>
    /// <exception cref="TinctorException">The file is missing, is a folder, or cannot be read.</exception>
    public static string ReadText(string path)
    {
        using var reader = new StreamReader(Open(path));
        try
        {
            return reader.ReadToEnd();
        }
        catch (IOException e)
        {
            throw FileErrors.Reading(path, e);
        }
    }
}
