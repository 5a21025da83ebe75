using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>The list of formats: what is read, what is refused by name, and what a folder holds.</summary>
public sealed class SlideFormatsTests : InTemporaryFolder
{
    [Fact]
    public void RefuseWithoutLibrary_slide_of_scanner_names_package()
    {
        string[] slides = [RepositoryFiles.Sample("slides/cmu-1-small-region.svs"), At("scanner.tif"), At("slide.mrxs")];
        File.Copy(slides[0], slides[1]);
        File.WriteAllText(slides[2], "");
        foreach (string path in slides)
        {
            var error = Assert.Throws<TinctorException>(() => OpenSlideFile.RefuseWithoutLibrary(path));
            Assert.Equal(path, error.File);
            Assert.Contains("need OpenSlide, which was not found. Install it: apt-get install -y libopenslide0", error.Message);
        }
        TestImages.Make(9, 7, 3, SampleType.UInt8).Write(At("plain.tif"));
        OpenSlideFile.RefuseWithoutLibrary(At("plain.tif"));
    }

    [Theory]
    [InlineData("a.svs", "Aperio SVS"), InlineData("A.QPTIFF", "Akoya QPTIFF"), InlineData("a.ome.tif", "OME-TIFF"),
        InlineData("a.tif", "TIFF"),
        InlineData("folder.svs/a.JPEG", "JPEG"), InlineData("a.dcm", "DICOM"), InlineData("a.txt", null), InlineData("svs", null)]
    public void FromExtension_finds_longest_extension(string path, string? name) =>
        Assert.Equal(name, SlideFormats.FromExtension(path)?.Name);

    [Fact]
    public void All_have_distinct_names_and_lower_case_extensions()
    {
        string[] extensions = [.. SlideFormats.All.SelectMany(format => format.Extensions)];
        Assert.Equal(extensions.Length, extensions.Distinct().Count());
        Assert.All(extensions, extension => Assert.Matches("^[.][a-z0-9.]+$", extension));
        Assert.Equal(SlideFormats.All.Count, SlideFormats.All.DistinctBy(format => format.Name).Count());
    }

    [Theory]
    [InlineData("a.pdf", "PDF", "pdftoppm"), InlineData("a.tif", "PDF", "pdftoppm"),
        InlineData("a.czi", "Zeiss CZI", "bfconvert"), InlineData("a.vsi", "Olympus VSI", "bfconvert"),
            InlineData("a.isyntax", "Philips iSyntax", "raw2ometiff"),
        InlineData("a.webp", "WebP", "magick")]
    public void Open_unsupported_format_names_format_and_converter(string name, string format, string converter)
    {
        byte[] content = new byte[200];
        ReadOnlySpan<byte> start = format switch { "PDF" => "%PDF-1.7"u8, "Olympus VSI" => "II*\0"u8, _ => "????"u8 };
        start.CopyTo(content);
        File.WriteAllBytes(At(name), content);
        foreach (Func<object> open in new Func<object>[] { () => Slide.Open(At(name)), () => Image.Read(At(name)), () =>
            Image.ReadInfo(At(name)) })
        {
            var error = Assert.Throws<TinctorException>(open);
            Assert.Equal(At(name), error.File);
            Assert.StartsWith($"{At(name)}: is {format}, which is not supported; supported are Aperio SVS, ", error.Message);
            Assert.Contains(converter, error.Remedy);
        }
    }

    [Fact]
    public void Open_zarr_folder_names_format()
    {
        Directory.CreateDirectory(At("a.zarr"));
        Assert.Contains("is OME-Zarr", Assert.Throws<TinctorException>(() => Slide.Open(At("a.zarr"))).Message);
    }

    [Fact]
    public void List_returns_readable_files_and_reasons_for_others()
    {
        Directory.CreateDirectory(At("sub"));
        Image image = TestImages.Make(8, 8, 3, SampleType.UInt8);
        foreach (string name in new[] { "b.png", "sub/c.tif", ".hidden.png" }) image.Write(At(name));
        File.Copy(At("b.png"), At("no-extension"));
        File.Copy(At("b.png"), At("wrong.bmp"));
        File.WriteAllBytes(At("d.qptiff"), [1]);
        File.WriteAllBytes(At("a.dcm"), [1]);
        File.WriteAllBytes(At("sub/e.pdf"), "%PDF-1.7"u8);
        File.WriteAllBytes(At("f.xyz"), [1]);
        File.WriteAllText(At("notes.csv"), "a,b");
        SlideFolder found = SlideFormats.List(Folder);
        Assert.Equal([At("b.png"), At("d.qptiff"), At("no-extension"), At("sub/c.tif"), At("wrong.bmp")], found.Files);
        Assert.Equal([new(At("a.dcm"), "is no whole-slide image in DICOM"), new(At("f.xyz"), "its format is not known"),
            new(At("sub/e.pdf"), "PDF is not supported")],
            found.Skipped);
        // Named alone, the files that are listed are not refused for their format, and the others are.
        Assert.All(found.Files.Where(path => !path.EndsWith(".qptiff")), path => Slide.Open(path).Dispose());
        Assert.All(found.Skipped, file => Assert.Throws<TinctorException>(() => Slide.Open(file.Path)));
        Assert.Throws<TinctorException>(() => SlideFormats.List(At("nowhere")));
    }

    [Fact]
    public void IsSlide_is_true_for_pyramids_channels_and_scanners()
    {
        TestImages.Make(600, 40, 3, SampleType.UInt8).Write(At("plain.tif"));
        SlideWriter.Write(At("pyramid.tif"), new SlideSpec(600, 400), TestImages.Smooth(600, 400, 3));
        File.WriteAllText(At("text.tif"), "none");
        Assert.False(SlideFormats.IsSlide(At("plain.tif")));
        Assert.True(SlideFormats.IsSlide(At("pyramid.tif")));
        Assert.False(SlideFormats.IsSlide(At("text.tif")));
        Assert.True(SlideFormats.IsSlide("anything.svs"));
    }
}
