using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Cli.Tests;

public sealed partial class RegisterCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-register-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Register_and_warp_rotated_section_recover_its_rotation()
    {
        AffineTransform turn = AffineTransform.Rotation(2.1, 110, 90), truth = turn.Inverse();
        Image section = Section(7);
        Write(section, "he.png");
        Write(Warp.Apply(section, turn, new PixelArea(0, 0, 220, 180)), "her2.png");
        (double x, double y)[] places = [(90, 70), (130, 80), (100, 110), (120, 120)];
        WriteMarks("he.csv", places);
        WriteMarks("her2.csv", [.. places.Select(place => truth.Apply(place.x, place.y))]);

        Outcome done = CommandLine.Run("register", At("he.png"), At("her2.png"), "-o", At("out"), "--warp",
            "--landmarks", At("he.csv"), At("her2.csv"));
        Assert.Equal((0, ""), (done.Code, done.Error));
        Assert.Contains("her2.json: passed", done.Out);
        Assert.Contains("4 landmarks: median rTRE 0.", done.Out);
        string[] made = [.. Directory.GetFiles(At("out")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];
        Assert.Equal(["her2.html", "her2.json", "her2.ome.tif", "her2_checkerboard.png", "her2_displacement.safetensors",
            "her2_outlines.png"], made);
        JsonElement[] page = Sections("her2.html");
        Assert.Equal(["quality", "landmarks", "transform"], page.Select(section => section.GetProperty("key").GetString()));
        Assert.Equal("passed", Value(page[0], "Quality check"));
        Assert.InRange(double.Parse(Value(page[0], "Distinctness (sigma)"), CultureInfo.InvariantCulture), 10, 1000);
        Assert.Equal(["Source", "Warped target", "Checkerboard", "Outlines"],
            page[0].GetProperty("pictures").EnumerateArray().Select(picture => picture.GetProperty("title").GetString()));
        Assert.Equal(-2.1 * 180 / Math.PI, double.Parse(Value(page[2], "Rotation (degrees, clockwise)"), CultureInfo.InvariantCulture),
            1.0);
        Assert.Empty(page[0].GetProperty("warnings").EnumerateArray());
        Assert.StartsWith("http://127.0.0.1:8265/open?name=he.png&fingerprint=",
            page[0].GetProperty("links")[0].GetProperty("address").GetString());
        using (var warped = Slide.Open(At("out/her2.ome.tif")))
        {
            Image centre = warped.Read(0, 80, 60, 60, 60), wanted = section.Crop(80, 60, 60, 60);
            Assert.True(centre.Data.Zip(wanted.Data, (a, b) => (double)Math.Abs(a - b)).Average() < 8);
        }

        string transform = At("out/her2.json");
        Assert.Equal(0, CommandLine.Run("warp", transform, At("her2.csv"), "-o", At("back.csv")).Code);
        foreach (((double x, double y), Landmark back) in places.Zip(LandmarkFile.Read(At("back.csv"))))
            Assert.True(double.Hypot(x - back.X, y - back.Y) < 2);
        Assert.Equal(0, CommandLine.Run("warp", transform, At("back.csv"), "-o", At("there.csv"), "--inverse").Code);
        foreach ((Landmark mark, Landmark there) in LandmarkFile.Read(At("her2.csv")).Zip(LandmarkFile.Read(At("there.csv"))))
            Assert.True(double.Hypot(mark.X - there.X, mark.Y - there.Y) < 0.01);
        Assert.Equal(0, CommandLine.Run("warp", transform, At("he.png"), "-o", At("he_on_her2.png"), "--inverse").Code);
        Assert.Equal((220, 180), (Image.ReadInfo(At("he_on_her2.png")).Width, Image.ReadInfo(At("he_on_her2.png")).Height));

        DateTime before = File.GetLastWriteTimeUtc(transform), pageBefore = File.GetLastWriteTimeUtc(At("out/her2.html"));
        Assert.Contains("Existing results are kept", CommandLine.Run("register", At("he.png"), At("her2.png"), "-o", At("out")).All);
        Assert.Equal((before, pageBefore), (File.GetLastWriteTimeUtc(transform), File.GetLastWriteTimeUtc(At("out/her2.html"))));
        Outcome kept = CommandLine.Run("register", At("he.png"), At("her2.png"), "-o", At("out"), "--warp");
        Assert.Equal(2, kept.Messages.Split("Existing results are kept").Length - 1);
        Assert.Contains("her2.ome.tif. --overwrite replaces them", kept.Messages);

        // A new transform replaces everything that depends on it.
        File.WriteAllText(At("out/her2.ome.tif"), "old");
        File.WriteAllText(At("out/her2.html"), "old");
        File.Delete(transform);
        Assert.Equal("", CommandLine.Run("register", At("he.png"), At("her2.png"), "-o", At("out"), "--warp").Error);
        Assert.NotEqual("old", File.ReadAllText(At("out/her2.ome.tif")));
        Assert.Equal(["quality", "transform"], Sections("her2.html").Select(section => section.GetProperty("key").GetString()));
        Assert.Contains("Existing results are kept", CommandLine.Run("warp", transform, At("her2.csv"), "-o", At("back.csv")).All);
    }

    [Fact]
    public void Warp_without_libtorch_moves_slides_and_landmarks()
    {
        Image section = Section(7);
        Write(section, "her2.png");
        var field = DisplacementField.Covering(220, 180, 20, 18, (_, _) => (3, -2));
        TransformFile.Write(At("moved.json"), new(new(At("he.png"), 220, 180), new(At("her2.png"), 220, 180),
            AffineTransform.Translation(2, 5), field, new() { Metric = SimilarityMetric.LocalNcc, Similarity = 0.5 }));
        Outcome slide = CommandLine.RunWithoutLibtorch("warp", At("moved.json"), At("her2.png"), "-o", At("warped.png"), "--threads", "1");
        Assert.Equal((0, ""), (slide.Code, slide.Error));
        Assert.Equal(section.Crop(25, 33, 100, 90).Data, Image.Read(At("warped.png")).Crop(20, 30, 100, 90).Data);
        WriteMarks("marks.csv", [(10, 20)]);
        Assert.Equal(0, CommandLine.RunWithoutLibtorch("warp", At("moved.json"), At("marks.csv"), "-o", At("out.csv"), "--inverse").Code);
        Landmark mark = Assert.Single(LandmarkFile.Read(At("out.csv")));
        Assert.Equal((15, 23), (mark.X, mark.Y));
    }

    [Fact]
    public void Register_failed_pair_reports_reason_and_is_not_used()
    {
        Write(Section(7), "he.png");
        Write(Section(8), "other.png");
        Outcome failed = CommandLine.Run("register", At("he.png"), At("other.png"), "-o", At("out"), "--warp", "--transform", "affine");
        Assert.Equal(1, failed.Code);
        Assert.Contains("FAILED", failed.Out);
        Assert.Contains("hardly above chance", failed.Error);
        Assert.Contains("--mirror", failed.Messages);
        Assert.DoesNotContain("--transform affine", failed.Messages);
        Assert.False(File.Exists(At("out/other.ome.tif")));
        JsonElement quality = Sections("other.html")[0];
        Assert.Equal("failed", Value(quality, "Quality check"));
        Assert.Contains("hardly above chance", quality.GetProperty("warnings")[0].GetString());
        WriteMarks("marks.csv", [(10, 20)]);
        Assert.Contains("--accept-failed",
            CommandLine.Run("warp", At("out/other.json"), At("marks.csv"), "-o", At("moved.csv")).OneError());
        Assert.Equal(0, CommandLine.Run("warp", At("out/other.json"), At("marks.csv"), "-o", At("moved.csv"), "--accept-failed").Code);
        Assert.Single(LandmarkFile.Read(At("moved.csv")));
        // A review decides, whatever the quality check says.
        RegistrationTransform transform = TransformFile.Read(At("out/other.json"));
        TransformFile.Write(At("accepted.json"), transform with { Review = new(ReviewState.Accepted, DateTime.UtcNow) });
        Assert.Equal(0, CommandLine.Run("warp", At("accepted.json"), At("marks.csv"), "-o", At("again.csv")).Code);
        TransformFile.Write(At("rejected.json"), transform with { Review = new(ReviewState.Rejected, DateTime.UtcNow) });
        Assert.Contains("rejected in a review",
            CommandLine.Run("warp", At("rejected.json"), At("marks.csv"), "-o", At("third.csv")).OneError());
    }

    [Fact]
    public void Register_and_warp_mistakes_are_one_line()
    {
        Write(Section(7), "he.png");
        File.WriteAllText(At("broken.json"), "{}");
        Assert.Contains("none.svs", CommandLine.Run("register", At("he.png"), At("none.svs"), "-o", At("out")).OneError());
        string[] two = ["register", At("he.png"), At("a.png"), At("b.png"), "-o", At("out"), "--landmarks", "a.csv", "b.csv"];
        Assert.Contains("--landmarks", CommandLine.Run(two).OneError());
        WriteMarks("marks.csv", [(10, 20)]);
        Assert.Contains("none.csv: no such file",
            CommandLine.Run("register", At("he.png"), At("he.png"), "-o", At("out"), "--landmarks", At("none.csv"), At("marks.csv"))
                .OneError());
        string[] same = ["register", At("he.png"), At("a.png"), At("a.svs"), "-o", At("out")];
        Assert.Contains("folders of their own", CommandLine.Run(same).OneError());
        Assert.Contains("at least 64", CommandLine.Run("register", At("he.png"), At("he.png"), "-o", At("out"), "--size", "10").OneError());
        Assert.Contains("not a transform", CommandLine.Run("warp", At("broken.json"), At("he.png"), "-o", At("x.png")).OneError());
        Assert.Contains("Register the slides first", CommandLine.Run("warp", At("none.json"), At("he.png"), "-o", At("x.png")).OneError());
        Assert.Contains("/nowhere: no such folder. Check the path (--transforms)", CommandLine.Run("prepare", "--source", At("he.png"),
            "--target", At("he.png"), "--transforms", "/nowhere", "-o", At("out")).OneError());
        Assert.False(Directory.Exists(At("out")));
    }

    // Sections of a page in the output folder.
    private JsonElement[] Sections(string page) => [.. JsonDocument.Parse(Data().Match(File.ReadAllText(At($"out/{page}"))).Groups[1].Value)
        .RootElement.GetProperty("sections").EnumerateArray()];

    private static string Value(JsonElement section, string quantity) => section.GetProperty("tables").EnumerateArray()
        .SelectMany(table => table.GetProperty("rows").EnumerateArray()).Single(row => row[0].GetString() == quantity)[1].GetString()!;

    [GeneratedRegex("<script[^>]*application/json[^>]*>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();

    private string At(string name) => Path.Combine(folder, name);

    private void Write(Image image, string name) => image.Write(At(name));

    private void WriteMarks(string name, IEnumerable<(double X, double Y)> places) => File.WriteAllLines(At(name),
        [",X,Y", .. places.Select((p, i) => string.Create(CultureInfo.InvariantCulture, $"{i},{p.X:0.000},{p.Y:0.000}"))]);

    // Smooth blobs of several sizes, violet on white.
    private static Image Section(int seed)
    {
        var random = new Random(seed);
        var density = new double[220 * 180];
        foreach ((int width, int height) in ((int, int)[])[(11, 9), (28, 23), (55, 45)])
        {
            var coarse = new Image(width, height, 1);
            random.NextBytes(coarse.Data);
            byte[] fine = coarse.Resize(220, 180).Data;
            for (int i = 0; i < density.Length; i++) density[i] += Math.Max(0, (fine[i] - 110) / 255.0);
        }
        var image = new Image(220, 180, 3);
        for (int i = 0; i < density.Length; i++)
            for (int c = 0; c < 3; c++)
                image.Data[(3 * i) + c] = (byte)(245 * Math.Pow(10, -density[i] * (c == 0 ? 0.7 : c == 1 ? 0.9 : 0.4)));
        return image;
    }
}
