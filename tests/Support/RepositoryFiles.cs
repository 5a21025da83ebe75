namespace Tinctor.Tests;

/// <summary>Files of the repository that tests read.</summary>
internal static class RepositoryFiles
{
    private static readonly string Root = FindRoot();

    /// <summary>Returns the full path of a real image of samples/data.</summary>
    /// <exception cref="FileNotFoundException">samples/data holds no such file or folder.</exception>
    public static string Sample(string relative) => Existing("samples/data/" + relative);

    /// <summary>Returns the full path of a file of tests/data.</summary>
    /// <exception cref="FileNotFoundException">tests/data holds no such file or folder.</exception>
    public static string TestData(string relative) => Existing("tests/data/" + relative);

    /// <summary>Returns the full path of a place in the repository, whether or not it exists.</summary>
    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    private static string Existing(string relative)
    {
        string path = Path(relative);
        return System.IO.Path.Exists(path) ? path : throw new FileNotFoundException(relative);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Tinctor.slnx"))) return folder.FullName;
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Tinctor.slnx");
    }
}
