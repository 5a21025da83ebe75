using System.Text.Json.Nodes;
using Tinctor.Slides.Tissue;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>Tissue on drawn sections, where all is known, and on slides of scanners.</summary>
public sealed class TissueTests : InTemporaryFolder
{
    private const double Mpp = 8; // of the drawn overviews
    private static readonly (int, int, int) Glass = (236, 233, 235), Section = (214, 160, 190), Nuclei = (150, 110, 170);

    [Fact]
    public void Detect_section_fills_small_holes_and_omits_dust()
    {
        DrawnSection drawn = new(400, 300, Glass);
        drawn.Disc(150, 150, 100, Section);
        drawn.Disc(150, 150, 8, Glass); // 0.013 mm2
        drawn.Disc(190, 150, 30, Glass); // 0.18 mm2: a lumen that stays open
        drawn.Disc(350, 50, 3, (90, 90, 90));
        TissueMask mask = TissueMask.Detect(drawn.Image, 16, Mpp / 16);
        Assert.Equal((16, 6400, 4800), (mask.Downsample, mask.SlideWidth, mask.SlideHeight));
        double truth = Math.PI * ((100 * 100) - (30 * 30)) * 256;
        Assert.InRange(mask.Area / truth, 0.97, 1.05);
        Assert.Equal(1, mask.Share(140 * 16, 140 * 16, 320, 320));
        Assert.Equal(0, mask.Share(180 * 16, 140 * 16, 320, 320));
        Assert.Equal(0, mask.Share(340 * 16, 40 * 16, 320, 320));
    }

    [Fact]
    public void Detect_background_of_any_tint_is_empty()
    {
        foreach ((int, int, int) tint in new[] { (255, 255, 255), (236, 233, 235), (222, 220, 208) })
            Assert.True(TissueMask.Detect(new DrawnSection(300, 200, tint).Image, mpp: Mpp).IsEmpty, $"{tint}");
        DrawnSection full = new(300, 200, Section);
        Assert.Equal(1, TissueMask.Detect(full.Image, mpp: Mpp).Share(0, 0, 300, 200));
    }

    [Fact]
    public void Detect_pale_tissue_filling_field_is_tissue()
    {
        DrawnSection drawn = new(300, 200, (222, 226, 232));
        drawn.Disc(60, 60, 30, (243, 242, 240));
        TissueMask mask = TissueMask.Detect(drawn.Image, mpp: Mpp);
        Assert.Equal(0, mask.Share(50, 50, 20, 20));
        Assert.Equal(1, mask.Share(150, 20, 100, 150));
    }

    [Fact]
    public void Detect_pale_stroma_beside_dark_glands_finds_both()
    {
        DrawnSection drawn = new(400, 300, Glass);
        drawn.Disc(200, 150, 130, (224, 222, 229));
        for (int x = 80; x < 330; x += 9)
        {
            for (int y = 30; y < 280; y += 9)
                if (double.Hypot(x - 200, y - 150) < 120) drawn.Disc(x, y, 1.2, (150, 155, 190));
        }
        foreach ((int x, int y) in new[] { (150, 110), (250, 190), (240, 90) }) drawn.Disc(x, y, 18, (150, 95, 60));
        TissueMask mask = TissueMask.Detect(drawn.Image, mpp: Mpp);
        Assert.InRange(mask.Area / (Math.PI * 130 * 130), 0.93, 1.03);
        Assert.Equal(0, mask.Share(0, 0, 55, 300));
    }

    [Theory]
    [InlineData("IHC/test/00820_test_2+.png", 0.95, 1), InlineData("HE/test/00820_test_2+.png", 0.95, 1)]
    [InlineData("IHC/test/00345_test_0.png", 0.4, 0.55)]
    public void Detect_bci_field_finds_pale_tissue(string name, double least, double most)
    {
        foreach (double? mpp in new double?[] { 0.46, null })
        {
            using var slide = Slide.Open(SharedFiles.Path($"data/bci/{name}"), mpp);
            TissueMask mask = TissueMask.Detect(slide);
            Assert.InRange(mask.Share(0, 0, slide.Width, slide.Height), least, most);
            Assert.All(mask.Pens!.Data, value => Assert.Equal(0, value));
            Assert.Equal(mpp is null ? 0.5 : null, mask.AssumedMpp);
        }
    }

