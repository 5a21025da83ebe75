using Tinctor.Registration.Metrics;
using Tinctor.Registration.Slides;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

/// <summary>Registration of sections with known transforms: each step, and all steps together.</summary>
public sealed class SectionRegistrationTests
{
    private static readonly Tissue Section = new(11), Other = new(12);

    [Theory]
    [InlineData(SimilarityMetric.LocalNcc)]
    [InlineData(SimilarityMetric.GlobalNcc)]
    [InlineData(SimilarityMetric.GradientFields)]
    [InlineData(SimilarityMetric.MutualInformation)]
    public void Compute_gradients_agree_with_differences(SimilarityMetric metric)
    {
        using var scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(3);
        Tensor Image() => torch.rand([1, 1, 9, 11], random, ScalarType.Float64);
        (Tensor a, Tensor b, Tensor weight) = (Image(), Image(), Image());
        // The extremes span the bins of mutual information, and are not differentiated.
        a[0, 0, 0, ..2].copy_(torch.tensor([-1.0, 2.0], 2));
        b[0, 0, 0, ..2].copy_(torch.tensor([-1.0, 2.0], 2));
        Tensor inner = torch.zeros_like(a);
        inner[.., .., 3..6, 3..7].fill_(1);
        (Tensor detachedA, Tensor detachedB) = (a.clone(), b.clone());
        Tensor Placed(Tensor part, Tensor image) => (image * (1 - inner)) + (part * inner);
        if (metric == SimilarityMetric.GradientFields)
        {
            // The thresholds are constants in the gradient, so the differences are of the metric with fixed thresholds.
            (Tensor thresholdA, Tensor thresholdB) =
                (SimilarityMetrics.EdgeThreshold(a, weight), SimilarityMetrics.EdgeThreshold(b, weight));
            Tensor Fixed(Tensor x, Tensor y) => SimilarityMetrics.GradientFields(x, y, weight, thresholdA, thresholdB);
            GradientCheck.Run(t => Fixed(t[0], t[1]), a, b);
            (Tensor p, Tensor q) = (a.clone().requires_grad_(), b.clone().requires_grad_());
            Tensor[] gradients = torch.autograd.grad([SimilarityMetrics.Compute(metric, p, q, weight, 5)], [p, q]);
            Tensor[] expected = torch.autograd.grad([Fixed(p, q)], [p, q]);
            foreach ((Tensor gradient, Tensor wanted) in gradients.Zip(expected)) Assert.Equal(0, (gradient - wanted).abs().max().item(),
                1e-12);
            return;
        }
        GradientCheck.Run(t => SimilarityMetrics.Compute(metric, Placed(t[0], detachedA), Placed(t[1], detachedB), weight, 5), a, b);
    }

    [Fact]
    public void Compute_metrics_respond_to_inversion_and_shading()
    {
        using var scope = torch.NewDisposeScope();
        Tensor a = Structure(Section.Render(96, 80, AffineTransform.Identity));
        Tensor other = Structure(Other.Render(96, 80, AffineTransform.Identity));
        Tensor all = torch.ones_like(a), inverted = 1 - a, shaded = a * torch.linspace(0.4, 1, 96);
        double Similarity(SimilarityMetric metric, Tensor b) => SimilarityMetrics.Compute(metric, a, b, all, 15).item();
        foreach (SimilarityMetric metric in Enum.GetValues<SimilarityMetric>()) Assert.True(Similarity(metric,
            a) > 2 * Math.Abs(Similarity(metric, other)));
        Assert.Equal(1, Similarity(SimilarityMetric.GlobalNcc, a), 0.01);
        Assert.True(Similarity(SimilarityMetric.LocalNcc, shaded) > 0.9 * Similarity(SimilarityMetric.LocalNcc, a));
        Assert.Equal(Similarity(SimilarityMetric.GradientFields, a), Similarity(SimilarityMetric.GradientFields, inverted), 1e-4);
        Assert.Equal(Similarity(SimilarityMetric.MutualInformation, a), Similarity(SimilarityMetric.MutualInformation, inverted), 0.02);
        Assert.True(Similarity(SimilarityMetric.LocalNcc, inverted) < -0.5);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(123, true)]
    [InlineData(200, false)]
    public void RotationSearch_finds_any_rotation(int degrees, bool mirrored)
    {
        using var scope = torch.NewDisposeScope();
        AffineTransform truth = Turned(degrees, mirrored);
        Tensor a = Structure(Section.Render(170, 150, AffineTransform.Identity)), b = Structure(Section.Render(190, 185, truth));
        CoarseAlignment found = RotationSearch.Find(a, b, mirrored, 3)[0];
        Assert.Equal(mirrored, found.Mirrored);
        double radians = (found.Angle - degrees) * Math.PI / 180;
        Assert.True(Math.Cos(radians) > Math.Cos(5 * Math.PI / 180), $"{found.Angle} instead of {degrees} degrees");
        Assert.True(Centre(found.Transform, truth) < 6, $"off by {Centre(found.Transform, truth)} pixels");
    }

