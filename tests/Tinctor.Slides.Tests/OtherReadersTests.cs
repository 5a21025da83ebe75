using System.Diagnostics;
using System.Security.Cryptography;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Tinctor.Slides.Native;

namespace Tinctor.Slides.Tests;

/// <summary>
/// What is written is opened by other programs: OpenSlide, libtiff's tiffinfo, tifffile; and OME-XML keeps the rules of its schema.
/// </summary>
public sealed class OtherReadersTests : InTemporaryFolder
{
    private static readonly XNamespace Ome = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

    public static TheoryData<string, int, SampleType, int?> Slides => new()
    {
        { "rgb.ome.tif", 3, SampleType.UInt8, null }, { "jpeg.ome.tif", 3, SampleType.UInt8, 90 },
            { "grey.ome.tif", 1, SampleType.UInt16, null },
        { "four.ome.tif", 4, SampleType.UInt16, null }, { "two.ome.tif", 2, SampleType.UInt8, 90 },
            { "plain.tif", 3, SampleType.UInt8, null },
        { "plainjpeg.tif", 3, SampleType.UInt8, 90 }, { "plain16.tif", 3, SampleType.UInt16, null },
    };

    [Theory]
    [MemberData(nameof(Slides))]
    public void Tiffinfo_accepts_written_slides(string name, int channels, SampleType type, int? quality)
    {
        Write(name, channels, type, quality);
        (string told, string faults) = Run("libtiff-tools", "tiffinfo", "-D", At(name));
        Assert.Equal("", faults);
        Assert.Contains("Tile Width: 64 Tile Length: 64", told);
        Assert.Contains("Resolution: 40000, 40000 pixels/cm", told);
        int pages = channels is 1 or 3 ? 1 : channels;
        bool isOme = name.EndsWith(".ome.tif");
        const int levels = 4; // 301, 150, 75, 37
        Assert.Equal(levels * pages, told.Split("TIFF Directory at").Length - 1);
        Assert.Equal(isOme ? pages : 0, told.Split("SubIFD Offsets:").Length - 1);
    }

    [Theory]
    [MemberData(nameof(Slides))]
    public void Tifffile_reads_every_level(string name, int channels, SampleType type, int? quality)
    {
        Write(name, channels, type, quality);
        // Prints, for each level, its shape, and of lossless ones a hash of the samples.
        const string script = """
            import sys, hashlib, tifffile
            with tifffile.TiffFile(sys.argv[1]) as tif:
                series = tif.series[0]
                print(tif.is_bigtiff, tif.is_ome, series.axes, len(tif.series))
                for level in series.levels:
                    lossless = level.keyframe.compression != 7
                    print(level.shape, level.dtype, hashlib.sha256(level.asarray().tobytes()).hexdigest() if lossless else '')
            """;
        (string told, _) = Run("python3-tifffile", "/usr/bin/python3", "-c", script, At(name));
        string[] lines = told.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string axes = channels == 3 ? "YXS" : channels == 1 ? "YX" : "CYX";
        Assert.Equal($"True {name.EndsWith(".ome.tif")} {axes} 1", lines[0]);
        using var slide = Slide.Open(At(name));
        Assert.Equal(slide.Levels.Count, lines.Length - 1);
        foreach ((int level, string line) in lines.Skip(1).Index())
        {
            SlideLevel size = slide.Levels[level];
            Image image = slide.Read(level, 0, 0, size.Width, size.Height);
            string shape = channels == 3 ? $"({size.Height}, {size.Width}, 3)" : channels == 1 ? $"({size.Height}, {size.Width})"
                : $"({channels}, {size.Height}, {size.Width})";
            byte[] samples = channels is 1 or 3 ? image.Data : [.. Enumerable.Range(0, channels).SelectMany(image.Plane)];
            string hash = quality is null ? Convert.ToHexStringLower(SHA256.HashData(samples)) : "";
            Assert.Equal($"{shape} {type.ToString().ToLowerInvariant()} {hash}", line);
        }
    }

    [Theory]
    [InlineData("rgb.ome.tif", 1), InlineData("plain.tif", 4)]
    public unsafe void OpenSlide_reads_same_pixels(string name, int levels)
    {
        Image image = Write(name, 3, SampleType.UInt8, null);
        nint slide = OpenSlideNative.openslide_open(At(name));
        Assert.NotEqual(0, slide);
        try
        {
            Assert.Equal(0, OpenSlideNative.openslide_get_error(slide));
            Assert.Equal(levels, OpenSlideNative.openslide_get_level_count(slide));
            var argb = new uint[image.Width * image.Height];
            fixed (uint* target = argb) OpenSlideNative.openslide_read_region(slide, target, 0, 0, 0, image.Width, image.Height);
            Assert.Equal(0, OpenSlideNative.openslide_get_error(slide));
            Assert.Equal(image.Data, argb.SelectMany(pixel => new[] { (byte)(pixel >> 16), (byte)(pixel >> 8), (byte)pixel }));
        }
        finally
        {
            OpenSlideNative.openslide_close(slide);
        }
    }

