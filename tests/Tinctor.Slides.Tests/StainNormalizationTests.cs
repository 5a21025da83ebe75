using Tinctor.Slides.Colour;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Slides.Tests;

/// <summary>Estimation and normalisation of stains against tests/vectors/make_stains.py, and what must hold for any image.</summary>
public sealed class StainNormalizationTests : InTemporaryFolder
{
    private static readonly double[] Haematoxylin = Unit(0.65, 0.70, 0.29), Eosin = Unit(0.2, 0.9, 0.3), Dab = Unit(0.27, 0.57, 0.78);

    public static TheoryData<StainMethod> Methods => [.. Enum.GetValues<StainMethod>()];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Estimate_and_Normalize_equal_formulas(StainMethod method)
    {
        using var scope = torch.NewDisposeScope();
        var vectors = SafeTensors.Load(TestVectors.Path("stains/io.safetensors"));
        double[] Numbers(string name) => vectors[name].ToArray<double>();
        Image Picture(string name) => new(80, 64, 3, SampleType.UInt8, vectors[name].ToArray<byte>());

        var profile = StainProfile.Estimate(StainedPixels.FromImage(Picture("image")), method);
        Close(Numbers("lab_mean"), profile.LabMean, 2e-3);
        Close(Numbers("lab_deviation"), profile.LabDeviation, 2e-3);
        var name = method.ToString().ToLowerInvariant();
        if (method != StainMethod.Reinhard)
        {
            Close(Numbers($"{name}_stains"), [.. profile.Stains.SelectMany(stain => stain.Od)], 1e-4);
            Close(Numbers($"{name}_maxima"), [.. profile.Stains.Select(stain => stain.Maximum)], 1e-3);
            Assert.Equal(["H", "DAB"], profile.Stains.Select(stain => stain.Name));
        }

        var reference = StainProfile.Estimate(StainedPixels.FromImage(Picture("reference")), method);
        var normalized = new StainNormalizer(reference).Normalize(Picture("image"), out var untouched);
        Assert.Null(untouched);
        var differences = normalized.Data.Zip(Picture(name).Data, (a, b) => Math.Abs(a - b)).ToArray();
        Assert.InRange(differences.Max(), 0, 1);
        Assert.InRange(differences.Average(), 0, 0.02);
    }

    [Fact]
    public void Lab_equals_skimage_and_round_trips()
    {
        using var scope = torch.NewDisposeScope();
        var vectors = SafeTensors.Load(TestVectors.Path("stains/io.safetensors"));
        var light = Enumerable.Chunk(vectors["reference"].ToArray<byte>(), 3).Where((_, i) => i % 31 == 0)
            .SelectMany(rgb => rgb).Select(value => value / 255f).ToArray();
        var lab = new float[light.Length];
        CieLab.FromRgb(light, lab);
        Close(vectors["lab"].ToArray<double>(), Array.ConvertAll(lab, x => (double)x), 1e-3);
        CieLab.ToRgb(lab, lab);
        Close(Array.ConvertAll(light, x => (double)x), Array.ConvertAll(lab, x => (double)x), 1e-4);
        CieLab.ToRgb([50, 120, 100, 110, 0, 0, 0, 0, 0], lab);
        Assert.All(lab[..9], value => Assert.InRange(value, 0, 1));
        Assert.Throws<ArgumentException>(() => CieLab.FromRgb(new float[4], lab));
    }

