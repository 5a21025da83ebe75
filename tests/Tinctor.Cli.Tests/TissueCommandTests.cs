using Tinctor.Slides;
using Tinctor.Slides.Tissue;
using Tinctor.Tests;

namespace Tinctor.Cli.Tests;

public sealed class TissueCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-tissue-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Tissue_of_folder_reads_qptiff_and_names_skipped_files()
    {
        string slides = Directory.CreateDirectory(Path.Combine(folder, "slides")).FullName, output = Path.Combine(folder, "out");
        File.Copy(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), Path.Combine(slides, "a.svs"));
        File.WriteAllText(Path.Combine(slides, "notes.csv"), "a,b");
        File.WriteAllBytes(Path.Combine(slides, "b.dcm"), [1, 2, 3]);
        File.WriteAllBytes(Path.Combine(slides, "c.qptiff"), [1, 2, 3]);
        Outcome outcome = CommandLine.Run("tissue", slides, "-o", output);
        Assert.Contains("skipped: 1 file of formats that are not supported (b.dcm)", outcome.Messages);
        // A damaged file of a supported format is an error, also in a folder.
        Assert.Contains("c.qptiff: is not a known image or slide format", outcome.Error);
        Assert.Equal(1, outcome.Code);
        Assert.True(File.Exists(Path.Combine(output, "a_mask.png")));
        Outcome dicom = CommandLine.Run("tissue", Path.Combine(slides, "b.dcm"), "-o", output);
        Assert.Contains("is not a known image or slide format", dicom.OneError());
        // No table without rows.
        Assert.Equal($"Found the tissue of 0 images into {output}.\n", dicom.Out);
    }

    [Fact]
    public void Help_of_pens_names_all_colours_and_default()
    {
        string help = CommandLine.Run("tissue", "--help").Out;
        string line = Assert.Single(help.Split('\n'), line => line.TrimStart().StartsWith("--pens"));
        Assert.All(Enum.GetValues<PenColours>(), pens => Assert.Matches($@"\b{pens.ToString().ToLowerInvariant()}\b", line));
        Assert.EndsWith("[default: all]", line);
        Assert.Contains("--pens red: expected none, blue, green, black or all",
            CommandLine.Run("tissue", "a", "-o", "b", "--pens", "red").OneError());
    }

    [Fact]
    public void Tissue_writes_outputs_once_and_continues_after_failed_slide()
    {
        string slide = RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), broken = Path.Combine(folder, "broken.svs");
        File.WriteAllText(broken, "nothing of the kind");
        Outcome outcome = CommandLine.Run("tissue", broken, slide, "-o", folder);
        Assert.Contains(broken, outcome.OneError());
        Assert.Matches(@"cmu-1-small-region\.svs +0\.\d\d +\d\d\.\d%", outcome.Out);
        string geoJson = Path.Combine(folder, "cmu-1-small-region.geojson");
        Image mask = Image.Read(Path.Combine(folder, "cmu-1-small-region_mask.png")),
            overlay = Image.Read(Path.Combine(folder, "cmu-1-small-region_overlay.png"));
        Assert.Equal((mask.Width, mask.Height, 1, 3), (overlay.Width, overlay.Height, mask.Channels, overlay.Channels));
        using var opened = Slide.Open(slide);
        Assert.Equal(mask.Data, TissueMask.FromGeoJson(geoJson, opened).Mask.Data);

        DateTime written = File.GetLastWriteTimeUtc(geoJson);
        Assert.Contains("Existing results are kept: 1 of 1", CommandLine.Run("tissue", slide, "-o", folder).All);
        Assert.Equal(written, File.GetLastWriteTimeUtc(geoJson));
        Assert.Contains("must be 0 or more", CommandLine.Run("tissue", slide, "-o", folder, "--closing", "-1", "--overwrite").OneError());
    }
}