    [Theory]
    [InlineData(SimilarityMetric.LocalNcc)]
    [InlineData(SimilarityMetric.GlobalNcc)]
    [InlineData(SimilarityMetric.GradientFields)]
    [InlineData(SimilarityMetric.MutualInformation)]
    public void AffineRefinement_finds_affine_transform(SimilarityMetric metric)
    {
        using var scope = torch.NewDisposeScope();
        var truth = AffineTransform.About(80, 65, 1.02, 0.03, -0.02, 0.98, 2.4, -1.7);
        Tensor a = Structure(Section.Render(160, 130, AffineTransform.Identity)), b = Structure(Section.Render(160, 130, truth));
        (AffineTransform found, double value) =
            AffineRefinement.Refine(a, b, [AffineTransform.Identity], TransformModel.Affine, metric, 15, 60, 0.02);
        Assert.True(found.CornerDistance(truth, 160, 130) < 0.8, $"off by {found.CornerDistance(truth, 160, 130)} pixels");
        Assert.True(value > AffineRefinement.Measure(a, b, AffineTransform.Identity, metric, 15));
    }

    [Fact]
    public void AffineRefinement_keeps_rigid_transform_rigid()
    {
        using var scope = torch.NewDisposeScope();
        var truth = AffineTransform.Translation(3, -2).After(AffineTransform.Rotation(0.05, 80, 65));
        Tensor a = Structure(Section.Render(160, 130, AffineTransform.Identity)), b = Structure(Section.Render(160, 130, truth));
        AffineTransform found =
            AffineRefinement.Refine(a, b, [AffineTransform.Identity], TransformModel.Rigid, SimilarityMetric.LocalNcc, 15, 60, 0.03)
                .Transform;
        Assert.True(found.CornerDistance(truth, 160, 130) < 0.5);
        Assert.Equal(1, found.Determinant, 1e-9);
        Assert.Equal(found.Xx, found.Yy, 1e-9);
    }

