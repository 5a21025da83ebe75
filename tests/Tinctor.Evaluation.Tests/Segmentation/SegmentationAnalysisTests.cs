using Tinctor.Evaluation.Analyses.Ihc;
using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Tests.Segmentation;

/// <summary>The sections of the report, over painted images whose nuclei and stains are known.</summary>
public sealed class SegmentationAnalysisTests : IDisposable
{
    private const int Size = 80;
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-segmentation-").FullName;
    private readonly Data.TestSet set;

    public SegmentationAnalysisTests()
    {
        // Four images of two slides; the good model repeats the real images, the poor one forgets a nucleus and stains too strongly.
        for (int i = 0; i < 4; i++)
        {
            Paint("real", i, nuclei: 4, positive: i);
            Paint("good", i, nuclei: 4, positive: i);
            Paint("poor", i, nuclei: 3, positive: 3);
        }
        Dictionary<string, string> Made(int i) => new() { ["good"] = At("good", i), ["poor"] = At("poor", i) };
        ImagePair[] pairs =
            [.. Enumerable.Range(0, 4).Select(i => new ImagePair($"{i}", Made(i), At("real", i), null, null, $"slide{i / 2}"))];
        set = new(pairs, [new("good", "Good", ""), new("poor", "Poor", "")], [], 0);
    }

    [Fact]
    public void Run_equal_images_are_perfect_and_missing_nuclei_counted()
    {
        ReportSection section = new SegmentationAnalysis(new ClassicalSegmentation(new()), 0.5).Run(set, null, default);
        SectionTable means = section.Tables[0];
        Assert.All(Row(means, "Good").Skip(1), score => Assert.Equal(1.0, score));
        // 3 of 4 nuclei matched exactly: 3 / (3 + 1/2).
        Assert.Equal(3 / 3.5, (double)Cell(means, "Poor", "pq")!, 9);
        Assert.Equal(1.0, Cell(means, "Poor", "precision"));
        Assert.Equal(0.75, (double)Cell(means, "Poor", "recall")!, 2);
        SectionTable counts = section.Tables.Single(table => table.Key == "counts");
        Assert.Equal(-1.0, counts.Rows.First(row => (string)row[2]! == "Poor")[9]);
        Assert.Equal(["nuclei_density", "nuclei_density_bland_altman_good", "nuclei_density_bland_altman_poor"],
            section.Charts.Select(chart => chart.Key));
        Assert.Contains(section.Provenance, each => each.Text.Contains("classical detector"));
    }

    [Fact]
    public void IhcAnalysis_values_equal_those_of_region_around_image()
    {
        ReportSection section = new IhcAnalysis(new ClassicalSegmentation(new()), new()).Run(set, null, default);
        SectionTable images = section.Tables.Single(table => table.Key == "images");
        Image image = Image.Read(At("real", 2));
        var whole = new MeasuredRegion("", "", null, [new([[(0, 0), (Size, 0), (Size, Size), (0, Size)]])]);
        IhcCounts counts = new RegionMeasurer(new Picture(image), 1, new(), new()).Measure(whole);
        IReadOnlyList<object?> row = images.Rows.Single(each => Equals(each[0], "2") && Equals(each[1], "Real"));
        foreach (var quantity in RegionQuantities.All(new(), 1, hasPixelSize: true))
        {
            int column = images.Columns.Index().FirstOrDefault(each => each.Item.Key == quantity.Quantity.Key, (-1, null!)).Index;
            if (column >= 0) Assert.Equal((double?)row[column] ?? double.NaN, quantity.Value(counts));
        }
        Assert.Equal(4, counts.Nuclei);
    }

    [Fact]
    public void IhcAnalysis_compares_quantities_per_image_and_slide()
    {
        ReportSection section = new IhcAnalysis(new ClassicalSegmentation(new()), new()).Run(set, null, default);
        IReadOnlyList<object?> Agreement(string quantity, string per, string method) => section.Tables[0].Rows.Single(row =>
            ((string)row[0]!).StartsWith(quantity) && Equals(row[1], per) && Equals(row[2], method));

        IReadOnlyList<object?> good = Agreement("Positive nuclei", "image", "Good");
        Assert.Equal((4, 37.5, 37.5), ((int)good[3]!, (double)good[4]!, (double)good[5]!));
        Assert.Equal((1.0, 1.0, 1.0, 0.0), ((double)good[6]!, (double)good[7]!, (double)good[8]!, (double)good[9]!));
        // Always 3 of 3, where 0 to 3 of 4 are: no correlation to speak of, a bias of 62.5.
        IReadOnlyList<object?> poor = Agreement("Positive nuclei", "image", "Poor");
        Assert.Null(poor[6]);
        Assert.Equal(62.5, (double)poor[9]!, 9);
        Assert.Equal(2, Agreement("Positive nuclei", "slide", "Poor")[3]);

        SectionTable slides = section.Tables.Single(table => table.Key == "slides");
        // One of eight nuclei on the first slide.
        Assert.Equal(12.5, Cell(slides, "slide0", "positive_nuclei"));
        Assert.Equal(12, section.Tables.Single(table => table.Key == "images").Rows.Count);
        Assert.Contains(section.Charts, chart => chart.Key == "h_score_nuclei_bland_altman_poor");
    }

