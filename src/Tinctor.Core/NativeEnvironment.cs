using System.Runtime.InteropServices;

namespace Tinctor.Core;

/// <summary>
/// Environment of native libraries: variables, of which .NET keeps a copy of its own on Unix, and OpenSSL, which .NET expects.
/// </summary>
internal static partial class NativeEnvironment
{
    /// <summary>Sets a variable for native libraries that are loaded later, unless the user has set it.</summary>
    public static void SetDefault(string name, string value)
    {
        if (!OperatingSystem.IsWindows()) _ = SetVariable(name, value, 0);
        else if (Environment.GetEnvironmentVariable(name) is null) Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>
    /// Loads the OpenSSL of an archive where the system has none. .NET, which computes SHA-256 with it, then finds it by name.
    /// </summary>
    public static void LoadOpenSsl()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "openssl", "libssl.so.3");
        if (OperatingSystem.IsLinux() && File.Exists(library) && !NativeLibrary.TryLoad("libssl.so.3", out _)) NativeLibrary.Load(library);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