    [Theory]
    [InlineData(Regularization.Diffusion)]
    [InlineData(Regularization.Bending)]
    public void NonrigidRegistration_finds_displacement(Regularization regularization)
    {
        (Image source, Image target, DisplacementField truth) = Waved(220, 180);
        using var scope = torch.NewDisposeScope();
        Tensor shifts = NonrigidRegistration.Estimate(Structure(source), Structure(target), AffineTransform.Identity,
            SimilarityMetric.LocalNcc,
            regularization, 3, [new(110, 15, 60), new(220, 15, 40)]);
        var found = DisplacementField.Covering(220, 180, shifts);
        (double before, double after) = Errors(truth, found, 220, 180);
        Assert.True(after < 0.7 && after < before / 5, $"{before} pixels before, {after} after");
        (double smallest, double folded) = found.Determinants(AffineTransform.Identity);
        Assert.True(smallest > 0.1 && folded == 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void NonrigidRegistration_area_without_structure_is_interpolated(int noise)
    {
        (Image source, Image target, DisplacementField truth) = Waved(220, 180);
        var random = new Random(1);
        var pale = new Image(80, 70, 3);
        for (int i = 0; i < pale.Data.Length; i++) pale.Data[i] = (byte)(230 + random.Next(noise + 1));
        source.Paste(pale, 70, 55);
        using var scope = torch.NewDisposeScope();
        Tensor shifts = NonrigidRegistration.Estimate(Structure(source), Structure(target), AffineTransform.Identity,
            SimilarityMetric.LocalNcc, Regularization.Diffusion, 3, [new(110, 15, 60), new(220, 15, 40)]);
        var found = DisplacementField.Covering(220, 180, shifts);
        double[] errors = [.. from x in Enumerable.Range(8, 7) from y in Enumerable.Range(6, 7)
                              select Apart(truth.At(10 * x, 10 * y), found.At(10 * x, 10 * y))];
        // The true displacement is up to 5 pixels; the penalty alone leaves errors of 4 pixels.
        Assert.True(errors.Max() < 3.2 && errors.Average() < 2.05, $"largest {errors.Max()}, mean {errors.Average()}");
    }

    [Fact]
    public void NonrigidRegistration_of_unrelated_sections_does_not_fold()
    {
        // With unrelated sections and little stiffness the displacement would fold in many places if folds were not removed.
        using var scope = torch.NewDisposeScope();
        Tensor a = Structure(Section.Render(160, 130, AffineTransform.Identity));
        Tensor b = Structure(Other.Render(160, 130, AffineTransform.Identity));
        Tensor shifts = NonrigidRegistration.Estimate(a, b, AffineTransform.Identity, SimilarityMetric.LocalNcc, Regularization.Diffusion,
            0.01,
            [new(160, 9, 60)]);
        (double smallest, double folded) = DisplacementField.Covering(160, 130, shifts).Determinants(AffineTransform.Identity);
        Assert.True(smallest > 0, $"smallest determinant {smallest}");
        Assert.Equal(0, folded);
        Assert.True(shifts.abs().max().item() > 1);
    }

    [Fact]
    public void Determinants_of_folded_field_are_negative()
    {
        DisplacementField Squeezed(double by) => DisplacementField.Covering(100, 100, 50, 50, (x, y) => (by * (50 - x), 0));
        Assert.Equal(0.5, Squeezed(0.5).Determinants(AffineTransform.Identity).Smallest, 1e-9);
        Assert.Equal((-0.5, 1), Rounded(Squeezed(1.5).Determinants(AffineTransform.Identity)));
        // Determinants are relative to the affine part, so a reflection alone is no fold.
        AffineTransform mirror = Turned(0, mirrored: true);
        Assert.Equal((1, 0), Rounded(Squeezed(0).Determinants(mirror)));

        static (double, double) Rounded((double Smallest, double Folded) d) => (Math.Round(d.Smallest, 6), Math.Round(d.Folded, 6));
    }

    [Theory]
    [InlineData(160, false, true)]
    [InlineData(75, true, false)]
    public void Estimate_two_stains_finds_transform(int degrees, bool mirrored, bool ihc)
    {
        AffineTransform truth = Turned(degrees, mirrored);
        Image source = Section.Render(170, 150, AffineTransform.Identity, noise: 6),
            target = Section.Render(190, 185, truth, ihc, noise: 6);
        RegistrationTransform found = SectionRegistration.Estimate(SectionImage.From(source), SectionImage.From(target),
            new() { Mirror = mirrored });
        Assert.True(found.Quality.Passed, string.Join("; ", found.Quality.Reasons));
        double[] errors = [.. from x in Enumerable.Range(2, 14) from y in Enumerable.Range(2, 12)
                              select Apart(found.Apply(10 * x, 10 * y), truth.Apply(10 * x, 10 * y))];
        Assert.True(SampleStatistics.Median(errors) < 0.8, $"median error {SampleStatistics.Median(errors)} pixels");
        Assert.Equal(1, found.Quality.Scale, 0.03);
    }

    [Fact]
    public void Estimate_fluorescence_to_brightfield_finds_transform()
    {
        AffineTransform truth = AffineTransform.Translation(6, -4).After(Turned(100, mirrored: false));
        Image source = Section.Render(170, 150, AffineTransform.Identity), target = Fluorescence(Section.Render(190, 185, truth));
        RegistrationTransform found = SectionRegistration.Estimate(SectionImage.From(source), SectionImage.From(target),
            new() { Transform = TransformModel.Affine });
        Assert.Equal(SimilarityMetric.GradientFields, found.Quality.Metric);
        Assert.True(found.Quality.Passed, string.Join("; ", found.Quality.Reasons));
        Assert.True(Centre(found.Affine, truth) < 1.5, $"off by {Centre(found.Affine, truth)} pixels");
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(0, 1, 0)]
    public void Estimate_fluorescence_stored_as_RGB_equals_one_channel(int red, int green, int blue)
    {
        string folder = Directory.CreateTempSubdirectory("tinctor-").FullName;
        try
        {
            AffineTransform truth = AffineTransform.Translation(6, -4).After(Turned(100, mirrored: false));
            Image grey = Fluorescence(Section.Render(190, 185, truth));
            // Fluorescence has a black background.
            for (int i = 0; i < grey.Data.Length; i++) grey.Data[i] = (byte)Math.Max(0, grey.Data[i] - 75);
            var rgb = new Image(grey.Width, grey.Height, 3);
            int[] colours = [red, green, blue];
            for (int i = 0; i < rgb.Data.Length; i++) rgb.Data[i] = (byte)(colours[i % 3] * grey.Data[i / 3]);
            string[] paths = [Path.Combine(folder, "he.png"), Path.Combine(folder, "grey.png"), Path.Combine(folder, "rgb.png")];
            Section.Render(170, 150, AffineTransform.Identity).Write(paths[0]);
            grey.Write(paths[1]);
            rgb.Write(paths[2]);
            using Slide source = Slide.Open(paths[0]), one = Slide.Open(paths[1]), three = Slide.Open(paths[2]);
            var options = new RegistrationOptions { Transform = TransformModel.Affine };
            RegistrationTransform expected = SlideRegistration.Estimate(source, one, options),
                found = SlideRegistration.Estimate(source, three, options);
            Assert.True(expected.Quality.Passed, string.Join("; ", expected.Quality.Reasons));
            Assert.True(Centre(expected.Affine, truth) < 1.5, $"off by {Centre(expected.Affine, truth)} pixels");
            Assert.True(found.Affine.CornerDistance(expected.Affine, 170, 150) < 0.01);
            Assert.Equal(expected.Quality.Distinctness, found.Quality.Distinctness, 0.01);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Estimate_unrelated_sections_fails()
    {
        Image source = Section.Render(170, 150, AffineTransform.Identity);
        Image target = Other.Render(170, 150, AffineTransform.Identity, ihc: true);
        RegistrationQuality quality = SectionRegistration.Estimate(SectionImage.From(source), SectionImage.From(target), new()).Quality;
        Assert.False(quality.Passed);
        Assert.Contains(quality.Reasons, reason => reason.Contains("above chance"));
    }

    [Fact]
    public void EstimateStack_slides_of_different_resolutions_finds_transforms()
    {
        string folder = Directory.CreateTempSubdirectory("tinctor-").FullName;
        try
        {
            AffineTransform[] maps = [AffineTransform.Identity, Turned(8, false), Turned(20, false)];
            int[] enlarged = [1, 2, 1];
            var slides = new List<Slide>();
            foreach ((int i, AffineTransform map) in maps.Index())
            {
                Image image = Section.Render(170, 150, map);
                string path = Path.Combine(folder, $"{i}.png");
                image.Resize(170 * enlarged[i], 150 * enlarged[i]).Write(path);
                slides.Add(Slide.Open(path, 1.0 / enlarged[i]));
            }
            IReadOnlyList<RegistrationTransform> found =
                SlideRegistration.EstimateStack(slides, new() { Transform = TransformModel.Affine });
            (double u, double v) = maps[1].Apply(85, 75);
            Assert.True(Apart(found[0].Apply(85, 75), ((2 * u) + 0.5, (2 * v) + 0.5)) < 1.5);
            Assert.True(Apart(found[1].Apply(85, 75), maps[2].Apply(85, 75)) < 1.5);
            Assert.Equal(slides[0].Path, found[1].Source.Path);
            Assert.Equal(slides[2].Path, found[1].Target.Path);
            slides.ForEach(slide => slide.Dispose());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Tensor Structure(Image image) => StructureImage.CreateStretched(image, StructureChannel.Grey);

    // About the centre of a 170 x 150 image.
    private static AffineTransform Turned(double degrees, bool mirrored)
    {
        AffineTransform turn = AffineTransform.Rotation(degrees * Math.PI / 180, 85, 75);
        return mirrored ? AffineTransform.About(85, 75, -1, 0, 0, 1, 0, 0).After(turn) : turn;
    }

    private static (Image Source, Image Target, DisplacementField Truth) Waved(int width, int height)
    {
        Image target = Section.Render(width, height, AffineTransform.Identity);
        var truth = DisplacementField.Covering(width, height, width / 4, height / 4,
            (x, y) => (4 * Math.Sin(y * 0.035), 3 * Math.Cos(x * 0.03)));
        return (truth.Apply(target), target, truth);
    }

    private static (double Before, double After) Errors(DisplacementField truth, DisplacementField found, int width, int height)
    {
        (double X, double Y)[] places = [.. from x in Enumerable.Range(1, (width / 10) - 2) from y in Enumerable.Range(1, (height / 10) - 2)
                                            select (10.0 * x, 10.0 * y)];
        return (places.Average(p => Apart(truth.At(p.X, p.Y), (0, 0))), places.Average(p => Apart(truth.At(p.X, p.Y), found.At(p.X, p.Y))));
    }

    private static Image Fluorescence(Image image)
    {
        var grey = new Image(image.Width, image.Height, 1);
        for (int i = 0; i < grey.Data.Length; i++) grey.Data[i] = (byte)(255 - image.Data[3 * i]);
        return grey;
    }

    private static double Centre(AffineTransform a, AffineTransform b) => Apart(a.Apply(85, 75), b.Apply(85, 75));

    private static double Apart((double X, double Y) a, (double X, double Y) b) => double.Hypot(a.X - b.X, a.Y - b.Y);
}
