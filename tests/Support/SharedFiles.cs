namespace Tinctor.Tests;

/// <summary>
/// Real images in shared/, a folder beside the repository (or where TINCTOR_SHARED points), whose licences do not allow copies in the
/// repository. Tests that need it are skipped with a message where it is absent.
/// </summary>
internal static class SharedFiles
{
    private static readonly string? Root = Find();

    /// <summary>The full path of a file or folder of shared/; skips the test where it is not there.</summary>
    public static string Path(string relative)
    {
        string? path = Root is null ? null : System.IO.Path.Combine(Root, relative);
        Assert.SkipUnless(path is not null && System.IO.Path.Exists(path), $"needs ../shared/{relative}");
        return path!;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("TINCTOR_SHARED") is { Length: > 0 } named) return named;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string shared = System.IO.Path.Combine(folder.FullName, "shared");
            if (Directory.Exists(System.IO.Path.Combine(shared, "data"))) return shared;
        }
        return null;
    }
}