    [Theory]
    [MemberData(nameof(Slides))]
    public void Libvips_reads_same_pixels_from_each_page(string name, int channels, SampleType type, int? quality)
    {
        Image image = Write(name, channels, type, quality), read = Image.Read(At(name));
        Assert.Equal((image.Width, image.Height, channels, type), (read.Width, read.Height, read.Channels, read.SampleType));
        if (quality is null) Assert.Equal(image.Data, read.Data);
        else Assert.InRange(image.Data.Zip(read.Data, (a, b) => Math.Abs(a - b)).Average(), 0, 3);
    }

    [Theory]
    [MemberData(nameof(Slides))]
    public void Ome_xml_is_valid_by_schema(string name, int channels, SampleType type, int? quality)
    {
        if (!name.EndsWith(".ome.tif")) return;
        Write(name, channels, type, quality);
        string text;
        using (var slide = Slide.Open(At(name))) text = slide.Properties["tiff.ImageDescription"];
        XDocument xml = Validated(text);
        XElement pixels = xml.Descendants(Ome + "Pixels").Single();
        int Number(XElement element, string attribute) => (int)element.Attribute(attribute)!;
        Assert.Equal((301, 203, channels), (Number(pixels, "SizeX"), Number(pixels, "SizeY"), Number(pixels, "SizeC")));
        // What no schema says: samples add up to SizeC, each plane is told of once, all that is referred to is there.
        XElement[] parts = [.. pixels.Elements(Ome + "Channel")], planes = [.. pixels.Elements(Ome + "TiffData")];
        Assert.Equal(channels, parts.Sum(channel => Number(channel, "SamplesPerPixel")));
        Assert.Equal(Enumerable.Range(0, parts.Length), planes.Select(plane => Number(plane, "IFD")));
        Assert.Equal(Enumerable.Range(0, parts.Length), planes.Select(plane => Number(plane, "FirstC")));
        Assert.All(planes, plane => Assert.Equal(1, Number(plane, "PlaneCount")));
        string?[] identifiers = [.. xml.Descendants().Where(element => element.Name != Ome + "AnnotationRef")
            .Select(element => (string?)element.Attribute("ID")).OfType<string>()];
        Assert.Equal(identifiers.Distinct(), identifiers);
        Assert.All(xml.Descendants(Ome + "AnnotationRef"), reference => Assert.Contains((string?)reference.Attribute("ID"), identifiers));
        Assert.Equal("0.25 µm", $"{(string?)pixels.Attribute("PhysicalSizeX")} {(string?)pixels.Attribute("PhysicalSizeXUnit")}");
    }

    // The rules themselves are alive.
    [Fact]
    public void Broken_ome_xml_is_invalid_by_schema()
    {
        Write("four.ome.tif", 4, SampleType.UInt16, null);
        string text;
        using (var slide = Slide.Open(At("four.ome.tif"))) text = slide.Properties["tiff.ImageDescription"];
        foreach ((string right, string wrong) in new[]
        {
            ("\"XYCZT\"", "\"XYC\""), ("\"Channel:0:1\"", "\"1\""), (" SizeT=\"1\"", ""), ("\"µm\"", "\"micron\""),
                ("\"uint16\"", "\"UInt16\""),
            ("\"Annotation:", "\"Display:"),
        })
        {
            Assert.Contains(right, text);
            Assert.Throws<XmlSchemaValidationException>(() => Validated(text.Replace(right, wrong)));
        }
    }

    private static XDocument Validated(string text)
    {
        var schemas = new XmlSchemaSet();
        schemas.Add(null, XmlReader.Create(typeof(OtherReadersTests).Assembly.GetManifestResourceStream("OmeSubset.xsd")!));
        XDocument xml = XDocument.Parse(text);
        xml.Validate(schemas, null);
        Assert.Equal(Ome + "OME", xml.Root!.Name);
        return xml;
    }

    private Image Write(string name, int channels, SampleType type, int? quality)
    {
        Image image = quality is null ? TestImages.Make(301, 203, channels, type) : TestImages.Smooth(301, 203, channels);
        SlideChannel[] info = channels == 4
            ? [new("DAPI"), new("FITC"), new("µ & <red>"), new("") { Display = (3, 999.5), Exposure = 5 }] : [];
        SlideWriter.Write(At(name), new SlideSpec(301, 203, channels, type)
        {
            Mpp = 0.25,
            Tile = 64,
            JpegQuality = quality,
            Name = "a \"b\" & c",
            ChannelInfo = info
        }, image);
        return image;
    }

    private static (string Told, string Faults) Run(string package, string program, params string[] arguments)
    {
        bool there = program.StartsWith('/') ? Path.Exists("/usr/lib/python3/dist-packages/tifffile")
            : Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
        Assert.SkipUnless(there, $"needs the package {package}: apt-get install {package}");
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        })!;
        Task<string> faults = process.StandardError.ReadToEndAsync();
        string told = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, faults.Result);
        return (told, faults.Result);
    }
}