    [Theory]
    [InlineData(0.5), InlineData(null)]
    public void Detect_tile_smaller_than_smallest_piece_is_all_tissue(double? mpp)
    {
        new DrawnSection(200, 200, Section).Image.Write(At("tile.png"));
        using var tile = Slide.Open(At("tile.png"), mpp);
        Assert.Equal(1, TissueMask.Detect(tile).Share(0, 0, 200, 200));
        new DrawnSection(200, 200, Glass).Image.Write(At("empty.png"));
        using var empty = Slide.Open(At("empty.png"), mpp);
        Assert.True(TissueMask.Detect(empty).IsEmpty);
    }

    [Fact]
    public void Detect_overview_of_unknown_resolution_assumes_whole_slide()
    {
        DrawnSection drawn = new(400, 300, Glass);
        drawn.Disc(200, 150, 100, Section);
        drawn.Image.Write(At("section.png"));
        using var slide = Slide.Open(At("section.png"));
        Assert.Equal(50, TissueMask.Detect(slide).AssumedMpp);
        DrawnSection field = new(400, 300, Section);
        field.Disc(200, 150, 100, Glass);
        field.Image.Write(At("field.png"));
        using var second = Slide.Open(At("field.png"));
        Assert.Equal(0.5, TissueMask.Detect(second).AssumedMpp);
        Assert.Null(TissueMask.Detect(field.Image, mpp: Mpp).AssumedMpp);
    }

    [Theory]
    [InlineData(30, 50, 165, nameof(PenColours.Blue)), InlineData(25, 120, 60, nameof(PenColours.Green)),
        InlineData(35, 33, 36, nameof(PenColours.Black))]
    public void Detect_removes_ink_and_keeps_tissue_beside_it(int red, int green, int blue, string pen)
    {
        PenColours colour = Enum.Parse<PenColours>(pen);
        DrawnSection drawn = new(400, 300, Glass);
        drawn.Disc(150, 150, 90, Section);
        drawn.Disc(120, 150, 25, Nuclei);
        drawn.Line(30, 40, 370, 40, 8, (red, green, blue)); // over glass
        drawn.Line(180, 60, 330, 250, 8, (red, green, blue)); // over tissue
        TissueMask mask = TissueMask.Detect(drawn.Image, mpp: Mpp);
        Assert.Equal(0, mask.Share(28, 30, 344, 20));
        Assert.Equal(0, mask.Share(182, 62, 5, 5));
        Assert.Equal(0, mask.Share(212, 102, 5, 5));
        Assert.Equal(1, mask.Share(80, 110, 60, 80));
        Assert.Equal(255, mask.Pens!.Data[(40 * 400) + 200]);
        TissueMask without = TissueMask.Detect(drawn.Image, mpp: Mpp, options: new() { Pens = PenColours.All & ~colour });
        Assert.True(without.Share(28, 30, 344, 20) > 0.4);
    }

    [Fact]
    public void Detect_stains_are_neither_ink_nor_folds()
    {
        DrawnSection drawn = new(400, 300, Glass);
        drawn.Disc(150, 150, 120, Section);
        (int, int, int)[] dense = [(75, 50, 130), (95, 60, 30), (190, 40, 120), (60, 35, 75),
            (120, 160, 205)]; // H, DAB, E, H over E, aniline blue
        foreach (((int, int, int) colour, int i) in dense.Select((colour, i) => (colour, i))) drawn.Disc(70 + (i * 40), 150, 16, colour);
        TissueMask mask = TissueMask.Detect(drawn.Image, mpp: Mpp);
        Assert.DoesNotContain((byte)255, mask.Pens!.Data);
        Assert.DoesNotContain((byte)255, mask.Folds!.Data);
        Assert.Equal(1, mask.Share(60, 130, 180, 40));
    }

    [Fact]
    public void Detect_removes_folds()
    {
        DrawnSection drawn = new(400, 300, Glass);
        (int r, int g, int b) = (200, 120, 165);
        drawn.Disc(150, 150, 120, (r, g, b));
        // Three layers, each of which takes the same share of the light.
        drawn.Line(90, 100, 200, 190, 3, (r * r * r / (236 * 236), g * g * g / (233 * 233), b * b * b / (235 * 235)));
        TissueMask mask = TissueMask.Detect(drawn.Image, mpp: Mpp);
        Assert.InRange(mask.Share(140, 140, 10, 9), 0, 0.5);
        Assert.Equal(255, mask.Folds!.Data[(145 * 400) + 145]);
        Assert.Equal(1, mask.Share(60, 150, 40, 40));
        Assert.Null(TissueMask.Detect(drawn.Image, mpp: Mpp, options: new() { Folds = false }).Folds);
    }

