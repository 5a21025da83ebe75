using Tinctor.Evaluation.Analyses.Alignment;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Registration.Fields;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Transforms;

namespace Tinctor.Evaluation.Tests;

public sealed class AlignmentTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-alignment-");

    public void Dispose() => root.Delete(recursive: true);

    [Theory]
    [InlineData(3, -5)]
    [InlineData(-17, 11)]
    [InlineData(2.3, -1.6)]
    [InlineData(0.4, 0.25)]
    public void Measure_known_shift_is_found_in_every_window(double dx, double dy)
    {
        Image tissue = RealTissue();
        var area = new PixelArea(60, 60, 512, 512);
        Image real = Warp.Apply(tissue, AffineTransform.Identity, area);
        Image moved = Noisy(Warp.Apply(tissue, AffineTransform.Translation(-dx, -dy), area), 6);
        LocalShifts shifts = LocalRegistration.Measure(real, moved);
        WindowShift[] reliable = [.. shifts.Shifts.Where(s => s.Reliable)];
        Assert.True(reliable.Length >= 0.8 * shifts.Shifts.Count, $"{reliable.Length} of {shifts.Shifts.Count} windows are reliable");
        Assert.All(reliable, s =>
        {
            Assert.Equal(dx, s.Shift.X, 0.1);
            Assert.Equal(dy, s.Shift.Y, 0.1);
        });
    }

    [Fact]
    public void Measure_unrelated_tissue_is_unreliable()
    {
        Image tissue = RealTissue();
        LocalShifts shifts = LocalRegistration.Measure(tissue.Crop(0, 0, 400, 400), tissue.Crop(520, 560, 400, 400));
        Assert.True(shifts.Shifts.Count(s => s.Reliable) <= 0.1 * shifts.Shifts.Count);
    }

    [Fact]
    public void Measure_background_has_no_field() =>
        Assert.Null(LocalRegistration.Measure(Filled(128, 128, 240), Filled(128, 128, 240)).Field);

    [Fact]
    public void Measure_small_images_are_refused() =>
        Assert.Throws<ArgumentException>(() => LocalRegistration.Measure(Filled(63, 200, 9), Filled(63, 200, 9)));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(8, -8)]
    [InlineData(-3, 5)]
    public void ShiftTolerance_of_shifted_image_is_perfect(int dx, int dy)
    {
        Image tissue = RealTissue();
        var found = ShiftTolerance.Compute(tissue.Crop(40 - dx, 40 - dy, 256, 200), tissue.Crop(40, 40, 256, 200));
        Assert.Equal((dx, dy), (found.X, found.Y));
        Assert.Equal(double.PositiveInfinity, found.Psnr);
        Assert.Equal(1, found.Ssim, 1e-12);
    }

    [Fact]
    public void ShiftTolerance_of_flat_images_is_unshifted()
    {
        var found = ShiftTolerance.Compute(Filled(64, 64, 90), Filled(64, 64, 100));
        Assert.Equal((0, 0), (found.X, found.Y));
        Assert.Equal(10 * Math.Log10(650.25), found.Psnr, 1e-9);
    }

    [Fact]
    public void Analysis_registration_undoes_smooth_deformation()
    {
        // The structure moves by (4, -3) px on the left and (-4, 3) px on the right.
        Image real = RealTissue().Crop(100, 100, 512, 512), bent = Bent(real);
        ReportSection section = Run([("a", real, bent, null)]);
        var row = Row(section, 0);
        Assert.InRange(row["median"], 1.5, 5.5);
        Assert.True(row["psnr_registered"] > row["psnr"] + 6, $"PSNR {row["psnr"]:F1} became {row["psnr_registered"]:F1}");
        Assert.True(row["ssim_registered"] > row["ssim"] + 0.2, $"SSIM {row["ssim"]:F2} became {row["ssim_registered"]:F2}");
        Assert.Contains(section.Warnings, warning => warning.Contains("misleading"));
    }

    [Fact]
    public void Analysis_aligned_pairs_have_no_warning()
    {
        Image real = RealTissue().Crop(100, 100, 256, 256);
        ReportSection section = Run([("a", real, Noisy(real, 8), null)]);
        var row = Row(section, 0);
        Assert.InRange(row["median"], 0, 0.1);
        Assert.Equal(row["psnr"], row["psnr_registered"], 0.5);
        Assert.Equal(row["psnr"], row["psnr_shift"], 0.5);
        Assert.Empty(section.Warnings);
    }

    [Fact]
    public void Analysis_scanner_pairs_are_displaced_by_few_pixels()
    {
        string folder = SharedFiles.Path("data/scanner_pairs");
        string[] files = [.. Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        var byName = files.GroupBy(Path.GetFileName).Where(group => group.Count() == 2).Take(6).ToArray();
        Assert.SkipUnless(byName.Length > 0, "no files of one name in two folders");
        ReportSection section = Run([.. byName.Select(pair => (pair.Key![..^4], Rgb(pair.First()), Rgb(pair.Last()), (Image?)null))]);
        var row = Row(section, 0);
        Assert.InRange(row["median"], 2, 8);
        Assert.True(row["ssim_registered"] > row["ssim"] + 0.05);
        Assert.True(row["psnr_shift"] > row["psnr"] + 1);
        Assert.Single(section.Warnings);
    }

    [Fact]
    public void Analysis_with_sources_measures_their_shift()
    {
        Image tissue = RealTissue(), real = tissue.Crop(100, 100, 256, 256);
        ReportSection section = Run([("a", real, real, tissue.Crop(94, 100, 256, 256))]);
        Assert.Equal(2, section.Tables[0].Rows.Count);
        Assert.Equal(0, Row(section, 0)["median"], 0.01);
        Assert.Equal(6, Row(section, 1)["median"], 0.1);
        Assert.Equal("Identity", section.Tables[0].Rows[1][0]);
    }

    private ReportSection Run((string Name, Image Real, Image Stained, Image? Source)[] images)
    {
        string Save(string kind, string name, Image image)
        {
            string path = Path.Combine(Directory.CreateDirectory(Path.Combine(root.FullName, kind)).FullName, name + ".png");
            image.Write(path);
            return path;
        }
        ImagePair[] pairs =
        [
            .. images.Select(i => new ImagePair(i.Name, new Dictionary<string,
                string> { [ScoredMethod.Model] = Save("stained", i.Name, i.Stained) },
                Save("real", i.Name, i.Real), i.Source is null ? null : Save("source", i.Name, i.Source), null, null)),
        ];
        ScoredMethod[] methods = [new(ScoredMethod.Model, "Stained", ""), .. images[0].Source is null ? []
            : new[] { new ScoredMethod(ScoredMethod.Identity, "Identity", "") }];
        return new AlignmentAnalysis().Run(new Data.TestSet(pairs, methods, [], 0), null, CancellationToken.None);
    }

    private static Dictionary<string, double> Row(ReportSection section, int row) => section.Tables[0].Columns
        .Zip(section.Tables[0].Rows[row]).Where(cell => cell.Second is double or int)
        .ToDictionary(cell => cell.First.Key, cell => Convert.ToDouble(cell.Second));

    private static Image RealTissue() => Rgb(RepositoryFiles.Sample("slides/OS-1-detail_rgb.png"));

    private static Image Rgb(string path) => RgbReader.Read(path);

    private static Image Filled(int width, int height, byte value)
    {
        var image = new Image(width, height, 3);
        Array.Fill(image.Data, value);
        return image;
    }

    private static Image Noisy(Image image, int amplitude)
    {
        var random = new Random(amplitude);
        byte[] data = Array.ConvertAll(image.Data, v => (byte)Math.Clamp(v + random.Next(-amplitude, amplitude + 1), 0, 255));
        return new Image(image.Width, image.Height, 3, SampleType.UInt8, data);
    }

    // Bilinear; the shift turns from one end to the other.
    private static Image Bent(Image image)
    {
        var bent = new Image(image.Width, image.Height, 3);
        for (int y = 0; y < image.Height; y++)
            for (int x = 0; x < image.Width; x++)
            {
                double share = Math.Cos(Math.PI * x / (image.Width - 1.0));
                double u = Math.Clamp(x - (4 * share), 0, image.Width - 1.001), v = Math.Clamp(y + (3 * share), 0, image.Height - 1.001);
                int i = (int)u, j = (int)v;
                for (int c = 0; c < 3; c++)
                {
                    double At(int dx, int dy) => image.Data[(3 * (((j + dy) * image.Width) + i + dx)) + c];
                    double above = At(0, 0) + ((u - i) * (At(1, 0) - At(0, 0))), below = At(0, 1) + ((u - i) * (At(1, 1) - At(0, 1)));
                    bent.Data[(3 * ((y * image.Width) + x)) + c] = (byte)Math.Round(above + ((v - j) * (below - above)));
                }
            }
        return bent;
    }
}
