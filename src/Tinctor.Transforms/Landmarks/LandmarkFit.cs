using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;

namespace Tinctor.Transforms.Landmarks;

/// <summary>Model of a transform that is fitted to landmarks.</summary>
public enum LandmarkModel
{
    /// <summary>Rotation, translation and reflection; the scale is that of the pixel sizes.</summary>
    Rigid,

    /// <summary>Rotation, translation, reflection and one scale.</summary>
    Similarity,

    /// <summary>Translation, rotation, scales and shear.</summary>
    Affine,

    /// <summary>Affine transform and a smoothing thin-plate spline through the landmarks.</summary>
    Nonrigid,

    /// <summary>The present transform, corrected by a smoothing thin-plate spline of its errors at the landmarks.</summary>
    Correction,
}

/// <summary>Transform that was fitted to landmarks.</summary>
/// <param name="Transform">Transform; its quality states overlap, scale, stretch and folds, without similarities.</param>
/// <param name="Residuals">Target registration error of each pair, in target pixels.</param>
/// <param name="LeaveOneOut">
/// Error of each pair, in target pixels, of a transform that is fitted to the other pairs; null if the pairs are too few.
/// </param>
public sealed record LandmarkFit(RegistrationTransform Transform, IReadOnlyList<double> Residuals, IReadOnlyList<double>? LeaveOneOut)
{
    private const double OnLine = 1e-3; // ratio of the landmarks' extents below which they count as a line
    private const int Cells = 96; // of a displacement along the longer side

