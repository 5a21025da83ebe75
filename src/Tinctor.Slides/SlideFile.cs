using System.Globalization;

namespace Tinctor.Slides;

/// <summary>
/// A slide file of some format: what it says of itself, and its pixels inside the levels. Safe for several threads. What goes wrong is an
/// <see cref="TinctorException"/> that does not name the file.
/// </summary>
internal abstract class SlideFile : IDisposable
{
    // Wider than any objective; what lies outside is a mistake of the file's maker.
    private const double SmallestMpp = 0.02, LargestMpp = 20;
    private const int OverviewSide = 1024;

    private readonly Lazy<bool> isDark;
    private readonly Lazy<ushort[]> background;

    /// <summary>A file that is not looked into yet.</summary>
    protected SlideFile()
    {
        isDark = new(() => Overview().IsMostlyDark);
        background = new(() =>
        {
            var samples = new ushort[Channels];
            if (IsRgb && Modality == Modality.Brightfield) Array.Fill(samples, SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue);
            return samples;
        });
    }

    /// <summary>What people call the format.</summary>
    public required string Name { get; init; }

    /// <summary>The pyramid, the finest level first.</summary>
    public required IReadOnlyList<SlideLevel> Levels { get; init; }

    /// <summary>Samples in a pixel.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>How a sample is stored.</summary>
    public SampleType SampleType { get; init; } = SampleType.UInt8;

    /// <summary>What the file says of its channels; nothing, or one for each.</summary>
    public IReadOnlyList<SlideChannel> ChannelInfo { get; init; } = [];

    /// <summary>Notes on content that is not read.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Micrometres per pixel of level 0, and where it is written; null where the file tells none that can be.</summary>
    public (double Mpp, string Origin)? PixelSize { get; init; }

    /// <summary>Magnification of the objective, where the file tells it.</summary>
    public double? Objective { get; init; }

    /// <summary>All that the file says of itself.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of the label, macro and other images beside the slide.</summary>
    public virtual IReadOnlyList<string> AssociatedNames => [];

    /// <summary>What is where there is no tissue: one value for each channel, in samples.</summary>
    public virtual ushort[] Background => background.Value;

    /// <summary>Whether channels are stored in pages of their own.</summary>
    public bool HasSeparateChannels { get; init; }

    /// <summary>
    /// Whether the three channels are red, green and blue. Three pages without names and colours are too if they are bright in most places, as
    /// glass is in all of them.
    /// </summary>
    public bool IsRgb => Channels == 3 && (!HasSeparateChannels || (ChannelInfo.All(channel => channel.IsUnnamed) && !isDark.Value));

    /// <summary>
    /// Modality: RGB is brightfield unless most of an overview is dark, as glass never is; one channel is grey under the same condition
    /// unless the file names it or gives it a colour; all other images are fluorescence.
    /// </summary>
    public Modality Modality => IsRgb ? isDark.Value ? Modality.Fluorescence : Modality.Brightfield
        : Channels == 1 && !isDark.Value && ChannelInfo.All(channel => channel.IsUnnamed) ? Modality.Grey
        : Modality.Fluorescence;

    /// <summary>The middle of the coarsest level, white where nothing was scanned.</summary>
    public Image Overview()
    {
        SlideLevel coarsest = Levels[^1];
        int width = Math.Min(coarsest.Width, OverviewSide), height = Math.Min(coarsest.Height, OverviewSide);
        return ReadOnWhite(Levels.Count - 1, (coarsest.Width - width) / 2, (coarsest.Height - height) / 2, width, height);
    }

    /// <summary>Pixels of a level; the rectangle lies inside of it.</summary>
    public abstract Image Read(int level, int x, int y, int width, int height);

    /// <summary>The same, white where nothing was scanned, whatever the background.</summary>
    protected virtual Image ReadOnWhite(int level, int x, int y, int width, int height) => Read(level, x, y, width, height);

    /// <summary>Reads the ICC profile; null if the file has none.</summary>
    public virtual byte[]? ReadIccProfile() => null;

    /// <summary>One of the images beside the slide, RGB.</summary>
    public virtual Image ReadAssociated(string name) => throw new ArgumentException($"there is no image {name}", nameof(name));

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>A pixel size, if a number says one that can be.</summary>
    protected static (double Mpp, string Origin)? Size(double? mpp, string? origin) =>
        mpp is >= SmallestMpp and <= LargestMpp ? (mpp.Value, origin ?? "") : null;

    /// <summary>A number in a text, whatever the country; null for none.</summary>
    protected static double? Number(string? text) =>
        double.TryParse(text?.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    /// <summary>Micrometres per pixel from TIFF's resolution and its unit: 2 for inches, 3 for centimetres.</summary>
    protected static double? MppOf(double? resolution, int unit) =>
        resolution is > 0 and double perUnit && unit is 2 or 3 ? (unit == 2 ? 25_400 : 10_000) / perUnit : null;
}