    [Theory]
    [InlineData(StainMethod.Macenko, false, 2)]
    [InlineData(StainMethod.Macenko, true, 2)]
    [InlineData(StainMethod.Vahadane, false, 4)]
    [InlineData(StainMethod.Vahadane, true, 4)]
    public void Estimate_finds_stains_of_mixture(StainMethod method, bool dab, double degrees)
    {
        double[] second = dab ? Dab : Eosin;
        var profile = StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, second)), method);
        Assert.InRange(Degrees(Haematoxylin, profile.Stains[0].Od), 0, degrees);
        Assert.InRange(Degrees(second, profile.Stains[1].Od), 0, degrees);
        Assert.Equal(["H", dab ? "DAB" : "E"], profile.Stains.Select(stain => stain.Name));
        Assert.All(profile.Stains, stain => Assert.InRange(stain.Maximum, 0.6, 1.1));
    }

    [Fact]
    public void Vahadane_twice_gives_same_dictionary()
    {
        var pixels = StainedPixels.FromImage(Section(Haematoxylin, Eosin));
        Assert.Equal(StainEstimation.Vahadane(pixels.Density).Rows.ToArray(), StainEstimation.Vahadane(pixels.Density).Rows.ToArray());
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Normalize_twice_nearly_equals_once(StainMethod method)
    {
        var target = StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Eosin, strength: 0.9)), method);
        var normalizer = new StainNormalizer(target);
        var once = normalizer.Normalize(Section(Unit(0.55, 0.75, 0.4), Unit(0.15, 0.85, 0.5), strength: 0.7), out _);
        var twice = normalizer.Normalize(once, out _);
        Assert.InRange(once.Data.Zip(twice.Data, (a, b) => Math.Abs(a - b)).Average(), 0, 1);
        var reached = StainProfile.Estimate(StainedPixels.FromImage(once), method);
        Close(target.LabMean, reached.LabMean, 2);
        foreach (var (wanted, found) in target.Stains.Zip(reached.Stains))
        {
            Assert.InRange(Degrees(wanted.Od, found.Od), 0, 1.5);
            Assert.Equal(wanted.Maximum, found.Maximum, 0.03);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Normalize_keeps_background(StainMethod method)
    {
        var target = StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Dab, strength: 1.3)), method);
        var image = Section(Haematoxylin, Eosin);
        byte[] glass = [.. Enumerable.Repeat((byte)255, 30), .. Enumerable.Repeat((byte)241, 30)];
        glass.CopyTo(image.Data, 0);
        Assert.Equal(glass, new StainNormalizer(target).Normalize(image, out _).Data[..60]);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Normalize_unsuitable_image_returns_it_with_reason(StainMethod method)
    {
        var normalizer = new StainNormalizer(StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Eosin)), method));
        var glass = new Image(40, 40, 3);
        Array.Fill(glass.Data, (byte)250);
        Assert.Same(glass, normalizer.Normalize(glass, out var reason));
        Assert.Contains("are needed to estimate the stains", reason);

        var single = Section(Haematoxylin, Haematoxylin);
        var result = normalizer.Normalize(single, out reason);
        Assert.Equal(method == StainMethod.Reinhard ? null : "all stained pixels have one colour, but two stains are expected", reason);
        Assert.Equal(method != StainMethod.Reinhard, ReferenceEquals(single, result));
        Assert.Contains("4 channels", Assert.Throws<TinctorException>(() => normalizer.Normalize(new Image(9, 9, 4), out _)).Message);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void StainNormalizer_reference_of_one_colour_is_refused(StainMethod method)
    {
        foreach (byte[] colour in new byte[][] { [0, 0, 0], [150, 80, 120] })
        {
            var reference = new Image(40, 40, 3);
            for (var i = 0; i < reference.Data.Length; i++)
            {
                reference.Data[i] = colour[i % 3];
            }
            // A speck of dust is no second stain.
            ((byte[])[10, 200, 30]).CopyTo(reference.Data, 0);
            var error = Assert.Throws<TinctorException>(() =>
                new StainNormalizer(StainProfile.Estimate(StainedPixels.FromImage(reference), method)));
            Assert.Contains("one colour", error.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Normalize_16_bits_equals_8_bits(StainMethod method)
    {
        var normalizer = new StainNormalizer(StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Eosin)), method));
        var image = Section(Haematoxylin, Dab);
        var (narrow, wide) = (normalizer.Normalize(image, out _), normalizer.Normalize(image.To(SampleType.UInt16), out _));
        Assert.Equal(SampleType.UInt16, wide.SampleType);
        Assert.All(narrow.Data.Zip(wide.To(SampleType.UInt8).Data), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
    }

    [Fact]
    public void Estimate_common_statistics_keep_ratio_between_images()
    {
        Image strong = Section(Haematoxylin, Dab, strength: 0.8), faint = Section(Haematoxylin, Dab, strength: 0.4);
        var pixels = new StainedPixels();
        Assert.True(pixels.Add(strong) > 0 && pixels.Add(faint) > 0);
        var common = StainProfile.Estimate(pixels, StainMethod.Macenko);
        Assert.Equal(2, common.Images);
        var target = StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Dab)), StainMethod.Macenko);
        double Maximum(StainProfile? source, Image image)
        {
            var normalized = new StainNormalizer(target, source).Normalize(image, out _);
            return StainProfile.Estimate(StainedPixels.FromImage(normalized), StainMethod.Macenko).Stains[1].Maximum;
        }
        Assert.InRange(Maximum(common, strong) / Maximum(common, faint), 1.8, 2.2);
        Assert.InRange(Maximum(null, strong) / Maximum(null, faint), 0.95, 1.05);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Write_profile_reads_back_equal(StainMethod method)
    {
        var profile = StainProfile.Estimate(StainedPixels.FromImage(Section(Haematoxylin, Dab)), method);
        profile.Write(At("profile.json"));
        var again = StainProfile.Read(At("profile.json"));
        again.Write(At("again.json"));
        Assert.Equal(File.ReadAllText(At("profile.json")), File.ReadAllText(At("again.json")));
        Assert.Equal(profile.LabMean, again.LabMean);
        Assert.Equal(method, again.Method);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1, 2]")]
    [InlineData("no json")]
    [InlineData("""{"method": "macenko", "stains": [], "lab_mean": [1, 2, 3], "lab_deviation": [1, 2, 3]}""")]
    [InlineData("""{"method": "reinhard", "lab_mean": [1, 2], "lab_deviation": [1, 2, 3]}""")]
    [InlineData("""{"method": "reinhard", "lab_mean": [1, 2, 3], "lab_deviation": [1, 2, 3], "lab_median": 3}""")]
    [InlineData("""{"method": "dye", "lab_mean": [1, 2, 3], "lab_deviation": [1, 2, 3]}""")]
    public void Read_other_file_names_it(string text)
    {
        File.WriteAllText(At("p.json"), text);
        var message = Assert.Throws<TinctorException>(() => StainProfile.Read(At("p.json"))).Message;
        Assert.StartsWith($"{At("p.json")}: is not a stain profile (", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Render_stain_of_pure_image_equals_image()
    {
        double[] hed = [.. StainMatrix.HaematoxylinEosinDab.Rows];
        var pure = new Image(16, 1, 3);
        for (var i = 0; i < pure.Data.Length; i++)
        {
            pure.Data[i] = (byte)Math.Round(255 * Math.Pow(10, -0.1 * (i / 3) * hed[i % 3]));
        }
        var alone = StainImages.Render(pure, StainMatrix.HaematoxylinEosinDab, 0);
        Assert.All(pure.Data.Zip(alone.Data), pair => Assert.InRange(pair.First - pair.Second, -2, 2));
        var amounts = StainImages.Concentration(pure, StainMatrix.HaematoxylinEosinDab, 0);
        Assert.Equal((1, SampleType.UInt16), (amounts.Channels, amounts.SampleType));
        for (var x = 0; x < 10; x++)
        {
            Assert.InRange(amounts.Samples16[x] / (double)StainImages.StepsPerDensity, 0.1 * x - 0.03, 0.1 * x + 0.03);
        }
        Assert.Throws<TinctorException>(() => StainImages.Render(new Image(3, 3, 1), StainMatrix.HaematoxylinDab, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => StainImages.Concentration(pure, StainMatrix.HaematoxylinDab, 3));
    }

    [Fact]
    public void StainNormalizer_profiles_of_two_methods_are_refused()
    {
        var pixels = StainedPixels.FromImage(Section(Haematoxylin, Dab));
        var (macenko, vahadane) = (StainProfile.Estimate(pixels, StainMethod.Macenko), StainProfile.Estimate(pixels, StainMethod.Vahadane));
        Assert.Throws<TinctorException>(() => new StainNormalizer(macenko, vahadane));
        Assert.Throws<TinctorException>(() => StainProfile.Read(At("missing.json")));
    }

    /// <summary>A picture of two stains, nuclei, stroma and both, with some glass and a little noise.</summary>
    private static Image Section(double[] first, double[] second, double strength = 0.8)
    {
        var random = new Random(3);
        var image = new Image(160, 120, 3);
        for (var i = 0; i < image.Data.Length; i += 3)
        {
            var kind = random.NextDouble();
            double a = kind is > 0.1 and < 0.5 ? strength * (0.3 + random.NextDouble()) : 0;
            double b = kind > 0.4 ? strength * (0.3 + random.NextDouble()) : 0;
            for (var c = 0; c < 3; c++)
            {
                var light = 255 * Math.Pow(10, -(a * first[c] + b * second[c]));
                image.Data[i + c] = (byte)Math.Clamp(Math.Round(light + random.NextDouble() - 0.5), 0, 255);
            }
        }
        return image;
    }

    private static double[] Unit(params double[] v) => [.. v.Select(x => x / Math.Sqrt(v.Sum(y => y * y)))];

    private static double Degrees(double[] a, double[] b) =>
        Math.Acos(Math.Min(1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])) * 180 / Math.PI;

    private static void Close(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"differs by {worst}: {string.Join(" ", actual)}");
    }
}