    [Theory]
    [InlineData(1, SampleType.UInt16), InlineData(4, SampleType.UInt16), InlineData(3, SampleType.UInt8)]
    public void Detect_fluorescence_finds_bright_tissue(int channels, SampleType type)
    {
        var image = new Image(300, 200, channels, type);
        var random = new Random(2);
        var row = new float[300 * channels];
        float unit = type == SampleType.UInt8 ? 1 : 40;
        for (int y = 0; y < 200; y++)
        {
            for (int i = 0; i < row.Length; i++)
            {
                int x = i / channels;
                bool inside = ((x - 100) * (x - 100)) + ((y - 100) * (y - 100)) < 60 * 60;
                // Nuclei are much brighter than what is around them; the last channel sees nothing.
                float light = inside && i % channels == 0 ? (x / 4) % 4 == 0 && (y / 4) % 4 == 0 ? 200 : 25 : 5;
                row[i] = (light + (float)random.NextDouble()) * unit;
            }
            image.WriteRow(y, row);
        }
        TissueMask mask = TissueMask.Detect(image, mpp: Mpp);
        Assert.InRange(mask.Area / (Math.PI * 60 * 60), 0.95, 1.06);
        Assert.True(TissueMask.Detect(new Image(300, 200, channels, type), mpp: Mpp).IsEmpty);
    }

    [Fact]
    public void Share_counts_parts_of_pixels()
    {
        var image = new Image(4, 3, 1);
        (image.Data[5], image.Data[6]) = (255, 255); // the second row's middle
        TissueMask mask = TissueMask.FromImage(image, 10);
        Assert.Equal(1, mask.Share(10, 10, 20, 10), 9);
        Assert.Equal(0.25, mask.Share(5, 5, 10, 10), 9);
        Assert.Equal(0.5 * 0.2, mask.Share(28, 5, 10, 10), 9);
        Assert.Equal(200.0 / 4000, mask.Share(-10, -10, 50, 80), 9);
        Assert.Equal(0, mask.Share(100, 100, 5, 5));
        Assert.Equal(1, mask.Dilated(15).Share(0, 0, 40, 30));
        Assert.Equal(mask.Mask.Data, mask.Dilated(9).Mask.Data);
    }

    [Theory]
    [InlineData(0.25), InlineData(0.6), InlineData(0.9)]
    public void ToGeoJson_round_trip_is_exact(double density)
    {
        var random = new Random(5);
        var image = new Image(61, 47, 1,
            data: [.. Enumerable.Range(0, 61 * 47).Select(_ => random.NextDouble() < density ? (byte)255 : (byte)0)]);
        TissueMask mask = TissueMask.FromImage(image, 7.3);
        mask.ToGeoJson(At("mask.geojson"));
        TissueMask back = TissueMask.FromGeoJson(At("mask.geojson"), mask.SlideWidth, mask.SlideHeight, 7.3);
        Assert.Equal(image.Data, back.Mask.Data);
        JsonNode json = JsonNode.Parse(File.ReadAllText(At("mask.geojson")))!;
        Assert.All(json["features"]!.AsArray(), feature =>
        {
            Assert.Equal(("Feature", "annotation", "Tissue"), ((string)feature!["type"]!, (string)feature["properties"]!["objectType"]!,
                (string)feature["properties"]!["classification"]!["name"]!));
            // Outlines run one way, holes the other; rings are closed.
            var areas = feature["geometry"]!["coordinates"]!.AsArray().Select(ring => SignedArea(ring!.AsArray())).ToArray();
            Assert.True(areas[0] > 0 && areas.Skip(1).All(area => area < 0));
        });
    }

    [Fact]
    public void ToGeoJson_with_tolerance_keeps_area_with_fewer_corners()
    {
        DrawnSection drawn = new(200, 200, Glass);
        drawn.Disc(100, 100, 70, Section);
        TissueMask mask = TissueMask.Detect(drawn.Image, 10, Mpp / 10);
        mask.ToGeoJson(At("exact.geojson"));
        mask.ToGeoJson(At("simple.geojson"), tolerance: 10);
        TissueMask simple = TissueMask.FromGeoJson(At("simple.geojson"), 2000, 2000, 10);
        Assert.InRange(simple.Area / mask.Area, 0.98, 1.02);
        Assert.True(new FileInfo(At("simple.geojson")).Length * 4 < new FileInfo(At("exact.geojson")).Length);
    }

