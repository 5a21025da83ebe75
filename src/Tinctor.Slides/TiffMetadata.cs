using Tinctor.Slides.Tiff;

namespace Tinctor.Slides;

/// <summary>Meaning of the pages of a TIFF file, according to its descriptions.</summary>
/// <param name="Format">Name of the format.</param>
/// <param name="ChannelPages">Page of each channel at full resolution.</param>
internal sealed record TiffMetadata(string Format, IReadOnlyList<int> ChannelPages)
{
    /// <summary>Names, colours and display ranges; one for each page of <see cref="ChannelPages"/>, or none.</summary>
    public IReadOnlyList<SlideChannel> Channels { get; init; } = [];

    /// <summary>Micrometres per pixel and where they are written; null if the descriptions give none.</summary>
    public (double Mpp, string Origin)? PixelSize { get; init; }

    /// <summary>Magnification of the objective; null if unknown.</summary>
    public double? Objective { get; init; }

    /// <summary>Notes on content that is not read.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Names of pages that are associated images.</summary>
    public IReadOnlyDictionary<int, string> Associated { get; init; } = new Dictionary<int, string>();

    /// <summary>Whether pages that are neither channel, level nor named are associated images.</summary>
    public bool ListsOtherPages { get; init; } = true;

    /// <summary>Reads the descriptions of OME-TIFF, QPTIFF and ImageJ; pages of other files are channels if they are alike.</summary>
    /// <param name="pages">All pages, at least one.</param>
    /// <param name="littleEndian">Byte order of the file.</param>
    public static TiffMetadata Read(IReadOnlyList<TiffPage> pages, bool littleEndian) =>
        OmeXml.Parse(pages[0].Description)?.Describe(pages)
        ?? Qptiff.Describe(pages)
        ?? ImageJTiff.Describe(pages, littleEndian)
        ?? new("TIFF", AlikePages(pages))
        {
            Notes = OmeXml.IsIn(pages[0].Description) ? [$"the OME-XML is damaged; {ChannelsOf(AlikePages(pages).Length)}"] : [],
        };

    /// <summary>First pages that have one sample and the same size and bits; the first page alone if it has several samples.</summary>
    public static int[] AlikePages(IReadOnlyList<TiffPage> pages) =>
        [.. Enumerable.Range(0, pages[0].Samples > 1 ? 1 : pages.TakeWhile(page => page.IsLike(pages[0])).Count())];

    /// <summary>Pages of the planes at depth and time 0 of a stack; all pages if their number contradicts the metadata.</summary>
    /// <param name="pages">All pages.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="depths">Number of focal planes.</param>
    /// <param name="times">Number of time points.</param>
    /// <param name="channelsFirst">Whether channels vary faster than depths and times.</param>
    public static int[] FirstPlanes(IReadOnlyList<TiffPage> pages, int channels, int depths, int times, bool channelsFirst = true)
    {
        int[] alike = AlikePages(pages);
        if (alike.Length != (long)channels * depths * times) return alike;
        int stride = channelsFirst ? 1 : alike.Length / channels;
        return [.. Enumerable.Range(0, channels).Select(channel => channel * stride)];
    }

    /// <summary>Notes on planes of a stack that are not read.</summary>
    public static IReadOnlyList<string> StackNotes(string source, IReadOnlyList<TiffPage> pages, int channels, int depths, int times)
    {
        long named = (long)depths * times * (pages[0].Samples > 1 ? 1 : channels);
        int alike = AlikePages(pages).Length;
        if (named > pages.Count)
            return [$"{source} names {named} planes, the file holds {pages.Count}; planes in other files are not read"];
        if (pages[0].Samples == 1 && named != alike) return [$"{source} names {named} planes, the file holds {alike}; {ChannelsOf(alike)}"];
        return (long)depths * times > 1 ? [$"only the first of {depths} focal planes and {times} time points is read"] : [];
    }

    private static string ChannelsOf(int pages) =>
        pages == 1 ? "the page is read as one channel" : $"the {pages} pages are read as channels";
}
