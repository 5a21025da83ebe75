using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

/// <summary>Transforms between slides: inverse, composition, files, and application to pixels.</summary>
public sealed class RegistrationTransformTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinctor-").FullName;

    private static readonly RegistrationQuality Good = new()
    {
        Metric = SimilarityMetric.LocalNcc,
        Similarity = 0.5,
        AffineSimilarity = 0.4,
        Chance = 0.1,
        Distinctness = 20,
        Overlap = 0.9,
        Scale = 1,
        Stretch = 1,
        SmallestDeterminant = 0.6,
        Folded = 0,
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Inverse_reverts_Apply()
    {
        RegistrationTransform transform = Wavy(400, 300, 12), inverse = transform.Inverse();
        foreach ((double x, double y) in Places(400, 300))
        {
            (double u, double v) = transform.Apply(x, y);
            (double backX, double backY) = transform.Invert(u, v);
            Assert.Equal(x, backX, 1e-3);
            Assert.Equal(y, backY, 1e-3);
            (double sampledX, double sampledY) = inverse.Apply(u, v);
            if (u is < 0 or > 399 || v is < 0 or > 299) continue;
            // The sampled inverse is interpolated between its nodes, and is unknown outside of the target.
            Assert.Equal(x, sampledX, 0.25);
            Assert.Equal(y, sampledY, 0.25);
        }
    }

    [Fact]
    public void Invert_converges_for_strong_stretches()
    {
        // The transform stretches by a factor of 2.6 here, where fixed-point iteration with a fixed step diverges.
        var field = DisplacementField.Covering(400, 300, 80, 60, (x, y) => (60 * Math.Sin(x * 0.027), 0));
        var transform = new RegistrationTransform(new("", 400, 300), new("", 400, 300), AffineTransform.Translation(3, -2), field, Good);
        (double u, double v) = transform.Apply(233, 100);
        (double x, double y) = transform.Invert(u, v);
        (u, v) = (u - transform.Apply(x, y).X, v - transform.Apply(x, y).Y);
        Assert.Equal(0, double.Hypot(u, v), 1e-3);
    }

    [Fact]
    public void After_composes_transforms_and_quality()
    {
        RegistrationTransform first = Wavy(400, 300, 8), second = Wavy(400, 300, 5, phase: 2), both = second.After(first);
        foreach ((double x, double y) in Places(400, 300))
        {
            (double u, double v) = first.Apply(x, y);
            (u, v) = second.Apply(u, v);
            (double p, double q) = both.Apply(x, y);
            Assert.Equal(u, p, 0.15);
            Assert.Equal(v, q, 0.15);
        }
        RegistrationTransform failed = second with { Quality = Good with { Reasons = ["torn"] } };
        Assert.Equal(["torn"], failed.After(first).Quality.Reasons);
        Assert.False(first.After(failed).Quality.Passed);
    }

    [Fact]
    public void Rescaled_keeps_positions()
    {
        RegistrationTransform small = Wavy(400, 300, 10);
        RegistrationTransform large =
            small.Rescaled(new("", 1600, 1200), new("", 800, 600), AffineTransform.Scaling(4, 4), AffineTransform.Scaling(2, 2));
        foreach ((double x, double y) in Places(400, 300))
        {
            (double u, double v) = small.Apply(x, y);
            (double p, double q) = large.Apply(((x + 0.5) * 4) - 0.5, ((y + 0.5) * 4) - 0.5);
            Assert.Equal(((u + 0.5) * 2) - 0.5, p, 1e-6);
            Assert.Equal(((v + 0.5) * 2) - 0.5, q, 1e-6);
        }
    }

    [Fact]
    public void TransformFile_round_trips_and_refuses_damaged_files()
    {
        string path = Path.Combine(folder, "a.json");
        RegistrationTransform transform = Wavy(400, 300, 12) with
        {
            Source = new(Path.Combine(folder, "he.svs"), 400, 300, 0.25),
            Quality = Good with { Reasons = ["too little tissue"] },
        };
        TransformFile.Write(path, transform);
        RegistrationTransform read = TransformFile.Read(path);
        Assert.Equal(transform.Source, read.Source);
        Assert.Equal(transform.Affine, read.Affine);
        Assert.Equal(["too little tissue"], read.Quality.Reasons);
        Assert.Equal(transform.Quality with { Reasons = [] }, read.Quality with { Reasons = [] });
        foreach ((double x, double y) in Places(400, 300))
            Assert.Equal(transform.Apply(x, y).X, read.Apply(x, y).X, 1e-4);

        File.Delete(Path.Combine(folder, "a_displacement.safetensors"));
        Assert.Contains("displacement of the transform is missing",
            Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
        string singular = Path.Combine(folder, "singular.json");
        TransformFile.Write(singular, transform with { Affine = new(1, 1, 0, 1, 1, 0), Displacement = null });
        Assert.Contains("cannot be inverted", Assert.Throws<TinctorException>(() => TransformFile.Read(singular)).Message);
        File.WriteAllText(path, File.ReadAllText(path)[..200]);
        Assert.Contains(path, Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
        File.WriteAllText(path, "{\"format\": \"tinctor slide transform\", \"version\": 1}");
        Assert.Contains("Register again", Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
        Assert.Throws<TinctorException>(() => TransformFile.Read(Path.Combine(folder, "b.json")));
    }

    [Theory]
    [InlineData(ReviewState.Accepted, true)]
    [InlineData(ReviewState.Corrected, true)]
    [InlineData(ReviewState.Rejected, false)]
    public void TransformFile_review_decides_whether_transform_is_used(ReviewState state, bool usable)
    {
        string path = Path.Combine(folder, "a.json");
        var review = new RegistrationReview(state, new(2026, 3, 1, 10, 0, 0, DateTimeKind.Utc), "A. Reader", 7, 3.25);
        TransformFile.Write(path, Wavy(400, 300, 12) with { Quality = Good with { Reasons = usable ? ["torn"] : [] }, Review = review });
        RegistrationTransform read = TransformFile.Read(path);
        Assert.Equal(review, read.Review);
        Assert.Equal(usable, read.IsUsable);
        Assert.Equal(usable ? [] : ["it was rejected in a review"], read.Refusals);
    }

    [Fact]
    public void TransformFile_with_displacement_elsewhere_is_refused()
    {
        string path = Path.Combine(folder, "a.json");
        TransformFile.Write(path, Wavy(400, 300, 12));
        File.WriteAllText(path, File.ReadAllText(path).Replace("a_displacement", "../a_displacement"));
        Assert.Contains("beside the transform", Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
    }

    [Fact]
    public void TransformFile_displacement_is_standard_safetensors()
    {
        RegistrationTransform transform = Wavy(400, 300, 12);
        TransformFile.Write(Path.Combine(folder, "a.json"), transform);
        string written = Path.Combine(folder, "a_displacement.safetensors"), other = Path.Combine(folder, "b.safetensors");
        using Tensor shifts = transform.Displacement!.ToTensor();
        SafeTensors.Save(other, [new("displacement", shifts)]);
        Assert.Equal(File.ReadAllBytes(other), File.ReadAllBytes(written));
    }

    [Theory]
    [InlineData(20, "not a readable safetensors file")]
    [InlineData(5000, "not a readable safetensors file")]
    [InlineData(0, "not a readable safetensors file")]
    public void TransformFile_with_truncated_displacement_is_refused(int bytes, string expected)
    {
        string path = Path.Combine(folder, "a.json"), displacement = Path.Combine(folder, "a_displacement.safetensors");
        TransformFile.Write(path, Wavy(400, 300, 12));
        File.WriteAllBytes(displacement, File.ReadAllBytes(displacement)[..bytes]);
        Assert.Contains(expected, Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
        using Tensor grey = torch.zeros([2, 3]);
        SafeTensors.Save(displacement, [new("displacement", grey)]);
        Assert.Contains("[2, height, width] is missing", Assert.Throws<TinctorException>(() => TransformFile.Read(path)).Message);
    }

    [Theory]
    [InlineData(3, SampleType.UInt8)]
    [InlineData(5, SampleType.UInt16)]
    public void Read_translation_by_whole_pixels_copies_samples(int channels, SampleType type)
    {
        Image image = Noise(90, 70, channels, type);
        string path = Path.Combine(folder, "a.tif");
        image.Write(path);
        using var slide = Slide.Open(path);
        var transform = new RegistrationTransform(new("", 90, 70), new("", 90, 70), AffineTransform.Translation(7, -5), null, Good);
        Image region = transform.Read(slide, 1, 10, 20, 30, 25);
        Assert.Equal(image.Crop(17, 15, 30, 25).Data, region.Data);
        // Pixels outside of the target are background.
        Image outside = transform.Read(slide, 1, 200, 0, 4, 4);
        Assert.All(outside.Data, value => Assert.Equal(channels == 3 ? 255 : 0, value));
    }

    [Fact]
    public void Read_region_equals_part_of_whole_slide()
    {
        var tissue = new Tissue(3);
        RegistrationTransform transform = Wavy(240, 200, 6);
        string path = Path.Combine(folder, "a.png"), output = Path.Combine(folder, "warped.ome.tif");
        tissue.Render(240, 200, transform.Affine).Write(path);
        using var slide = Slide.Open(path);
        Image whole = transform.Read(slide, 1, 0, 0, 240, 200);
        Assert.Equal(whole.Crop(31, 47, 90, 80).Data, transform.Read(slide, 1, 31, 47, 90, 80).Data);
        SlideWarp.Write(transform, slide, output, jpegQuality: null);
        using var warped = Slide.Open(output);
        Assert.Equal(whole.Data, warped.Read(0, 0, 0, 240, 200).Data);
        Assert.Throws<TinctorException>(() => (transform with { Target = new("", 100, 100) }).Read(slide, 1, 0, 0, 8, 8));
    }

    [Fact]
    public void Read_coarse_region_shows_same_positions()
    {
        var tissue = new Tissue(4);
        var map = AffineTransform.Rotation(0.4, 120, 100);
        string path = Path.Combine(folder, "a.png");
        tissue.Render(240, 200, map).Write(path);
        using var slide = Slide.Open(path);
        var transform = new RegistrationTransform(new("", 240, 200), new("", 240, 200), map, null, Good);
        Image coarse = transform.Read(slide, 4, 0, 0, 60, 50), wanted = tissue.Render(240, 200, AffineTransform.Identity).Resize(60, 50);
        double difference = 0;
        for (int y = 15; y < 35; y++)
            for (int x = 20; x < 40; x++)
                difference += Math.Abs(coarse.Data[3 * ((y * 60) + x)] - wanted.Data[3 * ((y * 60) + x)]) / 400.0;
        Assert.True(difference < 2, $"mean difference {difference}");
    }

    private static RegistrationTransform Wavy(int width, int height, double waves, double phase = 0)
    {
        var field = DisplacementField.Covering(width, height, width / 4, height / 4,
            (x, y) => (waves * Math.Sin((y * 0.03) + phase), waves * Math.Cos((x * 0.025) + (y * 0.01) + phase)));
        var affine = AffineTransform.Translation(5, -3).After(AffineTransform.Rotation(0.3, width / 2.0, height / 2.0));
        return new(new("", width, height), new("", width, height), affine, field, Good);
    }

    private static IEnumerable<(double X, double Y)> Places(int width, int height) =>
        from i in Enumerable.Range(1, 9) from k in Enumerable.Range(1, 9) select (width * i / 10.3, height * k / 10.7);

    private static Image Noise(int width, int height, int channels, SampleType type)
    {
        var image = new Image(width, height, channels, type);
        new Random(7).NextBytes(image.Data);
        return image;
    }
}
