using System.Text;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>TIFF files whose pages are channels: QPTIFF, ImageJ hyperstacks, and stacks without usable metadata.</summary>
public sealed class TiffChannelTests : InTemporaryFolder
{
    [Fact]
    public void Open_qptiff_reads_channels_and_named_images()
    {
        string[] colours = ["0,0,255", "0,255,0", "255,255,0"], names = ["DAPI", "FITC", "CY3"];
        Image[] channels = [.. Enumerable.Range(0, 3).Select(c => TestImages.Make(40, 30, 1, SampleType.UInt8, c))];
        Image[] half = [.. Enumerable.Range(0, 3).Select(c => TestImages.Make(20, 15, 1, SampleType.UInt8, c + 9))];
        List<RawPage> pages = [.. Enumerable.Range(0, 3).Select(c => Page(channels[c], Qpi("FullResolution", names[c], colours[c])))];
        pages.Add(Page(new Image(10, 9, 3), Qpi("Thumbnail")));
        pages.AddRange(Enumerable.Range(0, 3).Select(c => Page(half[c], Qpi("ReducedResolution", names[c], colours[c]))));
        pages.Add(Page(new Image(7, 8, 3), Qpi("Overview")));
        pages.Add(Page(new Image(6, 5, 3), Qpi("Label")));
        RawTiff.Write(At("a.qptiff"), pages);
        using var slide = Slide.Open(At("a.qptiff"));
        Assert.Equal(("QPTIFF", 3, Modality.Fluorescence, false, 20.0),
            (slide.Format, slide.Channels, slide.Modality, slide.IsRgb, slide.Objective));
        SlideChannel[] expected = [new("DAPI") { Colour = 0x0000FF, Exposure = 12.5 }, new("FITC") { Colour = 0x00FF00, Exposure = 12.5 },
            new("CY3") { Colour = 0xFFFF00, Exposure = 12.5 }];
        Assert.Equal(expected, slide.ChannelInfo);
        Assert.Equal([(40, 30), (20, 15)], slide.Levels.Select(level => (level.Width, level.Height)));
        Assert.Equal(["label", "overview", "thumbnail"], slide.AssociatedNames.Order());
        Assert.Equal((6, 5), (slide.ReadAssociated("label").Width, slide.ReadAssociated("label").Height));
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(channels[c].Data, slide.Read(0, 0, 0, 40, 30).Plane(c));
            Assert.Equal(half[c].Data, slide.Read(1, 0, 0, 20, 15).Plane(c));
        }
        Assert.Empty(slide.Notes);
        // Whole images see the same channels.
        Assert.Equal(slide.Read(0, 0, 0, 40, 30).Data, Image.Read(At("a.qptiff")).Data);
        Assert.Equal(3, Image.ReadInfo(At("a.qptiff")).Channels);
    }

    [Fact]
    public void Open_qptiff_of_another_writer_names_its_channels()
    {
        using var slide = Slide.Open(RepositoryFiles.TestData("three-channels.qptiff"));
        Assert.Equal(["DAPI", "FITC", "CY3"], slide.ChannelInfo.Select(channel => channel.Name));
        Assert.Equal([0x0000FF, 0x00FF00, 0xFFFF00], slide.ChannelInfo.Select(channel => channel.Colour!.Value));
        Assert.Equal(["label", "overview", "thumbnail"], slide.AssociatedNames.Order());
        Assert.Equal((Modality.Fluorescence, true), (slide.Modality, SlideFormats.IsSlide(slide.Path)));
    }

    [Fact]
    public void Open_brightfield_qptiff_reads_rgb_pyramid()
    {
        Image full = TestImages.Make(40, 30, 3, SampleType.UInt8), half = TestImages.Make(20, 15, 3, SampleType.UInt8);
        RawTiff.Write(At("a.qptiff"), [Page(full, Qpi("FullResolution")), Page(new Image(9, 9, 3), Qpi("Thumbnail")),
            Page(half, Qpi("ReducedResolution")), Page(new Image(7, 8, 3), Qpi("Overview"))]);
        using var slide = Slide.Open(At("a.qptiff"));
        Assert.Equal((Modality.Brightfield, true, 2), (slide.Modality, slide.IsRgb, slide.Levels.Count));
        Assert.Empty(slide.ChannelInfo);
        Assert.Equal(["overview", "thumbnail"], slide.AssociatedNames.Order());
        Assert.Equal(full.Data, slide.Read(0, 0, 0, 40, 30).Data);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void Open_imagej_hyperstack_reads_channels_of_first_plane(bool littleEndian)
    {
        Image[] planes = [.. Enumerable.Range(0, 6).Select(i => TestImages.Make(20, 10, 1, SampleType.UInt8, i))];
        string description = "ImageJ=1.53t\nimages=6\nchannels=3\nslices=2\nhyperstack=true\nmode=composite\nunit=micron\n";
        List<RawPage> pages = [.. planes.Select(plane => Page(plane, "") with { Resolution = 4 })];
        (byte[] data, int[] counts) = ImageJBlocks(littleEndian);
        pages[0] = pages[0] with { Description = description, ImageJ = data, ImageJCounts = counts };
        RawTiff.Write(At("stack.tif"), pages, littleEndian);
        using var slide = Slide.Open(At("stack.tif"));
        Assert.Equal(("ImageJ TIFF", 3, Modality.Fluorescence), (slide.Format, slide.Channels, slide.Modality));
        Assert.Equal((0.25, "ImageJ's unit"), (slide.Mpp, slide.MppOrigin));
        SlideChannel[] expected = [new("nuclei") { Colour = 0x0A141E, Display = (5, 99.5) },
            new("Cy5") { Colour = 0x28323C, Display = (1, 200) },
            new("") { Colour = 0x0000FF }];
        Assert.Equal(expected, slide.ChannelInfo);
        for (int c = 0; c < 3; c++) Assert.Equal(planes[c].Data, slide.Read(0, 0, 0, 20, 10).Plane(c));
        Assert.Equal(["only the first of 2 focal planes and 1 time points is read"], slide.Notes);
        Assert.Empty(slide.AssociatedNames);
    }

    [Theory]
    [InlineData("<OME><Image", "is damaged"), InlineData("<OME><Image><Pixels SizeC=\"7\"/></Image></OME>", "names 7 planes"),
        InlineData("<OME><Image><Pixels SizeC=\"2\"/></Image></OME>", "names 2 planes"), InlineData("", null)]
    public void Open_pages_without_usable_metadata_reads_separate_channels(string description, string? note)
    {
        Image[] planes = [.. Enumerable.Range(0, 3).Select(i => TestImages.Make(20, 10, 1, SampleType.UInt8, i))];
        foreach (Image plane in planes) for (int i = 0; i < plane.Data.Length; i++) plane.Data[i] /= 8;
        RawTiff.Write(At("a.ome.tif"), [.. planes.Select((plane, i) => Page(plane, i == 0 ? description : ""))]);
        using var slide = Slide.Open(At("a.ome.tif"));
        Assert.Equal((3, Modality.Fluorescence, false, 3), (slide.Channels, slide.Modality, slide.IsRgb, slide.ChannelInfo.Count));
        for (int c = 0; c < 3; c++) Assert.Equal(planes[c].Data, slide.Read(0, 0, 0, 20, 10).Plane(c));
        if (note is null) Assert.Empty(slide.Notes);
        else Assert.Contains(note, Assert.Single(slide.Notes));
    }

    [Fact]
    public void Open_three_bright_pages_without_names_reads_rgb()
    {
        Image[] planes = [.. Enumerable.Range(0, 3).Select(_ => new Image(20, 10, 1))];
        foreach (Image plane in planes) plane.Fill([230]);
        RawTiff.Write(At("planar.tif"), [.. planes.Select(plane => Page(plane, ""))]);
        using var slide = Slide.Open(At("planar.tif"));
        Assert.Equal((Modality.Brightfield, true, 0), (slide.Modality, slide.IsRgb, slide.ChannelInfo.Count));
        Assert.All(slide.Read(0, -5, 0, 3, 3).Data, sample => Assert.Equal(255, sample));
    }

    [Fact]
    public void Write_three_named_channels_keeps_names_colours_and_samples()
    {
        using var source = Slide.Open(RepositoryFiles.TestData("three-channels.qptiff"));
        Image image = source.Read(0, 0, 0, source.Width, source.Height);
        var spec = new SlideSpec(source.Width, source.Height, 3) { JpegQuality = null, ChannelInfo = source.ChannelInfo, Tile = 64 };
        SlideWriter.Write(At("copy.ome.tif"), spec, image);
        using var copy = Slide.Open(At("copy.ome.tif"));
        Assert.Equal(source.ChannelInfo, copy.ChannelInfo);
        Assert.Equal(Modality.Fluorescence, copy.Modality);
        Assert.Equal(image.Data, copy.Read(0, 0, 0, copy.Width, copy.Height).Data);
    }

    [Fact]
    public void ToDisplay_adds_channels_in_their_colours()
    {
        var image = new Image(2, 1, 2, data: [200, 0, 100, 50]);
        SlideChannel[] channels = [new("DAPI") { Display = (0, 200) }, new("other") { Colour = 0xFFFF00, Display = (0, 100) }];
        Assert.Equal([0, 0, 255, 128, 128, 128], image.ToDisplay(channels).Data.Select(value => (int)value));
    }

    private static RawPage Page(Image image, string description) =>
        new(image.Width, image.Height, image.Channels, image.Data) { Description = description };

    private static string Qpi(string type, string? name = null, string? colour = null) => $"""
        <?xml version="1.0" encoding="utf-16"?>
        <PerkinElmer-QPI-ImageDescription>
          <DescriptionVersion>2</DescriptionVersion>
          <ImageType>{type}</ImageType>
          {(name is null ? "" : $"<Name>{name}</Name><Color>{colour}</Color><ExposureTime>12500</ExposureTime>")}
          <Objective>20x</Objective>
        </PerkinElmer-QPI-ImageDescription>
        """;

    // Two labels, two ranges and two lookup tables: the third channel has the colour of ImageJ's composites.
    private static (byte[] Data, int[] Counts) ImageJBlocks(bool little)
    {
        byte[] Text(string text) => (little ? Encoding.Unicode : Encoding.BigEndianUnicode).GetBytes(text);
        byte[] Whole(int value) => little ? BitConverter.GetBytes(value) : [.. BitConverter.GetBytes(value).Reverse()];
        byte[] Real(double value) => little ? BitConverter.GetBytes(value) : [.. BitConverter.GetBytes(value).Reverse()];
        byte[] Lut(byte red) => [.. Enumerable.Range(0, 768).Select(i => i % 256 == 255 ? (byte)(red + (10 * (i / 256))) : (byte)0)];
        byte[][] blocks =
        [
            [.. Whole(0x494A494A), .. Whole(0x6C61626C), .. Whole(2), .. Whole(0x72616E67), .. Whole(1), .. Whole(0x6C757473), .. Whole(2)],
            Text("nuclei"), Text("Cy5"), [.. Real(5), .. Real(99.5), .. Real(1), .. Real(200)], Lut(10), Lut(40),
        ];
        return ([.. blocks.SelectMany(block => block)], [.. blocks.Select(block => block.Length)]);
    }
}
