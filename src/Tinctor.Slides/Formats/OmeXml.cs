using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Tinctor.Slides.Formats;

/// <summary>What an OME-TIFF's description says of its first image; and how one is written.</summary>
/// <param name="SizeC">Channels, samples of a pixel counted.</param>
/// <param name="SizeZ">Focal planes.</param>
/// <param name="SizeT">Times.</param>
/// <param name="ChannelsFirst">Whether planes of other channels stand before those of other depths.</param>
/// <param name="Mpp">Micrometres per pixel, if told in a unit of length that is known.</param>
/// <param name="Objective">Nominal magnification, if told.</param>
/// <param name="ChannelNames">Names of channels that have one.</param>
internal sealed record OmeXml(
    int SizeC, int SizeZ, int SizeT, bool ChannelsFirst, double? Mpp, double? Objective, IReadOnlyList<string> ChannelNames)
{
    private const string Schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

    /// <summary>Reads a TIFF's description; null if it is no OME-XML.</summary>
    public static OmeXml? Parse(string? description)
    {
        if (description is null || !description.Contains("<OME", StringComparison.Ordinal)) return null;
        try
        {
            using var reader = XmlReader.Create(new StringReader(description), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            XElement root = XElement.Load(reader);
            XElement? pixels = Named(root, "Pixels").FirstOrDefault();
            if (pixels is null) return null;
            return new(Whole("SizeC"), Whole("SizeZ"), Whole("SizeT"),
                ((string?)pixels.Attribute("DimensionOrder"))?.StartsWith("XYC", StringComparison.Ordinal) ?? true,
                Micrometres(Number(pixels, "PhysicalSizeX"), (string?)pixels.Attribute("PhysicalSizeXUnit") ?? "µm"),
                Named(root, "Objective").Select(objective => Number(objective, "NominalMagnification")).FirstOrDefault(),
                [.. Named(pixels, "Channel").Select(channel => (string?)channel.Attribute("Name")).OfType<string>()]);

            int Whole(string name) => (int?)Number(pixels, name) is > 0 and int value ? value : 1;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>The description of a slide that is written: RGB in one plane, or a plane for each channel.</summary>
    public static string Write(SlideSpec spec)
    {
        XNamespace ome = Schema;
        XNamespace xsi = "http://www.w3.org/2001/XMLSchema-instance";
        bool rgb = spec.Channels == 3;
        int planes = rgb ? 1 : spec.Channels;
        var pixels = new XElement(ome + "Pixels", new XAttribute("ID", "Pixels:0"), new XAttribute("DimensionOrder", "XYCZT"),
            new XAttribute("Type", spec.SampleType == SampleType.UInt8 ? "uint8" : "uint16"), new XAttribute("SizeX", spec.Width),
            new XAttribute("SizeY", spec.Height), new XAttribute("SizeC", spec.Channels), new XAttribute("SizeZ", 1), new XAttribute("SizeT", 1));
        if (spec.Mpp is double mpp)
            foreach (string axis in new[] { "X", "Y" })
                pixels.Add(new XAttribute($"PhysicalSize{axis}", mpp), new XAttribute($"PhysicalSize{axis}Unit", "µm"));
        for (int c = 0; c < planes; c++)
        {
            pixels.Add(new XElement(ome + "Channel", new XAttribute("ID", $"Channel:0:{c}"), new XAttribute("SamplesPerPixel", rgb ? 3 : 1),
                c < spec.ChannelNames.Count ? new XAttribute("Name", spec.ChannelNames[c]) : null));
        }
        for (int c = 0; c < planes; c++)
        {
            pixels.Add(new XElement(ome + "TiffData", new XAttribute("FirstC", c), new XAttribute("IFD", c), new XAttribute("PlaneCount", 1)));
        }
        var root = new XElement(ome + "OME", new XAttribute(XNamespace.Xmlns + "xsi", xsi),
            new XAttribute(xsi + "schemaLocation", $"{Schema} {Schema}/ome.xsd"),
            new XElement(ome + "Image", new XAttribute("ID", "Image:0"), new XAttribute("Name", spec.Name), pixels));
        return $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>{root.ToString(SaveOptions.DisableFormatting)}";
    }

    // Whatever the schema's year, which is in the namespace.
    private static IEnumerable<XElement> Named(XElement root, string name) =>
        root.Descendants().Where(element => element.Name.LocalName == name);

    private static double? Number(XElement element, string name) =>
        double.TryParse((string?)element.Attribute(name), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    private static double? Micrometres(double? size, string unit) => unit switch
    {
        "µm" or "μm" or "um" or "micron" => size,
        "nm" => size / 1000,
        "mm" => size * 1000,
        "cm" => size * 10_000,
        _ => null,
    };
}
