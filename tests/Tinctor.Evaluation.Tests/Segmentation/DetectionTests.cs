using System.Text;
using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Tests.Segmentation;

/// <summary>Agreement of nuclei by position, and nuclei in the files of other tools.</summary>
public sealed class DetectionTests : IDisposable
{
    private const int Side = 40;
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-detections-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Compute_matches_closest_nuclei_once()
    {
        // The left reference is nearest to the second nucleus, which leaves the first without a partner; the right one is out of reach.
        LabelMap reference = Squares((10, 10), (30, 10)), made = Squares((6, 10), (11, 10), (30, 16), (10, 30));
        Assert.Equal(new DetectionAgreement(1, 3, 1), DetectionAgreement.Compute(made, reference, 5));
        Assert.Equal(new DetectionAgreement(2, 2, 0), DetectionAgreement.Compute(made, reference, 6));
        Assert.Equal(2 / (2 + 1.0), DetectionAgreement.Compute(made, reference, 6).F1, 1e-12);
        Assert.Equal(new DetectionAgreement(4, 0, 0), DetectionAgreement.Compute(made, made, 0.1));
        Assert.Equal(double.NaN, DetectionAgreement.Compute(Squares(), Squares(), 5).F1);
    }

    [Theory]
    [InlineData("png")]
    [InlineData("tif")]
    [InlineData("npy")]
    [InlineData("geojson")]
    [InlineData("json")]
    public void Run_with_nuclei_of_other_tools_compares_positions_and_counts(string format)
    {
        (int, int)[] real = [(10, 10), (30, 10), (20, 28)];
        string name = format == "tif" ? "tile_cp_masks" : "tile";
        Save(Path.Combine(root, "real", $"{name}.{format}"), real);
        Save(Path.Combine(root, "good", $"{name}.{format}"), real);
        Save(Path.Combine(root, "poor", $"{name}.{format}"), (12, 10), (30, 20));
        if (format is "npy" or "geojson" or "json")
            Assert.Equal(Squares(real).Labels, ObjectFiles.Read(Path.Combine(root, "real", $"tile.{format}"), Side, Side).Labels);
        string image = Path.Combine(root, "tile.png");
        new Image(Side, Side, 3).Write(image);
        var pair = new ImagePair("tile", new Dictionary<string, string> { ["good"] = image, ["poor"] = image }, image, null, null, null);
        var masks = new MaskSegmentation(Path.Combine(root, "real"),
            [new("good", Path.Combine(root, "good")), new("poor", Path.Combine(root, "poor"))], null);
        TestSet set = new([pair], [new("good", "Good", ""), new("poor", "Poor", "")], [], 0);
        ReportSection section = new SegmentationAnalysis(masks, 1).Run(set, null, CancellationToken.None);
        SectionTable table = section.Tables.Single(each => each.Key == "detection");
        Assert.Equal(["Good", 1.0, 1.0, 1.0, 1.0, 0.0], table.Rows[0]);
        // One of two nuclei is within 3 um of one of the three real ones.
        Assert.Equal(["Poor", 1 / 2.5, 1 / 2.5, 1 / 2.0, 1 / 3.0, 1.0], table.Rows[1]);
        Assert.Equal(1.0, section.Tables[0].Rows[0][1]);
    }

    [Fact]
    public void Segment_cuts_masks_of_whole_images_as_the_protocol()
    {
        Save(Path.Combine(root, "real", "tile.geojson"), (10, 10), (20, 20));
        string file = Path.Combine(root, "tile.png");
        new Image(Side, Side, 3).Write(file);
        var pair = new ImagePair("tile", new Dictionary<string, string>(), file, null, null, null) { Crop = 12 };
        ISegmentation masks = new MaskSegmentation(Path.Combine(root, "real"), [], null);
        LabelMap map = masks.Segment(pair, null, new ScoredImage(pair.ReadRgb(file)));
        Assert.Equal((12, 12, 1), (map.Width, map.Height, map.Count));
        Assert.Equal((6, 6), map.Centroids().Single());
    }

    [Theory]
    [InlineData("a.npy", "not a file of NumPy")]
    [InlineData("a.json", "not the nuclei of HoVer-Net or GeoJSON")]
    [InlineData("a.geojson", "not valid GeoJSON")]
    public void Read_other_content_is_refused(string name, string problem)
    {
        string path = Path.Combine(root, name);
        File.WriteAllText(path, "pickled or damaged");
        Assert.Contains(problem, Assert.Throws<TinctorException>(() => ObjectFiles.Read(path, 4, 4)).Message);
    }

    [Fact]
    public void Read_array_of_other_type_is_refused()
    {
        string path = Path.Combine(root, "a.npy");
        File.WriteAllBytes(path, Numpy("'<f4'", "(2, 2)", new byte[16]));
        Assert.Contains("'descr': '<f4'", Assert.Throws<TinctorException>(() => ObjectFiles.Read(path, 2, 2)).Message);
        File.WriteAllBytes(path, Numpy("'<u2'", "(2, 2)", new byte[6]));
        Assert.Contains("6 bytes, but 2x2 labels", Assert.Throws<TinctorException>(() => ObjectFiles.Read(path, 2, 2)).Message);
    }

    // Squares of 5 pixels around the places.
    private static LabelMap Squares(params (int X, int Y)[] places)
    {
        var labels = new int[Side * Side];
        foreach ((int i, (int x, int y)) in places.Index())
            for (int dy = -2; dy <= 2; dy++)
                for (int dx = -2; dx <= 2; dx++) labels[((y + dy) * Side) + x + dx] = i + 1;
        return LabelMap.Create(Side, Side, labels);
    }

    private static void Save(string path, params (int X, int Y)[] places)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        int[] labels = Squares(places).Labels;
        // Corners of pixels in GeoJSON, centres of the outermost pixels in HoVer-Net's file.
        switch (Path.GetExtension(path))
        {
            case ".npy":
                File.WriteAllBytes(path, Numpy("'<i4'", $"({Side}, {Side})", [.. labels.SelectMany(BitConverter.GetBytes)]));
                break;
            case ".geojson":
                File.WriteAllText(path, "{\"type\":\"FeatureCollection\",\"features\":[" + string.Join(",", places.Select(at =>
                    "{\"type\":\"Feature\",\"properties\":{\"objectType\":\"detection\"},"
                    + "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[" + Ring(at, 2.5, 0.5) + "]]}}")) + "]}");
                break;
            case ".json":
                File.WriteAllText(path, "{\"mag\":40,\"nuc\":{" + string.Join(",", places.Index().Select(at =>
                    $"\"{at.Index + 1}\":{{\"centroid\":[{at.Item.X},{at.Item.Y}],"
                    + $"\"contour\":[{Ring(at.Item, 2, 0)}],\"type\":1}}")) + "}}");
                break;
            default:
                new Image(Side, Side, 1, data: Array.ConvertAll(labels, label => (byte)label)).Write(path);
                break;
        }

        static string Ring((int X, int Y) at, double reach, double centre) => string.Join(",",
            new[] { (-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1) }.Select(corner => FormattableString.Invariant(
                $"[{at.X + (corner.Item1 * reach) + centre},{at.Y + (corner.Item2 * reach) + centre}]")));
    }

    private static byte[] Numpy(string type, string shape, byte[] data)
    {
        string header = $"{{'descr': {type}, 'fortran_order': False, 'shape': {shape}, }}";
        header = header.PadRight(117) + "\n";
        return [0x93, .. Encoding.ASCII.GetBytes("NUMPY"), 1, 0, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. data];
    }
}
