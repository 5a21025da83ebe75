using System.Runtime.CompilerServices;

namespace Tinctor.Torch.Tests.Serialization;

/// <summary>Where the files that tests read lie.</summary>
internal static class TestFiles
{
    /// <summary>A file of tests/vectors/serialization.</summary>
    public static string Vector(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Vectors(here), "serialization", name));

    private static string Vectors(string here)
    {
        foreach (var start in new[] { AppContext.BaseDirectory, here })
        {
            for (var folder = Path.GetDirectoryName(start); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                var candidate = Path.Combine(folder, "tests", "vectors");
                if (Directory.Exists(candidate))
                {
                    return candidate;
                }
            }
        }

        return "";
    }
}
