using Tinctor.Slides.Annotations;
using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Mask of the tissue of a slide.</summary>
public sealed class TissueMask
{
    private const int LeastSide = 512, LargestSide = 4096;

    // Micrometres per pixel at an objective of 20x.
    private const double FieldMpp = 0.5;
    private const int FieldThumbnail = 256;

    private readonly bool[] tissue;
    private readonly int[] sums; // [height + 1, width + 1]: set pixels above and to the left

    private TissueMask(bool[] tissue, int width, int height, double downsample, int slideWidth, int slideHeight)
    {
        this.tissue = tissue;
        (Downsample, SlideWidth, SlideHeight) = (downsample, slideWidth, slideHeight);
        Mask = new(width, height, 1, data: Array.ConvertAll(tissue, set => set ? (byte)255 : (byte)0));
        sums = new int[(width + 1) * (height + 1)];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0, row = 0; x < width; x++)
            {
                row += tissue[(y * width) + x] ? 1 : 0;
                sums[((y + 1) * (width + 1)) + x + 1] = sums[(y * (width + 1)) + x + 1] + row;
            }
        }
    }

    /// <summary>The mask: one 8-bit channel, 255 for tissue and 0 elsewhere.</summary>
    public Image Mask { get; }

    /// <summary>Size of a pixel of the mask in pixels of level 0.</summary>
    public double Downsample { get; }

    /// <summary>Width of the slide in pixels of level 0.</summary>
    public int SlideWidth { get; }

    /// <summary>Height of the slide in pixels of level 0.</summary>
    public int SlideHeight { get; }

    /// <summary>Mask of pen marks, of the same size; null if they were not detected or the slide has no colours.</summary>
    public Image? Pens { get; private init; }

    /// <summary>Mask of tissue folds, of the same size; null if they were not detected or the slide has no colours.</summary>
    public Image? Folds { get; private init; }

    /// <summary>
    /// Assumed micrometres per pixel of level 0; null if the slide has them in its metadata. The mask depends on them, as the lengths and
    /// areas of <see cref="TissueOptions"/> are in micrometres.
    /// </summary>
    public double? AssumedMpp { get; private init; }

    /// <summary>Whether there is no tissue.</summary>
    public bool IsEmpty => sums[^1] == 0;

    /// <summary>Area of the tissue in pixels of level 0.</summary>
    public double Area => sums[^1] * Downsample * Downsample;

    /// <summary>Detects the tissue of a slide in an overview.</summary>
    /// <exception cref="TinctorException">The slide is damaged.</exception>
    public static TissueMask Detect(Slide slide, TissueOptions? options = null)
    {
        options ??= new();
        (Image overview, double downsample) = Overview(slide, options);
        return Find(overview, downsample, slide.Mpp, MppOf(slide, options), slide.Width, slide.Height, options);
    }

    /// <summary>Detects the tissue of an image, such as an overview of a slide.</summary>
    /// <param name="overview">Brightfield or fluorescence image of 8 or 16 bits with any number of channels.</param>
    /// <param name="downsample">Size of a pixel of the overview in pixels of level 0.</param>
    /// <param name="mpp">
    /// Micrometres per pixel of level 0; null assumes that the longer side has <see cref="TissueOptions.UnknownSide"/>.
    /// </param>
    /// <param name="options">Thresholds; null for the defaults.</param>
    public static TissueMask Detect(Image overview, double downsample = 1, double? mpp = null, TissueOptions? options = null)
    {
        options ??= new();
        (int width, int height) = (Whole(overview.Width, downsample), Whole(overview.Height, downsample));
        return Find(overview, downsample, mpp, mpp ?? options.UnknownSide / Math.Max(width, height), width, height, options);
    }

    /// <summary>Reads the overview in which tissue is detected, and the size of its pixels in pixels of level 0.</summary>
    public static (Image Image, double Downsample) Overview(Slide slide, TissueOptions? options = null)
    {
        double downsample = DownsampleFor(slide, options);
        (int width, int height) = slide.SizeAt(downsample);
        return (slide.ReadAt(downsample, 0, 0, width, height), downsample);
    }

    /// <summary>Creates a mask from an image.</summary>
    /// <param name="mask">Image of one channel; values above half of the range are tissue.</param>
    /// <param name="downsample">Size of a pixel of the mask in pixels of level 0.</param>
    /// <exception cref="TinctorException">The image has several channels.</exception>
    public static TissueMask FromImage(Image mask, double downsample = 1)
    {
        if (mask.Channels != 1) throw new TinctorException($"{mask.Channels} channels, but a mask has one");
        return new(Array.ConvertAll(mask.To(SampleType.UInt8).Data, value => value > 127), mask.Width, mask.Height, downsample,
            Whole(mask.Width, downsample), Whole(mask.Height, downsample));
    }

    /// <summary>Creates a mask from annotations of a slide; see <see cref="GeoJsonFile.Read"/>.</summary>
    /// <param name="path">GeoJSON file as exported by QuPath.</param>
    /// <param name="slide">The slide that was annotated.</param>
    /// <param name="options">Resolution of the mask; null for the default.</param>
    /// <exception cref="TinctorException">The file is missing or is not GeoJSON.</exception>
    public static TissueMask FromGeoJson(string path, Slide slide, TissueOptions? options = null) =>
        FromGeoJson(path, slide.Width, slide.Height, DownsampleFor(slide, options));

    /// <summary>Creates a mask from annotations; see <see cref="GeoJsonFile.Read"/>.</summary>
    /// <param name="path">GeoJSON file as exported by QuPath.</param>
    /// <param name="slideWidth">Width of the slide in pixels of level 0.</param>
    /// <param name="slideHeight">Height of the slide in pixels of level 0.</param>
    /// <param name="downsample">Size of a pixel of the mask in pixels of level 0.</param>
    /// <exception cref="TinctorException">The file is missing or is not GeoJSON.</exception>
    public static TissueMask FromGeoJson(string path, int slideWidth, int slideHeight, double downsample)
    {
        (IReadOnlyList<Polygon> inside, IReadOnlyList<Polygon> ignored) = GeoJsonFile.Read(path);
        (int width, int height) = (Math.Max(1, Whole(slideWidth, 1 / downsample)), Math.Max(1, Whole(slideHeight, 1 / downsample)));
        var tissue = new bool[width * height];
        foreach (Polygon polygon in inside) polygon.Fill(tissue, width, height, downsample);
        foreach (Polygon polygon in ignored) polygon.Fill(tissue, width, height, downsample, value: false);
        return new(tissue, width, height, downsample, slideWidth, slideHeight);
    }

    /// <summary>
    /// Writes the tissue as GeoJSON for QuPath: one annotation of the class Tissue per piece, in pixels of level 0.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="tolerance">
    /// Largest deviation of simplified outlines, in pixels of level 0; 0 keeps the outlines of the mask's pixels.
    /// </param>
    public void ToGeoJson(string path, double tolerance = 0)
    {
        IEnumerable<Polygon> pieces = Polygon.OutlinesOf(tissue, Mask.Width, Mask.Height)
            .Select(piece => new Polygon([.. piece.Rings.Select(ring => Array.ConvertAll(ring, ToLevel0))]))
            .Select(piece => piece.Simplified(tolerance)).OfType<Polygon>();
        AtomicFile.Write(path, stream => GeoJsonFile.Write(stream, pieces));
    }

    /// <summary>Computes the share of tissue in a rectangle, 0 to 1; outside of the slide there is none.</summary>
    /// <param name="x">Left edge in pixels of level 0.</param>
    /// <param name="y">Upper edge in pixels of level 0.</param>
    /// <param name="width">Width in pixels of level 0, above 0.</param>
    /// <param name="height">Height in pixels of level 0, above 0.</param>
    public double Share(double x, double y, double width, double height)
    {
        double set = SetBefore(x + width, y + height) - SetBefore(x, y + height) - SetBefore(x + width, y) + SetBefore(x, y);
        return Math.Clamp(set * Downsample * Downsample / (width * height), 0, 1);
    }

    /// <summary>Returns whether a point, in pixels of level 0, is tissue; points outside of the slide are not.</summary>
    public bool Contains(double x, double y)
    {
        (double column, double row) = (Math.Floor(x / Downsample), Math.Floor(y / Downsample));
        return column >= 0 && row >= 0 && column < Mask.Width && row < Mask.Height && tissue[((int)row * Mask.Width) + (int)column];
    }

    /// <summary>Dilates the mask.</summary>
    /// <param name="level0Pixels">Radius in pixels of level 0; a radius below one pixel of the mask has no effect.</param>
    public TissueMask Dilated(double level0Pixels) =>
        new(Morphology.Dilate(tissue, Mask.Width, Mask.Height, level0Pixels / Downsample), Mask.Width, Mask.Height, Downsample,
            SlideWidth, SlideHeight)
        { Pens = Pens, Folds = Folds, AssumedMpp = AssumedMpp };

    /// <summary>Renders the overview with tissue outlined in green, pen marks in magenta and folds in orange.</summary>
    /// <param name="overview">Overview of the same size as the mask.</param>
    /// <exception cref="ArgumentException">The overview has another size.</exception>
    public Image Overlay(Image overview) => TissueOverlay.Paint(overview, this);

    private static TissueMask Find(Image overview, double downsample, double? knownMpp, double mpp, int slideWidth, int slideHeight,
        TissueOptions options)
    {
        options.Validate();
        TissueFindings found = TissueDetection.Find(overview, downsample * mpp, options);
        Image? Picture(bool[]? set) => set is null ? null
            : new Image(overview.Width, overview.Height, 1, data: Array.ConvertAll(set, one => one ? (byte)255 : (byte)0));
        return new(found.Tissue, overview.Width, overview.Height, downsample, slideWidth, slideHeight)
        {
            Pens = Picture(found.Pens),
            Folds = Picture(found.Folds),
            AssumedMpp = knownMpp is null ? mpp : null,
        };
    }

    private static double DownsampleFor(Slide slide, TissueOptions? options)
    {
        options ??= new();
        int longest = Math.Max(slide.Width, slide.Height);
        double wanted = Math.Min(options.Resolution / MppOf(slide, options), (double)longest / LeastSide);
        return Math.Max(1, Math.Max(wanted, (double)longest / LargestSide));
    }

    // Known, or guessed: tissue reaches the border of a field, and background surrounds the sections of a whole slide.
    private static double MppOf(Slide slide, TissueOptions options)
    {
        if (slide.Mpp is double known) return known;
        double whole = options.UnknownSide / Math.Max(slide.Width, slide.Height);
        return whole > FieldMpp && TissueDetection.IsField(slide.Thumbnail(FieldThumbnail), options) ? FieldMpp : whole;
    }

    private static int Whole(int pixels, double factor) => (int)Math.Round(pixels * factor);

    private (double, double) ToLevel0((double X, double Y) corner) =>
        (Math.Min(corner.X * Downsample, SlideWidth), Math.Min(corner.Y * Downsample, SlideHeight));

    // Number of set pixels of the mask above and to the left of a point of level 0, including parts of pixels.
    private double SetBefore(double x, double y)
    {
        (x, y) = (Math.Clamp(x / Downsample, 0, Mask.Width), Math.Clamp(y / Downsample, 0, Mask.Height));
        (int left, int top) = ((int)Math.Min(x, Mask.Width - 1), (int)Math.Min(y, Mask.Height - 1));
        (double u, double v) = (x - left, y - top);
        int at = (top * (Mask.Width + 1)) + left, below = at + Mask.Width + 1;
        return ((1 - v) * (((1 - u) * sums[at]) + (u * sums[at + 1]))) + (v * (((1 - u) * sums[below]) + (u * sums[below + 1])));
    }
}