    // Candidates for the weight of the bending energy; the one with the smallest leave-one-out error is used.
    private static readonly double[] Smoothings = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];

    /// <summary>Gets the smallest number of landmarks of a model.</summary>
    public static int Least(LandmarkModel model) => model is LandmarkModel.Nonrigid or LandmarkModel.Correction ? 4 : 3;

    /// <summary>
    /// Fits a transform to pairs of landmarks by least squares. Rigid transforms and similarities are computed in closed form
    /// (Umeyama 1991), also mirrored. The smoothing of splines is the one with the smallest leave-one-out error.
    /// </summary>
    /// <param name="start">Present transform; gives the slides, and what <see cref="LandmarkModel.Correction"/> corrects.</param>
    /// <param name="pairs">Pairs of landmarks, at least <see cref="Least"/>.</param>
    /// <param name="model">Model.</param>
    /// <exception cref="TinctorException">The landmarks are too few, or lie on a line.</exception>
    public static LandmarkFit Create(RegistrationTransform start, IReadOnlyList<LandmarkPair> pairs, LandmarkModel model)
    {
        if (pairs.Count < Least(model))
        {
            throw new TinctorException(null, $"{pairs.Count} pairs of landmarks are too few, expected {Least(model)} or more",
                "Place more pairs");
        }
        RequirePlane(pairs);
        (RegistrationTransform transform, IReadOnlyList<double>? errors) = model switch
        {
            LandmarkModel.Nonrigid => FitSpline(start with { Affine = FitAffine(pairs), Displacement = null }, pairs),
            LandmarkModel.Correction => FitSpline(start, pairs),
            _ => FitLinear(start, pairs, model),
        };
        transform = transform with { Review = null };
        transform = transform with { Quality = GeometryCheck.Measure(transform) };
        return new(transform, [.. pairs.Select(pair => pair.Error(transform))], errors);
    }

    private static (RegistrationTransform Transform, IReadOnlyList<double>? LeaveOneOut) FitLinear(RegistrationTransform start,
        IReadOnlyList<LandmarkPair> pairs, LandmarkModel model)
    {
        double? scale = model == LandmarkModel.Rigid ? start.Source.ExpectedScale(start.Target) : null;
        AffineTransform Fit(IReadOnlyList<LandmarkPair> used) =>
            model == LandmarkModel.Affine ? FitAffine(used) : FitSimilarity(used, scale);
        double[]? errors = null;
        if (pairs.Count > Least(model))
        {
            errors = new double[pairs.Count];
            for (int i = 0; i < errors.Length; i++)
            {
                LandmarkPair pair = pairs[i];
                (double u, double v) = Fit([.. pairs.Where((_, k) => k != i)]).Apply(pair.SourceX, pair.SourceY);
                errors[i] = double.Hypot(u - pair.TargetX, v - pair.TargetY);
            }
        }
        return (start with { Affine = Fit(pairs), Displacement = null }, errors);
    }

    // Spline of the errors of a transform, which is added to its displacement.
    private static (RegistrationTransform Transform, IReadOnlyList<double> LeaveOneOut) FitSpline(RegistrationTransform start,
        IReadOnlyList<LandmarkPair> pairs)
    {
        (double X, double Y)[] positions = [.. pairs.Select(pair => (pair.SourceX, pair.SourceY))];
        (double X, double Y)[] errors = [.. pairs.Select(pair =>
        {
            (double u, double v) = start.Apply(pair.SourceX, pair.SourceY);
            return (pair.TargetX - u, pair.TargetY - v);
        })];
        ThinPlateSpline spline = Smoothings.Select(smoothing => ThinPlateSpline.Fit(positions, errors, smoothing))
            .MinBy(fit => fit.LeaveOneOut.Sum(error => error * error))!;
        (int width, int height) = (start.Source.Width, start.Source.Height);
        double cell = Math.Max(width, height) / (double)Cells;
        int columns = Math.Max(start.Displacement?.Grid.Columns ?? 0, Math.Max(2, (int)Math.Ceiling(width / cell)));
        int rows = Math.Max(start.Displacement?.Grid.Rows ?? 0, Math.Max(2, (int)Math.Ceiling(height / cell)));
        var field = DisplacementField.Covering(width, height, columns, rows, (x, y) =>
        {
            (double dx, double dy) = spline.At(x, y);
            (double ownX, double ownY) = start.Displacement?.At(x, y) ?? default;
            return (dx + ownX, dy + ownY);
        });
        return (start with { Displacement = field }, spline.LeaveOneOut);
    }

    private static AffineTransform FitAffine(IReadOnlyList<LandmarkPair> pairs)
    {
        // Centred, so that large coordinates lose no digits.
        LandmarkPair centre = Centre(pairs);
        Matrix<double> positions =
            DenseMatrix.OfRows(pairs.Select(p => (double[])[p.SourceX - centre.SourceX, p.SourceY - centre.SourceY]));
        Matrix<double> targets = DenseMatrix.OfRows(pairs.Select(p => (double[])[p.TargetX - centre.TargetX, p.TargetY - centre.TargetY]));
        Matrix<double> linear = positions.QR().Solve(targets);
        return AffineTransform.About(centre.SourceX, centre.SourceY, linear[0, 0], linear[1, 0], linear[0, 1], linear[1, 1],
            centre.TargetX - centre.SourceX, centre.TargetY - centre.SourceY);
    }

    // The better one of the rotations with and without reflection.
    private static AffineTransform FitSimilarity(IReadOnlyList<LandmarkPair> pairs, double? scale)
    {
        LandmarkPair centre = Centre(pairs);
        return ((double[])[1, -1]).Select(Fit).MinBy(found => found.Error).Transform;

        (AffineTransform Transform, double Error) Fit(double flip)
        {
            double along = 0, across = 0, spread = 0;
            foreach (LandmarkPair pair in pairs)
            {
                (double x, double y) = (flip * (pair.SourceX - centre.SourceX), pair.SourceY - centre.SourceY);
                (double u, double v) = (pair.TargetX - centre.TargetX, pair.TargetY - centre.TargetY);
                along += (x * u) + (y * v);
                across += (x * v) - (y * u);
                spread += (x * x) + (y * y);
            }
            double length = double.Hypot(along, across), size = scale ?? (length / spread);
            (double cos, double sin) = length > 0 ? (size * along / length, size * across / length) : (size, 0);
            var transform = AffineTransform.About(centre.SourceX, centre.SourceY, flip * cos, -sin, flip * sin, cos,
                centre.TargetX - centre.SourceX, centre.TargetY - centre.SourceY);
            return (transform, pairs.Sum(pair =>
            {
                (double u, double v) = transform.Apply(pair.SourceX, pair.SourceY);
                return ((u - pair.TargetX) * (u - pair.TargetX)) + ((v - pair.TargetY) * (v - pair.TargetY));
            }));
        }
    }

    private static LandmarkPair Centre(IReadOnlyList<LandmarkPair> pairs) => new(pairs.Average(pair => pair.SourceX),
        pairs.Average(pair => pair.SourceY), pairs.Average(pair => pair.TargetX), pairs.Average(pair => pair.TargetY));

    private static void RequirePlane(IReadOnlyList<LandmarkPair> pairs)
    {
        LandmarkPair centre = Centre(pairs);
        double xx = 0, xy = 0, yy = 0;
        foreach (LandmarkPair pair in pairs)
        {
            (double x, double y) = (pair.SourceX - centre.SourceX, pair.SourceY - centre.SourceY);
            (xx, xy, yy) = (xx + (x * x), xy + (x * y), yy + (y * y));
        }
        double mean = (xx + yy) / 2, difference = double.Hypot((xx - yy) / 2, xy);
        if (mean - difference <= OnLine * OnLine * (mean + difference))
            throw new TinctorException(null, "the landmarks of the source lie on a line, or on one point", "Place pairs away from it");
    }
}
