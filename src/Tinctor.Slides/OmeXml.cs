using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>OME-XML in the description of an OME-TIFF: metadata of the first image.</summary>
/// <param name="SizeC">Number of channels, the samples of RGB included.</param>
/// <param name="SizeZ">Number of focal planes.</param>
/// <param name="SizeT">Number of time points.</param>
/// <param name="ChannelsFirst">Whether channels vary faster than focal planes.</param>
/// <param name="Mpp">Micrometres per pixel; null if unknown, or in a unit that is not a length.</param>
/// <param name="Objective">Nominal magnification; null if unknown.</param>
/// <param name="Channels">Names, colours, display ranges and exposures: one for each channel, or none.</param>
internal sealed record OmeXml(
    int SizeC, int SizeZ, int SizeT, bool ChannelsFirst, double? Mpp, double? Objective, IReadOnlyList<SlideChannel> Channels)
{
    private const string Schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

    // OME has no element for display ranges; a map annotation is its way to add values.
    private const string RangeNamespace = "tinctor/display-range", Lowest = "Low", Highest = "High";
    private const int Opaque = 0xFF;

    /// <summary>Whether a description claims to be OME-XML.</summary>
    public static bool IsIn(string? description) => description?.Contains("<OME", StringComparison.Ordinal) == true;

    /// <summary>Reads the description of a TIFF; null if it is not OME-XML or damaged.</summary>
    public static OmeXml? Parse(string? description)
    {
        if (description is null || !IsIn(description)) return null;
        try
        {
            using var reader = XmlReader.Create(new StringReader(description),
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            XElement root = XElement.Load(reader);
            XElement? pixels = Named(root, "Pixels").FirstOrDefault();
            if (pixels is null) return null;
            return new(Whole("SizeC"), Whole("SizeZ"), Whole("SizeT"),
                ((string?)pixels.Attribute("DimensionOrder"))?.StartsWith("XYC", StringComparison.Ordinal) ?? true,
                Micrometres(Number(pixels, "PhysicalSizeX"), (string?)pixels.Attribute("PhysicalSizeXUnit") ?? "µm"),
                Named(root, "Objective").Select(objective => Number(objective, "NominalMagnification")).FirstOrDefault(),
                ChannelsOf(root, pixels));

            int Whole(string name) => (int?)Number(pixels, name) is > 0 and int value ? value : 1;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>Matches the metadata with the pages of the file.</summary>
    public TiffMetadata Describe(IReadOnlyList<TiffPage> pages)
    {
        int[] planes = TiffMetadata.FirstPlanes(pages, SizeC, SizeZ, SizeT, ChannelsFirst);
        bool named = pages[0].Samples == 1 && Channels.Count == planes.Length;
        return new("OME-TIFF", planes)
        {
            Channels = named && !IsPlanarRgb ? Channels : [],
            PixelSize = Mpp is double mpp ? (mpp, "the OME-XML") : null,
            Objective = Objective,
            Notes = TiffMetadata.StackNotes("the OME-XML", pages, SizeC, SizeZ, SizeT),
            ListsOtherPages = false,
        };
    }

    /// <summary>Returns OME-XML for a slide to write: RGB in one plane, other channels in one plane each.</summary>
    public static string Write(SlideSpec spec)
    {
        XNamespace ome = Schema;
        XNamespace xsi = "http://www.w3.org/2001/XMLSchema-instance";
        bool rgb = spec.IsRgb;
        int planes = spec.Planes;
        var pixels = new XElement(ome + "Pixels", new XAttribute("ID", "Pixels:0"), new XAttribute("DimensionOrder", "XYCZT"),
            new XAttribute("Type", spec.SampleType == SampleType.UInt8 ? "uint8" : "uint16"), new XAttribute("SizeX", spec.Width),
            new XAttribute("SizeY", spec.Height), new XAttribute("SizeC", spec.Channels), new XAttribute("SizeZ", 1),
                new XAttribute("SizeT", 1));
        if (spec.Mpp is double mpp)
            foreach (string axis in new[] { "X", "Y" })
                pixels.Add(new XAttribute($"PhysicalSize{axis}", mpp), new XAttribute($"PhysicalSize{axis}Unit", "µm"));
        SlideChannel?[] channels = [.. Enumerable.Range(0, planes).Select(c => rgb ? null : spec.ChannelInfo.ElementAtOrDefault(c))];
        foreach ((int c, SlideChannel? channel) in channels.Index())
        {
            pixels.Add(new XElement(ome + "Channel", new XAttribute("ID", $"Channel:0:{c}"),
                channel?.Name is { Length: > 0 } name ? new XAttribute("Name", name) : null,
                new XAttribute("SamplesPerPixel", rgb ? 3 : 1),
                channel?.Colour is int colour ? new XAttribute("Color", (colour << 8) | Opaque) : null,
                channel?.Display is null ? null : new XElement(ome + "AnnotationRef", new XAttribute("ID", AnnotationOf(c)))));
        }
        for (int c = 0; c < planes; c++)
            pixels.Add(new XElement(ome + "TiffData", new XAttribute("FirstC", c), new XAttribute("IFD", c),
                new XAttribute("PlaneCount", 1)));
        foreach ((int c, SlideChannel? channel) in channels.Index())
            if (channel?.Exposure is double exposure)
                pixels.Add(new XElement(ome + "Plane", new XAttribute("TheZ", 0), new XAttribute("TheT", 0), new XAttribute("TheC", c),
                    new XAttribute("ExposureTime", exposure), new XAttribute("ExposureTimeUnit", "ms")));
        XElement[] ranges = [.. channels.Index().Where(entry => entry.Item?.Display is not null).Select(entry =>
            new XElement(ome + "MapAnnotation", new XAttribute("ID", AnnotationOf(entry.Index)),
                new XAttribute("Namespace", RangeNamespace),
                new XElement(ome + "Value", Pair(Lowest, entry.Item!.Display!.Value.Low), Pair(Highest, entry.Item.Display.Value.High))))];
        var root = new XElement(ome + "OME", new XAttribute(XNamespace.Xmlns + "xsi", xsi),
            new XAttribute(xsi + "schemaLocation", $"{Schema} {Schema}/ome.xsd"),
            new XElement(ome + "Image", new XAttribute("ID", "Image:0"), new XAttribute("Name", spec.Name), pixels),
            ranges.Length > 0 ? new XElement(ome + "StructuredAnnotations", ranges) : null);
        return $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>{root.ToString(SaveOptions.DisableFormatting)}";

        XElement Pair(string key, double value) => new(ome + "M", new XAttribute("K", key), value.ToString(CultureInfo.InvariantCulture));
    }

    // Brightfield with red, green and blue in separate pages.
    private bool IsPlanarRgb => Channels.Select(channel => channel.Name.ToLowerInvariant()).SequenceEqual(["red", "green", "blue"]);

    private static string AnnotationOf(int channel) => $"Annotation:Display:{channel}";

    // Channels without any name, colour or range carry no information.
    private static SlideChannel[] ChannelsOf(XElement root, XElement pixels)
    {
        // Of the first focal plane and time point, which come first.
        ILookup<int?, double?> exposures = Named(pixels, "Plane").ToLookup(plane => (int?)Number(plane, "TheC"),
            plane => Milliseconds(Number(plane, "ExposureTime"), (string?)plane.Attribute("ExposureTimeUnit") ?? "s"));
        SlideChannel[] channels = [.. Named(pixels, "Channel")
            .Select((channel, c) => Channel(root, channel) with { Exposure = exposures[c].FirstOrDefault() })];
        return channels.All(channel => channel == new SlideChannel("")) ? [] : channels;
    }

    private static SlideChannel Channel(XElement root, XElement element)
    {
        var channel = new SlideChannel((string?)element.Attribute("Name") ?? "");
        if (Number(element, "Color") is >= int.MinValue and <= int.MaxValue and double colour)
            channel = channel with { Colour = ((int)colour >> 8) & 0xFFFFFF };
        HashSet<string?> references = [.. Named(element, "AnnotationRef").Select(reference => (string?)reference.Attribute("ID"))];
        XElement? range = Named(root, "MapAnnotation").FirstOrDefault(map =>
            (string?)map.Attribute("Namespace") == RangeNamespace && references.Contains((string?)map.Attribute("ID")));
        return Value(Lowest) is double low && Value(Highest) is double high && low < high ? channel with { Display = (low, high) }
            : channel;

        double? Value(string key) => range is not null
            && double.TryParse(Named(range, "M").FirstOrDefault(pair => (string?)pair.Attribute("K") == key)?.Value,
                NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
    }

    // The namespace has the year of the schema, which does not matter here.
    private static IEnumerable<XElement> Named(XElement root, string name) =>
        root.Descendants().Where(element => element.Name.LocalName == name);

    private static double? Number(XElement element, string name) =>
        double.TryParse((string?)element.Attribute(name), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value
            : null;

    private static double? Milliseconds(double? time, string unit) => unit switch
    {
        "s" => time * 1000,
        "ms" => time,
        "µs" or "μs" => time / 1000,
        _ => null,
    };

    private static double? Micrometres(double? size, string unit) => unit switch
    {
        "µm" or "μm" or "um" or "micron" => size,
        "nm" => size / 1000,
        "mm" => size * 1000,
        "cm" => size * 10_000,
        _ => null,
    };
}