    [Fact]
    public void Run_with_masks_on_disk_replaces_segmenter()
    {
        ISegmentation classical = new ClassicalSegmentation(new());
        Directory.CreateDirectory(Path.Combine(root, "masks"));
        foreach (ImagePair pair in set.Pairs)
        {
            LabelMap nuclei = classical.Segment(pair, null, new ScoredImage(Image.Read(pair.Real)));
            var mask = new Image(Size, Size, 1, data: Array.ConvertAll(nuclei.Labels, label => (byte)label));
            mask.Write(Path.Combine(root, "masks", $"{pair.Name}.png"));
        }
        string masks = Path.Combine(root, "masks");
        var both = new MaskSegmentation(masks, [new("good", masks)], null);
        SectionTable means = new SegmentationAnalysis(both, 0.5).Run(set, null, default).Tables[0];
        // The other model has no masks and is left out.
        Assert.Equal("Good", Assert.Single(means.Rows)[0]);
        Assert.Equal(1.0, Cell(means, "Good", "pq"));

        Assert.Contains("the real images have no masks", Assert.Throws<TinctorException>(() =>
            new SegmentationAnalysis(new MaskSegmentation(null, [new("good", masks)], null), 0.5).Run(set, null, default)).Message);
        File.Delete(Path.Combine(masks, "2.png"));
        Assert.Contains("no mask of the name 2", Assert.Throws<TinctorException>(() =>
            new SegmentationAnalysis(new MaskSegmentation(masks, [], classical), 0.5).Run(set, null, default)).Message);
    }

    [Fact]
    public void Segment_keeps_nuclei_apart_at_boundary()
    {
        string[] rows =
        [
            "............",
            ".2222.22222.",
            ".2112221112.",
            ".2112221112.",
            ".2112221112.",
            ".2222.22222.",
            "............",
        ];
        byte[] classes = [.. rows.SelectMany(row => row).Select(c => (byte)(c == '.' ? 0 : c - '0'))];
        LabelMap nuclei = SegmenterSegmentation.Separate(classes, 12, 7, 5);
        Assert.Equal(2, nuclei.Count);
        Assert.NotEqual(nuclei.Labels[(3 * 12) + 2], nuclei.Labels[(3 * 12) + 8]);
        Assert.Equal(nuclei.Labels[(3 * 12) + 2], nuclei.Labels[(3 * 12) + 1]);
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string At(string folder, int image) => Path.Combine(root, folder, $"{image}.png");

    private void Paint(string folder, int image, int nuclei, int positive)
    {
        var stains = new float[Size * Size * 3];
        for (int i = 0; i < Size * Size; i++)
        {
            (int x, int y) = (i % Size, i / Size);
            int nucleus = (x / 40) + (2 * (y / 40));
            bool inside = ((x % 40 - 20) * (x % 40 - 20)) + ((y % 40 - 20) * (y % 40 - 20)) <= 64;
            stains[3 * i] = inside && nucleus < nuclei ? 0.5f : 0.03f;
            stains[(3 * i) + 1] = inside && nucleus < Math.Min(nuclei, positive) ? 0.5f : 0;
        }
        StainMatrix.HaematoxylinDab.Combine(stains, stains);
        var picture = new Image(Size, Size, 3);
        OpticalDensity.ToLight(stains, picture.Data);
        Directory.CreateDirectory(Path.Combine(root, folder));
        picture.Write(At(folder, image));
    }

    private static IReadOnlyList<object?> Row(SectionTable table, string name) => table.Rows.First(row => Equals(row[0], name));

    private static object? Cell(SectionTable table, string row, string column) =>
        Row(table, row)[table.Columns.Select(each => each.Key).ToList().IndexOf(column)];

    private sealed class Picture(Image image) : IPictureSource
    {
        public int Width => image.Width;

        public int Height => image.Height;

        public Image Read(double downsample, PixelArea area, CancellationToken cancel) =>
            image.Crop(area.X, area.Y, area.Width, area.Height);
    }
}
