using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>
/// QPTIFF of PerkinElmer and Akoya scanners (Vectra, PhenoImager): each page has an XML description with the type of the page and, for
/// fluorescence, the name, colour and exposure of its channel. Brightfield has one RGB page for each level.
/// </summary>
internal static class Qptiff
{
    private const string Root = "PerkinElmer-QPI-ImageDescription";
    private const string FullResolution = "FullResolution", ReducedResolution = "ReducedResolution";

    /// <summary>Reads the descriptions of all pages; null if the first page has none of this format.</summary>
    public static TiffMetadata? Describe(IReadOnlyList<TiffPage> pages)
    {
        if (Parse(pages[0].Description) is not XElement first) return null;
        XElement?[] descriptions = [.. pages.Select(page => Parse(page.Description))];
        string? TypeOf(int page) => descriptions[page]?.Element("ImageType")?.Value.Trim();
        int[] channels = [.. TiffMetadata.AlikePages(pages).TakeWhile(page => page == 0 || TypeOf(page) is FullResolution or null)];
        return new("QPTIFF", channels)
        {
            Channels = pages[0].Samples > 1 ? [] : [.. channels.Select(page => ChannelOf(descriptions[page]))],
            Objective = Number(first.Descendants("Objective").FirstOrDefault()?.Value.Trim().TrimEnd('x', 'X')),
            Associated = Enumerable.Range(0, pages.Count)
                .Where(page => TypeOf(page) is not (null or "" or FullResolution or ReducedResolution))
                .DistinctBy(TypeOf).ToDictionary(page => page, page => TypeOf(page)!.ToLowerInvariant()),
        };
    }

    private static XElement? Parse(string? description)
    {
        if (description is null || !description.Contains(Root, StringComparison.Ordinal)) return null;
        try
        {
            // The declaration names another encoding than the file has; a text reader ignores it.
            using var reader = XmlReader.Create(new StringReader(description.Trim()),
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            return XElement.Load(reader) is { Name.LocalName: Root } root ? root : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static SlideChannel ChannelOf(XElement? description)
    {
        string name = new[] { "Name", "Biomarker" }.Select(element => description?.Element(element)?.Value.Trim())
            .FirstOrDefault(text => !string.IsNullOrEmpty(text)) ?? "";
        // Exposure times are in microseconds.
        var channel = new SlideChannel(name) { Exposure = Number(description?.Element("ExposureTime")?.Value.Trim()) / 1000 };
        byte[] rgb = [.. (description?.Element("Color")?.Value ?? "").Split(',')
            .Select(part => byte.TryParse(part, NumberStyles.Integer, CultureInfo.InvariantCulture, out byte value) ? value : (byte?)null)
            .OfType<byte>()];
        return rgb is [byte red, byte green, byte blue] ? channel with { Colour = (red << 16) | (green << 8) | blue } : channel;
    }

    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 ? value : null;
}
