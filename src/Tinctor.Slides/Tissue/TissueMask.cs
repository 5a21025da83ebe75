using Tinctor.Slides.Annotations;
using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>Where a slide has tissue.</summary>
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

    /// <summary>255 where there is tissue, 0 elsewhere; one channel of 8 bits.</summary>
    public Image Mask { get; }

    /// <summary>Pixels of level 0 to one of the mask.</summary>
    public double Downsample { get; }

    /// <summary>Pixels of level 0 across.</summary>
    public int SlideWidth { get; }

    /// <summary>Pixels of level 0 down.</summary>
    public int SlideHeight { get; }

    /// <summary>Where pen marks were found (255), as large as the mask; null where none were looked for.</summary>
    public Image? Pens { get; private init; }

    /// <summary>Where folds were found (255), as large as the mask; null where none were looked for.</summary>
    public Image? Folds { get; private init; }

    /// <summary>
    /// Micrometres per pixel of level 0 that were assumed because the slide does not say; null if they are known. The mask depends on them: lengths
    /// and areas of <see cref="TissueOptions"/> are micrometres.
    /// </summary>
    public double? AssumedMpp { get; private init; }

    /// <summary>Whether there is no tissue at all.</summary>
    public bool IsEmpty => sums[^1] == 0;

    /// <summary>Tissue in pixels of level 0.</summary>
    public double Area => sums[^1] * Downsample * Downsample;

    /// <summary>The tissue of a slide, from an overview of it.</summary>
    /// <exception cref="TinctorException">The slide is damaged.</exception>
    public static TissueMask Detect(Slide slide, TissueOptions? options = null)
    {
        options ??= new();
        (Image overview, double downsample) = Overview(slide, options);
        return Find(overview, downsample, slide.Mpp, MppOf(slide, options), slide.Width, slide.Height, options);
    }

    /// <summary>The tissue of an overview or of any image.</summary>
    /// <param name="overview">8 or 16 bits, any channels: brightfield, or bright on dark.</param>
    /// <param name="downsample">Pixels of level 0 to one of the overview.</param>
    /// <param name="mpp">Micrometres per pixel of level 0; null takes the longer side for <see cref="TissueOptions.UnknownSide"/>.</param>
    /// <param name="options">What counts as tissue.</param>
    public static TissueMask Detect(Image overview, double downsample = 1, double? mpp = null, TissueOptions? options = null)
    {
        options ??= new();
        (int width, int height) = (Whole(overview.Width, downsample), Whole(overview.Height, downsample));
        return Find(overview, downsample, mpp, mpp ?? options.UnknownSide / Math.Max(width, height), width, height, options);
    }

    /// <summary>The overview of a slide that its tissue is looked for in, and how many pixels of level 0 one of its pixels has.</summary>
    public static (Image Image, double Downsample) Overview(Slide slide, TissueOptions? options = null)
    {
        double downsample = DownsampleFor(slide, options);
        (int width, int height) = slide.SizeAt(downsample);
        return (slide.ReadAt(downsample, 0, 0, width, height), downsample);
    }

    /// <summary>A mask that is known.</summary>
    /// <param name="mask">One channel; what is above half is tissue.</param>
    /// <param name="downsample">Pixels of level 0 to one of the mask.</param>
    public static TissueMask FromImage(Image mask, double downsample = 1)
    {
        if (mask.Channels != 1) throw new TinctorException($"has {mask.Channels} channels; a mask has one");
        return new(Array.ConvertAll(mask.To(SampleType.UInt8).Data, value => value > 127), mask.Width, mask.Height, downsample,
            Whole(mask.Width, downsample), Whole(mask.Height, downsample));
    }

    /// <summary>The mask of a slide from annotations; see <see cref="GeoJsonFile.Read"/> for which count.</summary>
    /// <param name="path">A GeoJSON file, as QuPath exports it.</param>
    /// <param name="slide">The slide that was annotated.</param>
    /// <param name="options">The mask's resolution.</param>
    /// <exception cref="TinctorException">It is no GeoJSON.</exception>
    public static TissueMask FromGeoJson(string path, Slide slide, TissueOptions? options = null) =>
        FromGeoJson(path, slide.Width, slide.Height, DownsampleFor(slide, options));

    /// <summary>The mask of annotations; see <see cref="GeoJsonFile.Read"/> for which count.</summary>
    /// <param name="path">A GeoJSON file, as QuPath exports it.</param>
    /// <param name="slideWidth">Pixels of level 0 across.</param>
    /// <param name="slideHeight">Pixels of level 0 down.</param>
    /// <param name="downsample">Pixels of level 0 to one of the mask.</param>
    /// <exception cref="TinctorException">It is no GeoJSON.</exception>
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
    /// Writes the tissue as GeoJSON that QuPath opens: an annotation of the class Tissue for each piece, in pixels of level 0.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="tolerance">
    /// Pixels of level 0 by which outlines may deviate to have fewer corners; 0 follows the edges of the mask's pixels exactly.
    /// </param>
    public void ToGeoJson(string path, double tolerance = 0)
    {
        IEnumerable<Polygon> pieces = Polygon.OutlinesOf(tissue, Mask.Width, Mask.Height)
            .Select(piece => new Polygon([.. piece.Rings.Select(ring => Array.ConvertAll(ring, ToLevel0))]))
            .Select(piece => piece.Simplified(tolerance)).OfType<Polygon>();
        AtomicFile.Write(path, stream => GeoJsonFile.Write(stream, pieces));
    }

    /// <summary>The share of a rectangle that is tissue, 0 to 1; nothing outside of the slide is.</summary>
    /// <param name="x">Left edge in pixels of level 0.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="width">Pixels of level 0 across, above 0.</param>
    /// <param name="height">Pixels of level 0 down, above 0.</param>
    public double Share(double x, double y, double width, double height)
    {
        double set = SetBefore(x + width, y + height) - SetBefore(x, y + height) - SetBefore(x + width, y) + SetBefore(x, y);
        return Math.Clamp(set * Downsample * Downsample / (width * height), 0, 1);
    }

    /// <summary>Whether a place, in pixels of level 0, is tissue; nothing outside of the slide is.</summary>
    public bool Contains(double x, double y)
    {
        (double column, double row) = (Math.Floor(x / Downsample), Math.Floor(y / Downsample));
        return column >= 0 && row >= 0 && column < Mask.Width && row < Mask.Height && tissue[((int)row * Mask.Width) + (int)column];
    }

    /// <summary>The tissue with so much around it.</summary>
    /// <param name="level0Pixels">In pixels of level 0; what is less than a pixel of the mask changes nothing.</param>
    public TissueMask Dilated(double level0Pixels) =>
        new(Morphology.Dilate(tissue, Mask.Width, Mask.Height, level0Pixels / Downsample), Mask.Width, Mask.Height, Downsample,
            SlideWidth, SlideHeight)
        { Pens = Pens, Folds = Folds, AssumedMpp = AssumedMpp };

    /// <summary>The overview with the tissue outlined in green, pen marks painted magenta and folds orange.</summary>
    /// <param name="overview">As large as the mask.</param>
    /// <exception cref="ArgumentException">It has another size.</exception>
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

    // Set pixels of the mask above and to the left of a place of level 0, parts of pixels counted.
    private double SetBefore(double x, double y)
    {
        (x, y) = (Math.Clamp(x / Downsample, 0, Mask.Width), Math.Clamp(y / Downsample, 0, Mask.Height));
        (int left, int top) = ((int)Math.Min(x, Mask.Width - 1), (int)Math.Min(y, Mask.Height - 1));
        (double u, double v) = (x - left, y - top);
        int at = (top * (Mask.Width + 1)) + left, below = at + Mask.Width + 1;
        return ((1 - v) * (((1 - u) * sums[at]) + (u * sums[at + 1]))) + (v * (((1 - u) * sums[below]) + (u * sums[below + 1])));
    }
}
