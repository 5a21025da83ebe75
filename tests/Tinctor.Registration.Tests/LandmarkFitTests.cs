using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Registration.Tests;

/// <summary>
/// Transforms fitted to landmarks; the expected numbers were computed with NumPy by other formulas (SVD, null space, refits).
/// </summary>
public sealed class LandmarkFitTests
{
    private static readonly LandmarkPair[] Pairs =
    [
        new(120, 80, 310, 95), new(900, 150, 1840, 420), new(420.5, 610.25, 780, 1290), new(700, 880, 1220, 1900),
        new(150, 930, 120, 1780), new(510, 340, 1010, 690), new(880, 560, 1690, 1250),
    ];

    private static readonly RegistrationTransform Start =
        RegistrationTransform.FromPixelSizes(new("a", 1000, 1000, 0.5), new("b", 2200, 2100, 0.25));

    [Fact]
    public void FromPixelSizes_maps_centre_to_centre_with_scale()
    {
        Assert.Equal((1099.5, 1049.5), Start.Apply(499.5, 499.5));
        Assert.Equal(2, Start.Affine.Xx);
        Assert.True(Start.IsUsable);
    }

    [Fact]
    public void Create_affine_equals_NumPy()
    {
        LandmarkFit fit = LandmarkFit.Create(Start, Pairs, LandmarkModel.Affine);
        AffineTransform t = fit.Transform.Affine;
        AssertNear(
            [1.9866161289461821, -0.2933439561132523, 99.95767394352154, 0.27094134120094465, 2.041078479820711, -116.93406846765082],
            [t.Xx, t.Xy, t.X0, t.Yx, t.Yy, t.Y0]);
        AssertNear([16.857849063210047, 13.64719943565439, 53.018780416100356, 33.52226166341257, 42.22416217099153, 25.440241583896228,
            15.72644700752347], fit.Residuals);
        AssertNear([61.04037112313533, 29.363734071579408, 64.23772170117773, 57.32230197035416, 107.88841813853854, 31.245370992867766,
            24.445464533723825], fit.LeaveOneOut!);
        Assert.Null(fit.Transform.Displacement);
    }

    [Theory]
    [InlineData(LandmarkModel.Similarity,
        2.015803845260687, 0.2807742884269298, 78.23612357224988, -109.28533859886738, 26.364421902512042)]
    [InlineData(LandmarkModel.Rigid, 1.9808770708915941, 0.27590945981595866, 94.13278575644199, -89.0133696836458, 10.478389219451893)]
    public void Create_similarity_equals_NumPy(LandmarkModel model, double cos, double sin, double x0, double y0, double firstLeftOut)
    {
        LandmarkFit fit = LandmarkFit.Create(Start, Pairs, model);
        AffineTransform t = fit.Transform.Affine;
        AssertNear([cos, -sin, x0, sin, cos, y0, firstLeftOut], [t.Xx, t.Xy, t.X0, t.Yx, t.Yy, t.Y0, fit.LeaveOneOut![0]]);
    }

    [Fact]
    public void Create_similarity_of_mirrored_landmarks_is_mirrored()
    {
        LandmarkPair[] mirrored =
            [.. Pairs.Select(pair => new LandmarkPair(pair.SourceX, pair.SourceY, 900 - pair.SourceX, pair.SourceY + 7))];
        LandmarkFit fit = LandmarkFit.Create(Start with { Target = Start.Source }, mirrored, LandmarkModel.Rigid);
        Assert.All(fit.Residuals, error => Assert.Equal(0, error, 1e-9));
        Assert.Equal(-1, fit.Transform.Affine.Determinant, 1e-9);
    }

    [Theory]
    [InlineData(1e-3, 609.3016309831012, 575.961158618237, 78.641773356393, 32.855716222825194)]
    [InlineData(1e-1, 610.4827132473105, 580.325011275158, 63.61432522288421, 31.420595799025705)]
    public void ThinPlateSpline_equals_NumPy(double smoothing, double u, double v, double firstLeftOut, double lastLeftOut)
    {
        ThinPlateSpline spline = ThinPlateSpline.Fit([.. Pairs.Select(pair => (pair.SourceX, pair.SourceY))],
            [.. Pairs.Select(pair => (pair.TargetX, pair.TargetY))], smoothing);
        (double x, double y) = spline.At(300, 300);
        AssertNear([u, v, firstLeftOut, lastLeftOut], [x, y, spline.LeaveOneOut[0], spline.LeaveOneOut[^1]]);
    }

