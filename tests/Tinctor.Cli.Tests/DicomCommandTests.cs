using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Slides.Tests;
using Tinctor.Torch;

namespace Tinctor.Cli.Tests;

/// <summary>Commands on folders of DICOM files, each of which is one slide.</summary>
[Collection("trained")]
public sealed class DicomCommandTests : IDisposable
{
    private readonly TrainedRun trained;
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-dicom-").FullName;

    public DicomCommandTests(TrainedRun trained)
    {
        this.trained = trained;
        torch.set_num_threads(1);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Info_convert_tissue_and_stain_take_folder_as_slide()
    {
        Image section = Section(PhantomStain.He);
        WriteSlide("cases/17", section);
        Outcome info = CommandLine.Run("info", At("cases/17"));
        Assert.Equal((0, ""), (info.Code, info.Error));
        Assert.Contains("DICOM slide", info.Out);
        Assert.Contains("400x300", info.Out);
        Assert.Contains("0.5 (the DICOM metadata)", info.Out);

        Assert.Equal(0, CommandLine.Run("convert", At("cases/17"), "-o", At("copy.ome.tif"), "--lossless").Code);
        using (var copy = Slide.Open(At("copy.ome.tif")))
        {
            Assert.Equal(section.Data, copy.Read(0, 0, 0, 400, 300).Data);
            Assert.Equal(0.5, copy.Mpp);
        }

        foreach (string input in new[] { "cases", "cases/17", "cases/17/0" })
        {
            string output = At($"tissue-{Path.GetFileName(input)}");
            Assert.Equal(0, CommandLine.Run("tissue", At(input), "-o", output).Code);
            Assert.True(File.Exists(Path.Combine(output, input == "cases/17/0" ? "0.geojson" : "17.geojson")));
        }

        string[] stain = ["stain", trained.Model, At("cases"), "-o", At("out"), "--device", "cpu", "--tile-size", "128"];
        Assert.Equal(0, CommandLine.Run(stain).Code);
        using (var stained = Slide.Open(At("out/17.ome.tif"))) Assert.Equal((400, 300, 0.5), (stained.Width, stained.Height, stained.Mpp));
        Assert.Contains("Existing results are kept: 1 of 1", CommandLine.Run(stain).All);
    }

    [Fact]
    public void Register_warp_and_prepare_take_folders_as_slides()
    {
        WriteSlide("he", Section(PhantomStain.He));
        WriteSlide("her2", Section(PhantomStain.Her2));
        Outcome registered = CommandLine.Run("register", At("he"), At("her2"), "-o", At("out"), "--transform", "rigid");
        Assert.Contains("her2.json", registered.All);
        Assert.Equal(0, CommandLine.Run("warp", At("out/her2.json"), At("her2"), "-o", At("warped.ome.tif"), "--accept-failed").Code);
        using (var warped = Slide.Open(At("warped.ome.tif"))) Assert.Equal((400, 300), (warped.Width, warped.Height));
        Outcome prepared = CommandLine.Run("prepare", "--source", At("he"), "--target", At("her2"), "--aligned", "--tile-size", "96",
            "--min-tissue", "0", "--min-ncc", "0", "-o", At("set"));
        Assert.True(prepared.Code == 0, prepared.All);
        Assert.NotEmpty(Directory.GetFiles(At("set/source"), "he_*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Info_of_several_series_lists_them_and_of_other_dicom_names_kind()
    {
        Image image = Section(PhantomStain.He);
        Dictionary<string, object> other = DicomFiles.Describe(At("b.dcm"), image), scan = DicomFiles.Describe(At("ct.dcm"), image);
        (other["series"], other["description"], scan["sop"]) = ("1.2.3.5", "HER2", "1.2.840.10008.5.1.4.1.1.2");
        DicomFiles.Write(DicomFiles.Describe(At("a.dcm"), image), other, scan);
        Assert.Equal(
            $"error: {folder}: holds 2 series of slides: a.dcm (H&E section), b.dcm (HER2). Name one of these files instead of the folder.",
            CommandLine.Run("info", folder).OneError());
        Assert.Contains("is DICOM, but no whole-slide image (CT)", CommandLine.Run("info", At("ct.dcm")).OneError());
        Assert.Equal(0, CommandLine.Run("info", At("b.dcm")).Code);
        Outcome tissue = CommandLine.Run("tissue", folder, "-o", At("out"));
        Assert.True(File.Exists(At("out/a.geojson")) && File.Exists(At("out/b.geojson")), tissue.All);
        Assert.Contains("(ct.dcm)", tissue.Messages);
    }

    private static Image Section(PhantomStain stain) =>
        PhantomSlide.Render(new() { Width = 400, Height = 300, Stains = [stain] }).Images[0].Image;

    // Two levels without extensions, as archives write them.
    private void WriteSlide(string name, Image image)
    {
        Directory.CreateDirectory(At(name));
        DicomFiles.Write([.. new[] { image, image.Resize(200, 150) }.Select((level, i) => DicomFiles.Describe(At($"{name}/{i}"), level))]);
    }

    private string At(string name) => Path.Combine(folder, name);
}
