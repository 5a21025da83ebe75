using System.Text.Json;
using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

[Collection("trained")]
public sealed class StainSlidesTests : IDisposable
{
    private static readonly Lazy<Image> Section = new(() =>
        PhantomSlide.Render(new() { Width = 400, Height = 300, Stains = [PhantomStain.He] }).Images[0].Image);

    private readonly TrainedRun trained;
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-slides-").FullName;

    public StainSlidesTests(TrainedRun trained)
    {
        this.trained = trained;
        torch.set_num_threads(1);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Stain_slide_writes_pyramid_and_report_once()
    {
        string slide = WriteSlide("a.ome.tif");
        Outcome outcome = Stain(slide, "--tile-size", "128", "--uncertainty", "--viewer", "http://viewer.example:9000/");
        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains("seams", outcome.All);
        Assert.Equal(["a.html", "a.json", "a.ome.tif", "a.uncertainty.ome.tif", "stained.csv"], Written());
        Assert.Contains("Unreliable regions", File.ReadAllText(At("out", "a.html")));
        Assert.Contains("http://viewer.example:9000/open?name=a.ome.tif", File.ReadAllText(At("out", "a.html")));
        using (Slide before = Slide.Open(slide), after = Slide.Open(At("out", "a.ome.tif")),
            map = Slide.Open(At("out", "a.uncertainty.ome.tif")))
        {
            Assert.Equal((before.Width, before.Height, 3), (after.Width, after.Height, after.Channels));
            Assert.Equal((before.Width, before.Height), (map.Width, map.Height));
            Assert.Equal(0.5, after.Mpp!.Value, 1e-6);
            // Glass stays glass, tissue does not stay as it was.
            Assert.Equal(before.Read(0, 20, 20, 30, 30).Data.Select(value => value / 8),
                after.Read(0, 20, 20, 30, 30).Data.Select(value => value / 8));
            Assert.NotEqual(before.Read(0, 500, 400, 30, 30).Data, after.Read(0, 500, 400, 30, 30).Data);
        }
        using JsonDocument report = JsonDocument.Parse(File.ReadAllText(At("out", "a.json")));
        Assert.Equal(0.5, report.RootElement.GetProperty("mpp").GetDouble(), 1e-6);
        Assert.InRange(report.RootElement.GetProperty("seam_score").GetDouble(), 0.5, 1.1);
        DateTime written = File.GetLastWriteTimeUtc(At("out", "a.ome.tif"));
        Assert.Contains("Existing results are kept: 1 of 1", Stain(slide, "--tile-size", "128", "--uncertainty").All);
        Assert.Equal(written, File.GetLastWriteTimeUtc(At("out", "a.ome.tif")));
    }

    [Fact]
    public void Stain_pattern_and_list_continue_after_broken_slide()
    {
        string slide = WriteSlide("a.ome.tif");
        File.WriteAllBytes(At("in", "b.svs"), File.ReadAllBytes(slide)[..5000]);
        File.Copy(slide, At("in", "c.ome.tif"));
        File.WriteAllText(At("list.txt"), "# mine\nin/a.ome.tif\n\nin/b.svs\nin/c.ome.tif\n");
        Outcome listed = Stain(At("list.txt"), "--tile-size", "256", "--halo", "0");
        Assert.Equal(1, listed.Code);
        Assert.StartsWith($"error: {At("in", "b.svs")}", listed.Error.Trim());
        Assert.Single(listed.Error.Trim().Split('\n'));
        Assert.Equal(["a.html", "a.json", "a.ome.tif", "b.failed.json", "c.html", "c.json", "c.ome.tif", "stained.csv"], Written());
        Outcome pattern = Stain(At("in", "*.ome.tif"));
        Assert.Contains("Existing results are kept: 2 of 2", pattern.All);
    }

    [Theory]
    [InlineData("a.geojson")]
    [InlineData("")]
    public void Stain_with_annotations_stains_inside(string given)
    {
        string slide = WriteSlide("a.ome.tif");
        File.WriteAllText(At("a.geojson"), """
            { "type": "FeatureCollection", "features": [ { "type": "Feature", "properties": { "objectType": "annotation" },
              "geometry": { "type": "Polygon", "coordinates": [[[400, 300], [560, 300], [560, 460], [400, 460], [400, 300]]] } } ] }
            """);
        Assert.Equal(0, Stain(slide, "--tissue", At(given), "--tile-size", "128", "--halo", "0", "--lossless").Code);
        using Slide before = Slide.Open(slide), after = Slide.Open(At("out", "a.ome.tif"));
        byte[] white = after.Read(0, 5, 5, 1, 1).Data;
        Assert.Equal(white, after.Read(0, 680, 560, 1, 1).Data);
        Assert.NotEqual(before.Read(0, 480, 380, 8, 8).Data, after.Read(0, 480, 380, 8, 8).Data);
        Assert.Contains(after.Read(0, 480, 380, 8, 8).Data, value => value != white[0]);
    }

    [Theory]
    [InlineData("--tile-size", "100")]
    [InlineData("--halo", "7")]
    [InlineData("--halo", "4000")]
    [InlineData("--batch-size", "0")]
    [InlineData("--kernel-radius", "-1")]
    [InlineData("--work-mpp", "0")]
    public void Stain_invalid_tile_sizes_are_one_line(string option, string value)
    {
        Outcome outcome = Stain(WriteSlide("a.ome.tif"), option, value);
        Assert.Equal(1, outcome.Code);
        Assert.Single(outcome.Error.Trim().Split('\n'));
        Assert.Contains(value, outcome.Error);
    }

    // A section in the middle of glass.
    private string WriteSlide(string name)
    {
        var image = new Image(900, 700, 3);
        image.Fill([243, 243, 243]);
        image.Paste(Section.Value, 300, 250);
        string path = At("in", name);
        SlideWriter.Write(path, new SlideSpec(900, 700) { Mpp = 0.5, Tile = 128, JpegQuality = null }, image);
        return path;
    }

    private Outcome Stain(string input, params string[] options) =>
        CommandLine.Run(["stain", trained.Model, input, "-o", At("out"), "--device", "cpu", .. options]);

    private string[] Written() => [.. Directory.EnumerateFileSystemEntries(At("out")).Select(path => Path.GetFileName(path))
        .Where(name => name != ".jobs.csv").Order(StringComparer.Ordinal)];

    private string At(params string[] parts) => Path.Combine([folder, .. parts]);
}
