using System.Globalization;

namespace Tinctor.Slides;

/// <summary>
/// Open slide file of one format: its metadata, and the pixels inside of its levels. Safe for use by several threads. Its exceptions do not
/// name the file.
/// </summary>
internal abstract class SlideFile : IDisposable
{
    // Wider than the range of any objective: values outside are mistakes of the writer.
    private const double SmallestMpp = 0.02, LargestMpp = 20;
    private const int OverviewSide = 1024;

    private readonly Lazy<bool> isDark;
    private readonly Lazy<ushort[]> background;

    /// <summary>Creates a file whose overview is read on demand.</summary>
    protected SlideFile()
    {
        isDark = new(() => Overview().IsMostlyDark);
        background = new(() =>
        {
            var samples = new ushort[Channels];
            if (IsRgb && Modality == Modality.Brightfield)
                Array.Fill(samples, SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue);
            return samples;
        });
    }

    /// <summary>Name of the format.</summary>
    public required string Name { get; init; }

    /// <summary>Files that hold the slide; empty for the named file alone.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Levels of the pyramid, from the finest.</summary>
    public required IReadOnlyList<SlideLevel> Levels { get; init; }

    /// <summary>Samples per pixel.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Type of the samples.</summary>
    public SampleType SampleType { get; init; } = SampleType.UInt8;

    /// <summary>Names, colours and display ranges of the channels: one for each, or none.</summary>
    public IReadOnlyList<SlideChannel> ChannelInfo { get; init; } = [];

    /// <summary>Notes on content that is not read.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Micrometres per pixel of level 0, and the source of this value; null if unknown or implausible.</summary>
    public (double Mpp, string Origin)? PixelSize { get; init; }

    /// <summary>Magnification of the objective; null if unknown.</summary>
    public double? Objective { get; init; }

    /// <summary>Metadata by name.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of associated images, such as label and macro.</summary>
    public virtual IReadOnlyList<string> AssociatedNames => [];

    /// <summary>Background where there is no tissue: one sample for each channel.</summary>
    public virtual ushort[] Background => background.Value;

    /// <summary>Whether channels are stored in pages of their own.</summary>
    public bool HasSeparateChannels { get; init; }

    /// <summary>
    /// Whether the three channels are red, green and blue. Three separate channels without names and colours count as such if they are
    /// bright in most places, as background is.
    /// </summary>
    public bool IsRgb => Channels == 3 && (!HasSeparateChannels || (ChannelInfo.All(channel => channel.IsUnnamed) && !isDark.Value));

    /// <summary>
    /// Modality: RGB is brightfield unless most of an overview is dark, which background never is; one channel is grey under the same
    /// condition, unless it has a name or colour; all others are fluorescence.
    /// </summary>
    public Modality Modality => IsRgb ? isDark.Value ? Modality.Fluorescence : Modality.Brightfield
        : Channels == 1 && !isDark.Value && ChannelInfo.All(channel => channel.IsUnnamed) ? Modality.Grey
        : Modality.Fluorescence;

    /// <summary>Reads the middle of the coarsest level; areas that were not scanned are white.</summary>
    public Image Overview()
    {
        SlideLevel coarsest = Levels[^1];
        int width = Math.Min(coarsest.Width, OverviewSide), height = Math.Min(coarsest.Height, OverviewSide);
        return ReadOnWhite(Levels.Count - 1, (coarsest.Width - width) / 2, (coarsest.Height - height) / 2, width, height);
    }

    /// <summary>Reads a rectangle inside of a level.</summary>
    public abstract Image Read(int level, int x, int y, int width, int height);

    /// <summary>Reads a rectangle inside of a level; areas that were not scanned are white, whatever the background.</summary>
    protected internal virtual Image ReadOnWhite(int level, int x, int y, int width, int height) => Read(level, x, y, width, height);

    /// <summary>Reads the ICC profile; null if the file has none.</summary>
    public virtual byte[]? ReadIccProfile() => null;

    /// <summary>Reads an associated image as RGB.</summary>
    public virtual Image ReadAssociated(string name) => throw new ArgumentException($"there is no image {name}", nameof(name));

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Returns a pixel size if it is plausible, else null.</summary>
    protected static (double Mpp, string Origin)? Size(double? mpp, string? origin) =>
        mpp is >= SmallestMpp and <= LargestMpp ? (mpp.Value, origin ?? "") : null;

    /// <summary>Parses a number with a point or comma; null if it is none.</summary>
    protected static double? Number(string? text) =>
        double.TryParse(text?.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    /// <summary>Converts a TIFF resolution to micrometres per pixel; the unit is 2 for inch, 3 for centimetre.</summary>
    protected static double? MppOf(double? resolution, int unit) =>
        resolution is > 0 and double perUnit && unit is 2 or 3 ? (unit == 2 ? 25_400 : 10_000) / perUnit : null;
}
