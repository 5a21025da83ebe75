using System.Reflection;
using System.Runtime.InteropServices;

namespace Tinctor.Viewer.Jobs;

/// <summary>
/// Loads SQLite so that its functions call each other. On Linux, libvips makes the functions of OpenSlide's SQLite visible to the whole
/// process, which those of Microsoft.Data.Sqlite would call instead of their own, and crash.
/// </summary>
internal static partial class SqliteLibrary
{
    private const int BindNow = 0x2, BindOwnFirst = 0x8; // RTLD_NOW, RTLD_DEEPBIND
    private static readonly Lazy<bool> Loading = new(SetResolver);

    /// <summary>Must be called before SQLite is used.</summary>
    public static void Load() => _ = Loading.Value;

    private static bool SetResolver()
    {
        if (OperatingSystem.IsLinux())
            NativeLibrary.SetDllImportResolver(Assembly.Load("SQLitePCLRaw.provider.e_sqlite3"), (name, _, _) => Load($"lib{name}.so"));
        return true;
    }

    // 0 leaves the library to .NET.
    private static nint Load(string file)
    {
        string folders = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        string? path = folders.Split(Path.PathSeparator).Prepend(AppContext.BaseDirectory).Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(File.Exists);
        return path is null ? 0 : Open(path, BindNow | BindOwnFirst);
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string path, int flags);
}
