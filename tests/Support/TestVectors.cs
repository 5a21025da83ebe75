namespace Tinctor.Tests;

/// <summary>Reference numbers in tests/vectors, made by the scripts there.</summary>
internal static class TestVectors
{
    /// <summary>The full path of a file of tests/vectors.</summary>
    public static string Path(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = System.IO.Path.Combine(folder.FullName, "tests", "vectors", relative);
            if (File.Exists(path)) return path;
        }
        throw new FileNotFoundException($"tests/vectors/{relative}");
    }
}