    // A known smooth displacement, with landmarks on a jittered grid: each richer model lowers the error between the landmarks.
    [Fact]
    public void Create_nonrigid_recovers_known_displacement()
    {
        static (double X, double Y) Truth(double x, double y) =>
            (1.02 * x + 12 * Math.Sin(y * 0.004) + 30, 0.99 * y + 9 * Math.Cos(x * 0.005) - 10);
        var random = new Random(5);
        LandmarkPair[] pairs = [.. Enumerable.Range(0, 64).Select(i =>
        {
            double Jittered(int cell) => (cell + 0.2 + (0.6 * random.NextDouble())) * 125;
            (double x, double y) = (Jittered(i % 8), Jittered(i / 8));
            (double u, double v) = Truth(x, y);
            return new LandmarkPair(x, y, u, v);
        })];
        RegistrationTransform start = RegistrationTransform.FromPixelSizes(new("a", 1000, 1000), new("b", 1100, 1050));
        double Error(LandmarkModel model, RegistrationTransform? from = null)
        {
            RegistrationTransform transform = LandmarkFit.Create(from ?? start, pairs, model).Transform;
            Assert.True(transform.IsUsable, string.Join("; ", transform.Quality.Reasons));
            return Enumerable.Range(0, 81).Select(i => (X: 100.0 + (i % 9 * 100), Y: 100.0 + (i / 9 * 100))).Average(p =>
                new LandmarkPair(p.X, p.Y, Truth(p.X, p.Y).X, Truth(p.X, p.Y).Y).Error(transform));
        }
        double rigid = Error(LandmarkModel.Rigid), affine = Error(LandmarkModel.Affine), spline = Error(LandmarkModel.Nonrigid);
        Assert.True(affine < rigid && spline < affine / 10 && spline < 0.5, $"{rigid}, {affine}, {spline}");
        // The correction keeps a displacement that is right already.
        var waves = DisplacementField.Covering(1000, 1000, 250, 250, (x, y) => (3 * Math.Sin(x * 0.2), 0));
        RegistrationTransform wavy = start with { Displacement = waves };
        LandmarkPair[] shifted = [.. pairs.Select(pair =>
        {
            (double u, double v) = wavy.Apply(pair.SourceX, pair.SourceY);
            return pair with { TargetX = u + 5, TargetY = v - 4 };
        })];
        RegistrationTransform corrected = LandmarkFit.Create(wavy, shifted, LandmarkModel.Correction).Transform;
        Assert.Equal(wavy.Apply(507.5, 300).X + 5, corrected.Apply(507.5, 300).X, 1e-2);
    }

    [Fact]
    public void Create_of_folding_landmarks_fails_quality_check()
    {
        LandmarkPair[] waves = [.. from i in Enumerable.Range(0, 12)
                                from k in Enumerable.Range(0, 12)
                                let x = (i + 0.5) * 80
                                select new LandmarkPair(x, k * 80, x + (150 * Math.Sin(x * 0.015)), k * 80)];
        LandmarkFit fit = LandmarkFit.Create(RegistrationTransform.FromPixelSizes(new("a", 1000, 1000), new("b", 1000, 1000)), waves,
            LandmarkModel.Nonrigid);
        Assert.True(fit.Transform.Quality.SmallestDeterminant < 0);
        Assert.Contains("folds", Assert.Single(fit.Transform.Quality.Reasons));
        Assert.False(fit.Transform.IsUsable);
    }

    [Theory]
    [InlineData(2, LandmarkModel.Rigid, "2 pairs of landmarks are too few, expected 3 or more")]
    [InlineData(3, LandmarkModel.Nonrigid, "expected 4 or more")]
    public void Create_with_few_landmarks_is_refused(int count, LandmarkModel model, string problem) =>
        Assert.Contains(problem, Assert.Throws<TinctorException>(() => LandmarkFit.Create(Start, Pairs[..count], model)).Message);

    [Fact]
    public void Create_with_landmarks_on_line_is_refused()
    {
        LandmarkPair[] line = [.. Enumerable.Range(0, 6).Select(i => new LandmarkPair(i * 10, i * 20, i * 20, i * 40))];
        Assert.Contains("on a line",
            Assert.Throws<TinctorException>(() => LandmarkFit.Create(Start, line, LandmarkModel.Affine)).Message);
    }

    private static void AssertNear(IReadOnlyList<double> expected, IReadOnlyList<double> found)
    {
        Assert.Equal(expected.Count, found.Count);
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected[i], found[i], 1e-6 * Math.Max(1, Math.Abs(expected[i])));
    }
}
