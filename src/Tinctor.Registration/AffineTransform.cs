namespace Tinctor.Registration;

/// <summary>What a registration may change.</summary>
public enum TransformKind
{
    /// <summary>A shift: 2 numbers.</summary>
    Translation,

    /// <summary>A shift and a rotation: 3 numbers.</summary>
    Rigid,

    /// <summary>A shift, rotation, scales and shear: 6 numbers.</summary>
    Affine,
}

/// <summary>
/// A map of the plane from source to target pixels: u = Xx x + Xy y + X0, v = Yx x + Yy y + Y0. Pixel centres are whole numbers, y down.
/// The tissue at source pixel (x, y) is at target pixel (u, v).
/// </summary>
public readonly record struct AffineTransform(double Xx, double Xy, double X0, double Yx, double Yy, double Y0)
{
    /// <summary>Nothing moves.</summary>
    public static AffineTransform Identity { get; } = new(1, 0, 0, 0, 1, 0);

    /// <summary>A shift.</summary>
    public static AffineTransform Translation(double dx, double dy) => new(1, 0, dx, 0, 1, dy);

    /// <summary>A rotation about (x, y), in radians; from the x axis towards the y axis, clockwise as seen.</summary>
    public static AffineTransform Rotation(double angle, double x, double y) =>
        About(x, y, Math.Cos(angle), -Math.Sin(angle), Math.Sin(angle), Math.Cos(angle), 0, 0);

    /// <summary>A linear map about (x, y), followed by a shift.</summary>
    public static AffineTransform About(double x, double y, double xx, double xy, double yx, double yy, double dx, double dy) =>
        new(xx, xy, x + dx - (xx * x) - (xy * y), yx, yy, y + dy - (yx * x) - (yy * y));

    /// <summary>The target position of a source position.</summary>
    public (double X, double Y) Apply(double x, double y) => ((Xx * x) + (Xy * y) + X0, (Yx * x) + (Yy * y) + Y0);

    /// <summary>This map after <paramref name="first"/>.</summary>
    public AffineTransform After(AffineTransform first)
    {
        (double x0, double y0) = Apply(first.X0, first.Y0);
        return new((Xx * first.Xx) + (Xy * first.Yx), (Xx * first.Xy) + (Xy * first.Yy), x0,
            (Yx * first.Xx) + (Yy * first.Yx), (Yx * first.Xy) + (Yy * first.Yy), y0);
    }

    /// <summary>The map back.</summary>
    /// <exception cref="InvalidOperationException">The map is singular.</exception>
    public AffineTransform Inverse()
    {
        double d = Determinant;
        if (Math.Abs(d) < 1e-12) throw new InvalidOperationException("the transform is singular");
        return new(Yy / d, -Xy / d, ((Xy * Y0) - (Yy * X0)) / d, -Yx / d, Xx / d, ((Yx * X0) - (Xx * Y0)) / d);
    }

    /// <summary>How many times larger areas become; below 0 if the map mirrors.</summary>
    public double Determinant => (Xx * Yy) - (Xy * Yx);

    /// <summary>The largest distance in pixels between what two maps do to the corners of an image.</summary>
    public double CornerDistance(AffineTransform other, int width, int height)
    {
        double largest = 0;
        foreach ((double x, double y) in ((double, double)[])[(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)])
        {
            (double u, double v) = Apply(x, y);
            (double p, double q) = other.Apply(x, y);
            largest = Math.Max(largest, double.Hypot(u - p, v - q));
        }
        return largest;
    }

    /// <summary>From the pixels of an image to those of the same image resized: pixel areas are aligned, corners on corners.</summary>
    public static AffineTransform Scaling(double across, double down) => new(across, 0, (across - 1) / 2, 0, down, (down - 1) / 2);

    /// <summary>The same map for images reduced by a whole factor, whose pixels are the means of factor x factor blocks.</summary>
    internal AffineTransform Reduced(int factor) => Between(Scaling(1.0 / factor, 1.0 / factor), Scaling(1.0 / factor, 1.0 / factor));

    /// <summary>The inverse of <see cref="Reduced"/>.</summary>
    internal AffineTransform Enlarged(int factor) => Between(Scaling(factor, factor), Scaling(factor, factor));

    /// <summary>The same map seen from other pixels of the source and of the target.</summary>
    internal AffineTransform Between(AffineTransform source, AffineTransform target) => target.After(this).After(source.Inverse());

    /// <summary>The median of each number of maps about the same centre: robust while most of the maps are right.</summary>
    internal static AffineTransform Median(IReadOnlyList<AffineTransform> maps, double x, double y)
    {
        double Of(Func<AffineTransform, double> number) => Registration.Median.Of(maps.Select(number));
        return About(x, y, Of(m => m.Xx), Of(m => m.Xy), Of(m => m.Yx), Of(m => m.Yy),
            Of(m => m.Apply(x, y).X - x), Of(m => m.Apply(x, y).Y - y));
    }
}

internal static class Median
{
    public static double Of(IEnumerable<double> numbers)
    {
        double[] sorted = [.. numbers.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
