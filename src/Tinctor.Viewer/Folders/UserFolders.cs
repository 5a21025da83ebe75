namespace Tinctor.Viewer.Folders;

/// <summary>Folders of the user that the viewer writes to.</summary>
internal static class UserFolders
{
    /// <summary>Folder of files that can be made again.</summary>
    public static string Cache => Path.Combine(Variable("XDG_CACHE_HOME")
        ?? (OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
                OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache")), "tinctor");

    /// <summary>Folder of stained slides and of the list of jobs.</summary>
    public static string Stained => Path.Combine(Variable("XDG_DATA_HOME")
        ?? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "tinctor", "stained");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