    [Fact]
    public void FromGeoJson_reads_all_shapes_of_qupath()
    {
        const string square =
            """{"type":"Polygon","coordinates":[[[10,10],[50,10],[50,50],[10,50],[10,10]],[[20,20],[30,20],[30,30],[20,30],[20,20]]]}""";
        TissueMask Of(string json)
        {
            File.WriteAllText(At("a.geojson"), json.Replace("SQUARE", square));
            return TissueMask.FromGeoJson(At("a.geojson"), 100, 80, 1);
        }
        Assert.Equal(1500, Of(square).Area);
        Assert.Equal(1500, Of("""{"type":"Feature","id":"x","geometry":SQUARE,"properties":{"objectType":"annotation"}}""").Area);
        Assert.Equal(1500, Of("""[{"type":"Feature","geometry":SQUARE,"properties":{}},{"type":"Feature","geometry":null}]""").Area);
        Assert.Equal(1500 + 200, Of("""
            {"type":"FeatureCollection","features":[
              {"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[SQUARE,{"type":"Point","coordinates":[1,2]},
                {"type":"MultiPolygon","coordinates":[[[[60,0],[70,0],[70,30],[60,30]]]]}]},
                "properties":{"classification":{"name":"Tumor"}}},
              {"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[60,0],[70,0],[70,10],[60,10],[60,0]]]},
                "properties":{"classification":{"name":"Ignore*","color":[0,0,0]}}},
              {"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[80,0],[90,0],[90,10],[80,0]]]},
              "properties":{"objectType":"cell"}},
              {"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[9,9]]},"properties":{"classification":null}}]}
            """).Area);
        foreach (string broken in new[] { "", "{", "[1]", """{"type":"Circle"}""",
            """{"type":"Polygon","coordinates":[[["a",2],[3,4],[5,6]]]}""" })
            Assert.StartsWith($"{At("a.geojson")}: not valid GeoJSON (", Assert.Throws<TinctorException>(() => Of(broken)).Message);
    }

    [Fact]
    public void Detect_scanner_slides_have_expected_tissue_area()
    {
        using var svs = Slide.Open(RepositoryFiles.Sample("slides/cmu-1-small-region.svs"));
        TissueMask mask = TissueMask.Detect(svs);
        Assert.InRange(mask.Area / ((double)svs.Width * svs.Height), 0.395, 0.415);
        (Image overview, _) = TissueMask.Overview(svs);
        Assert.Equal((mask.Mask.Width, mask.Mask.Height), (overview.Width, overview.Height));
        Image overlay = mask.Overlay(overview);
        Assert.Equal((overview.Width, 3), (overlay.Width, overlay.Channels));
        foreach (string name in new[] { "test3-DAPI-2-(387).ndpi", "test3-TRITC 2 (560).ndpi", "OS-1-detail.ome.tif" })
        {
            using var slide = Slide.Open(RepositoryFiles.Sample($"slides/{name}"));
            Assert.False(TissueMask.Detect(slide).IsEmpty, name);
        }
    }

    private static double SignedArea(JsonArray ring)
    {
        double area = 0;
        for (int i = 0; i + 1 < ring.Count; i++)
            area += ((double)ring[i]![0]! * (double)ring[i + 1]![1]!) - ((double)ring[i + 1]![0]! * (double)ring[i]![1]!);
        return area / 2;
    }

    /// <summary>A drawn overview with noise, as a camera has it.</summary>
    private sealed class DrawnSection
    {
        private readonly Random random = new(1);

        public DrawnSection(int width, int height, (int, int, int) glass)
        {
            Image = new(width, height, 3);
            Paint((_, _) => true, glass);
        }

        public Image Image { get; }

        public void Disc(double x, double y, double radius, (int, int, int) colour) =>
            Paint((u, v) => double.Hypot(u - x, v - y) <= radius, colour);

        public void Line(double x0, double y0, double x1, double y1, double radius, (int, int, int) colour) => Paint((u, v) =>
        {
            double t = (((u - x0) * (x1 - x0)) + ((v - y0) * (y1 - y0))) / (Math.Pow(x1 - x0, 2) + Math.Pow(y1 - y0, 2));
            t = Math.Clamp(t, 0, 1);
            return double.Hypot(u - x0 - (t * (x1 - x0)), v - y0 - (t * (y1 - y0))) <= radius;
        }, colour);

        private void Paint(Func<int, int, bool> inside, (int R, int G, int B) colour)
        {
            for (int i = 0; i < Image.Width * Image.Height; i++)
            {
                if (!inside(i % Image.Width, i / Image.Width)) continue;
                foreach ((int value, int c) in new[] { (colour.R, 0), (colour.G, 1), (colour.B, 2) })
                    Image.Data[(3 * i) + c] = (byte)Math.Clamp(value + random.Next(-6, 7), 0, 255);
            }
        }
    }
}
