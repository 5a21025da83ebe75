using System.Runtime.CompilerServices;

namespace Tinctor.Torch.Tests.Serialization;

/// <summary>Where the files that tests read lie.</summary>
internal static class TestFiles
{
    /// <summary>A file of tests/vectors/serialization.</summary>
    public static string Vector(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Up(here, "tests", "vectors"), "serialization", name));

    /// <summary>A file of the shared reference vectors; skips the test where they are not.</summary>
    public static string Shared(string name, [CallerFilePath] string here = "")
    {
        var shared = Environment.GetEnvironmentVariable("TINCTOR_SHARED") ?? Up(here, "shared", "vectors", "..");
        var path = Path.Combine(shared, "vectors", name);
        Assert.SkipUnless(Path.Exists(path), $"needs ../shared/vectors/{name}");
        return path;
    }

    private static string Up(string here, params string[] parts)
    {
        foreach (var start in new[] { AppContext.BaseDirectory, here })
        {
            for (var folder = Path.GetDirectoryName(start); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                var candidate = Path.Combine([folder, .. parts]);
                if (Directory.Exists(candidate))
                {
                    return candidate;
                }
            }
        }

        return "";
    }
}
