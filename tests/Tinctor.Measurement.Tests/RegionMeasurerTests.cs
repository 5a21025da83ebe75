using Tinctor.Data.Phantom;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Nuclei;
using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using static Tinctor.Measurement.Tests.ImagePicture;

namespace Tinctor.Measurement.Tests;

public sealed class RegionMeasurerTests
{
    private static readonly Lazy<ImagePicture> Picture = new(() => new(Phantom()));
    private static readonly Lazy<IhcCounts> Whole = new(() => Measurer().Measure(Picture.Value.Whole));

    [Fact]
    public void Measure_whole_image_equals_counts_of_image()
    {
        var image = new StainDensities(Phantom());
        IhcCounts expected = IhcCounts.Compute(image, NucleusDetector.Find(image, new()), new());
        Assert.True(expected.Nuclei > 150, $"{expected.Nuclei} nuclei");
        Assert.Equal(expected, Whole.Value);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(173)]
    public void Measure_in_tiles_equals_measure_in_one_piece(int side)
    {
        int steps = 0;
        RegionMeasurer tiled = new(Picture.Value, 1, new(), new()) { Side = side };
        IhcCounts counts = tiled.Measure(Picture.Value.Whole, () => steps++);
        Assert.Equal(tiled.Steps(Picture.Value.Whole), steps);
        Assert.Equal((Whole.Value.Tissue, Whole.Value.Positive), (counts.Tissue, counts.Positive));
        Assert.Equal(Whole.Value.TissueDensity, counts.TissueDensity, 1e-6);
        Assert.Equal(Whole.Value.Area, counts.Area);
        Assert.Equal((Whole.Value.Nuclei, Whole.Value.StainedNuclei), (counts.Nuclei, counts.StainedNuclei));
        // A pixel as near to one nucleus as to another may belong to the ring of either.
        Assert.InRange(counts.RingPixels, Whole.Value.RingPixels * 0.999, Whole.Value.RingPixels * 1.001);
    }

    [Fact]
    public void Measure_leaves_holes_out_and_adds_polygons()
    {
        (double, double)[] outer = Square(50, 60, 300, 260), hole = Square(120, 100, 130, 90), apart = Square(400, 380, 60, 50);
        IhcCounts solid = Measurer().Measure(Region(outer)), cut = Measurer().Measure(Region(hole));
        IhcCounts holed = Measurer().Measure(Region(outer, hole)), second = Measurer().Measure(Region(apart));
        Assert.Equal(solid.Tissue - cut.Tissue, holed.Tissue);
        Assert.Equal(solid.Positive - cut.Positive, holed.Positive);
        Assert.Equal(((300 * 260) - (130 * 90)) * 0.25e-6, holed.Area, 1e-12);
        Assert.InRange(holed.Nuclei, 1, solid.Nuclei - 1);
        MeasuredRegion both = Region(outer, hole) with { Polygons = [.. Region(outer, hole).Polygons, .. Region(apart).Polygons] };
        IhcCounts sum = Measurer().Measure(both);
        Assert.Equal((holed.Tissue + second.Tissue, holed.Positive + second.Positive), (sum.Tissue, sum.Positive));
        Assert.Equal(holed.Area + second.Area, sum.Area, 1e-12);
    }

    [Fact]
    public void Measure_slanted_region_has_exact_area_and_its_pixels()
    {
        (double X, double Y)[] triangle = [(10.5, 20), (410.5, 60), (200, 330)];
        IhcCounts counts = Measurer().Measure(Region(triangle));
        const double pixels = ((400 * 310) - (40 * 189.5)) / 2;
        Assert.Equal(pixels * 0.25e-6, counts.Area, 1e-12);
        Assert.InRange(counts.Tissue, 1, pixels * 1.01);
    }

