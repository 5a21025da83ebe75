using System.Text.Json.Nodes;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

public sealed class InfoCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-info-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // The overview of the scanner does not replace that of the slide.
    [Fact]
    public void Info_of_qptiff_writes_all_images()
    {
        string slide = RepositoryFiles.TestData("three-channels.qptiff");
        Assert.Equal(0, CommandLine.Run("info", slide, "--images", folder).Code);
        Assert.Equal(["label", "overview", "slide", "thumbnail"],
            Directory.GetFiles(folder).Select(file => Path.GetFileNameWithoutExtension(file).Split('_')[^1]).Order());
    }

    // Files that are no libraries hide those of the system.
    [Theory]
    [InlineData("libvips.so.42", "libvips is not installed: apt-get install -y libvips42")]
    [InlineData("libopenslide.so.0", "need OpenSlide, which was not found. Install it: apt-get install -y libopenslide0")]
    public void Info_without_library_names_package(string library, string line)
    {
        File.WriteAllText(Path.Combine(folder, library), "no library, only a text that is longer than the header of an ELF file, 64 bytes");
        Outcome outcome = CommandLine.RunWith("LD_LIBRARY_PATH", folder, "info", RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        Assert.Equal(1, outcome.Code);
        Assert.Contains(line, outcome.OneError());
    }

    [Fact]
    public void Info_lists_properties_and_continues_after_failure()
    {
        string slide = RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), broken = Path.Combine(folder, "broken.svs");
        File.WriteAllText(broken, "nothing of the kind");
        Outcome outcome = CommandLine.Run("info", broken, slide, "--images", Path.Combine(folder, "pictures"));
        Assert.Contains(broken, outcome.OneError());
        Assert.Contains("2220x2967, 1.11 x 1.48 mm", outcome.Out);
        Assert.Contains("0.499 (the file)", outcome.Out);
        Assert.Equal(["label", "macro", "overview", "thumbnail"], Directory.GetFiles(Path.Combine(folder, "pictures"))
            .Select(file => Path.GetFileNameWithoutExtension(file).Split('_')[^1]).Order());
        JsonNode json = JsonNode.Parse(CommandLine.Run("info", slide, "--json", "--slide-mpp", "0.25").Out)!.AsArray().Single()!;
        Assert.Equal((0.25, "as given", 2220, 1),
            ((double)json["mpp"]!, (string)json["mpp_origin"]!, (int)json["width"]!, json["levels"]!.AsArray().Count));
        Assert.Contains("--slide-mpp -1: expected a number above 0", CommandLine.Run("info", slide, "--slide-mpp", "-1").Error);
    }
}
