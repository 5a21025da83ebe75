using Tinctor.Cli.Startup;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

public sealed class PhantomCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("phantom-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Phantom_writes_pairs_of_given_stains_and_size()
    {
        Assert.Equal(0, await Run("--slides", "2", "--size", "80x64", "--stains", "he,ki67", "--level", "3+", "--seed", "9",
            "--misalign", "3", "--level-in-he", "0.5", "--on-tumour"));
        Assert.EndsWith("level_in_he: 0.5\non_tumour: true\n", File.ReadAllText(Path.Combine(folder, "phantom.yaml")));
        Assert.Equal(["source/s001_f01.png", "source/s002_f01.png"],
            Directory.GetFiles(Path.Combine(folder, "source")).Select(Relative).Order());
        ImageInfo target = Image.ReadInfo(Path.Combine(folder, "target", "s001_f01.png"));
        Assert.Equal((80, 64, 3), (target.Width, target.Height, target.Channels));
        Assert.True(File.Exists(Path.Combine(folder, "truth", "s002_f01_ki67_displacement.safetensors")));
        Assert.All(File.ReadAllLines(Path.Combine(folder, "manifest.csv")).Skip(1), line => Assert.Contains(",3+,s00", line));
    }

    [Theory]
    [InlineData("bci", "HE/test", "misalign: 8\n", "serial: true\nlevel_in_fields: true\nlayout: bci\n")]
    [InlineData("restain", "source", "misalign: 2\n", "noise: 1\nlevel_in_fields: true\n")]
    public async Task Phantom_preset_sets_options_that_are_not_given(string preset, string images, string misalign, string end)
    {
        Assert.Equal(0, await Run("--preset", preset, "--slides", "2", "--size", "64x64"));
        string parameters = File.ReadAllText(Path.Combine(folder, "phantom.yaml"));
        Assert.Contains(misalign, parameters);
        Assert.EndsWith(end, parameters);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(folder, images)));
        Assert.Equal(0, await Run("--preset", preset, "--slides", "2", "--size", "64x64", "--misalign", "0", "--overwrite"));
        Assert.Contains("misalign: 0\n", File.ReadAllText(Path.Combine(folder, "phantom.yaml")));
    }

    [Fact]
    public async Task Phantom_default_size_fits_autofluorescence_factor()
    {
        Assert.Equal(0, await Run("--slides", "1", "--stains", "af,he"));
        Assert.Equal(204, Image.ReadInfo(Path.Combine(folder, "source", "s001_f01.tif")).Width);
        Assert.Equal(1020, Image.ReadInfo(Path.Combine(folder, "target", "s001_f01.png")).Width);
    }

    [Fact]
    public async Task Phantom_values_out_of_range_are_refused()
    {
        var error = await Assert.ThrowsAsync<TinctorException>(() => Run("--slides", "0"));
        Assert.Contains("the number of slides is 0", error.Message);
    }

    [Theory]
    [InlineData("--size", "80")]
    [InlineData("--stains", "he,her3")]
    [InlineData("--level", "4+")]
    public void Phantom_unknown_words_are_refused(string option, string value) =>
        Assert.NotEmpty(CommandLineApp.Root.Parse(["phantom", "-o", folder, option, value]).Errors);

    private Task<int> Run(params string[] options) => CommandLine.Invoke(["phantom", "-o", folder, .. options]);

    private string Relative(string path) => Path.GetRelativePath(folder, path);
}