    [Fact]
    public void Measure_counts_each_nucleus_in_one_half()
    {
        IhcCounts left = Measurer().Measure(Region(Square(0, 0, 201, 512))), right = Measurer().Measure(Region(Square(201, 0, 311, 512)));
        Assert.Equal(Whole.Value.Tissue, left.Tissue + right.Tissue);
        // Otsu's threshold is that of each half.
        Assert.InRange(left.Nuclei + right.Nuclei, Whole.Value.Nuclei * 0.95, Whole.Value.Nuclei * 1.05);
    }

    [Fact]
    public void Measure_region_outside_of_picture_is_empty()
    {
        IhcCounts counts = Measurer().Measure(Region(Square(2000, 2000, 10, 10)));
        Assert.Equal((0L, 0), (counts.Tissue, counts.Nuclei));
    }

    [Fact]
    public void Measure_region_of_phantom_is_near_truth()
    {
        PhantomField field = Field(0.4);
        // Three quarters of the field, without its centre.
        MeasuredRegion region = Region([(0, 0), (512, 0), (512, 256), (256, 256), (256, 512), (0, 512)], Square(100, 100, 80, 60));
        bool[] inside = region.Mask(1, new(0, 0, 512, 512));
        PhantomNucleus[] truth = [.. field.Nuclei.Where(nucleus => nucleus is { X: >= 0 and < 511, Y: >= 0 and < 511 }
            && inside[((int)Math.Round(nucleus.Y) * 512) + (int)Math.Round(nucleus.X)])];
        IhcCounts counts = new RegionMeasurer(new ImagePicture(field.Images[1].Image), 1, new(), new()).Measure(region);
        Assert.True(truth.Length > 80, $"{truth.Length} nuclei");
        Assert.InRange(counts.Nuclei, truth.Length * 0.8, truth.Length * 1.2);
        double share = truth.Count(nucleus => nucleus.Ki67Positive) / (double)truth.Length;
        Assert.InRange(counts.StainedNuclei.Positive / (double)counts.Nuclei, share - 0.1, share + 0.1);
    }

    [Fact]
    public void Measure_stops_when_cancelled()
    {
        using var stop = new CancellationTokenSource();
        RegionMeasurer tiled = new(Picture.Value, 1, new(), new()) { Side = 100 };
        int steps = 0;
        Assert.Throws<OperationCanceledException>(() => tiled.Measure(Picture.Value.Whole, () =>
        {
            if (++steps == 3) stop.Cancel();
        }, stop.Token));
        Assert.Equal(3, steps);
    }

    [Fact]
    public void Quantities_are_areas_numbers_and_those_of_images()
    {
        var all = RegionQuantities.All(new(), downsample: 1, hasPixelSize: true);
        double Value(string key) => all.Single(each => each.Quantity.Key == key).Value(Whole.Value);
        Assert.Equal(512 * 512 * 0.25e-6, Value("area"), 1e-12);
        Assert.Equal(Value("dab_area"), 100 * Value("dab_positive_area") / Value("tissue_area"), 1e-9);
        Assert.Equal(Value("nuclei_density"), Value("nuclei") / Value("area"), 1e-6);
        Assert.Equal(all.Count, all.Select(each => each.Quantity.Key).Distinct().Count());
        Assert.Superset(IhcCounts.Quantities(new()).Select(each => each.Quantity.Key).ToHashSet(),
            all.Select(each => each.Quantity.Key).ToHashSet());
        // Without pixel size, areas are in pixels of the picture at full resolution.
        var pixels = RegionQuantities.All(new(), downsample: 2, hasPixelSize: false);
        Assert.Equal("px²", pixels[0].Quantity.Unit);
        Assert.Equal(4 * 512 * 512, pixels[0].Value(Whole.Value), 1e-3);
        Assert.Equal(double.NaN, pixels.Single(each => each.Quantity.Key == "nuclei_density").Value(Whole.Value));
    }

    private static RegionMeasurer Measurer() => new(Picture.Value, 1, new(), new());

    private static Image Phantom() => Field(null).Images[1].Image;

    private static PhantomField Field(double? positive) => PhantomSlide.Render(
        new() { Width = 512, Height = 512, Stains = [PhantomStain.He, PhantomStain.Ki67], Seed = 3, Ki67Share = positive });
}
