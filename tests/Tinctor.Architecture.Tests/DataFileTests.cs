using System.Text.Json;
using Tinctor.Tests;

namespace Tinctor.Architecture.Tests;

/// <summary>Reference vectors and sample images in the repository: source, licence and size.</summary>
public sealed class DataFileTests
{
    private const long MegaByte = 1_000_000;

    private static readonly string Vectors = RepositoryFiles.Path("tests/vectors"), Samples = RepositoryFiles.Path("samples/data");

    [Fact]
    public void Vectors_of_other_implementations_state_source_and_licence()
    {
        string[] folders = [.. Directory.GetFiles(Vectors, "*.gz", SearchOption.AllDirectories).Select(Path.GetDirectoryName).Distinct()!];
        Assert.NotEmpty(folders);
        Assert.All(folders, folder =>
        {
            using JsonDocument meta = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "meta.json")));
            foreach (string key in new[] { "source_repo", "commit", "licence" })
                Assert.NotEqual("", meta.RootElement.GetProperty(key).GetString());
        });
    }

    [Fact]
    public void Vectors_take_at_most_30_megabytes()
    {
        IEnumerable<FileInfo> files = new DirectoryInfo(Vectors).EnumerateFiles("*", SearchOption.AllDirectories);
        Assert.InRange(files.Sum(file => file.Length), MegaByte, 30 * MegaByte);
    }

    [Fact]
    public void Sample_images_are_listed_with_their_licences()
    {
        string readme = File.ReadAllText(Path.Combine(Samples, "README.md"));
        string[] files = [.. Directory.GetFiles(Samples, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Samples, path).Replace('\\', '/')).Where(path => path != "README.md")];
        Assert.True(files.Length > 30, $"{files.Length} files");
        // A row names a file, or the folder of many.
        Assert.All(files, file => Assert.True(readme.Contains($"`{file}`") || readme.Contains($"`{Path.GetDirectoryName(file)}`"), file));
    }
}
