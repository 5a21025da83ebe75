namespace Tinctor.Transforms;

/// <summary>
/// Affine transform from source to target pixels: u = Xx x + Xy y + X0, v = Yx x + Yy y + Y0. Pixel centres are whole numbers, y points
/// down. The tissue at source pixel (x, y) is at target pixel (u, v).
/// </summary>
public readonly record struct AffineTransform(double Xx, double Xy, double X0, double Yx, double Yy, double Y0)
{
    /// <summary>Identity transform.</summary>
    public static AffineTransform Identity { get; } = new(1, 0, 0, 0, 1, 0);

    /// <summary>Creates a translation.</summary>
    public static AffineTransform Translation(double dx, double dy) => new(1, 0, dx, 0, 1, dy);

    /// <summary>Creates a rotation about (x, y), in radians; positive is clockwise on screen, from the x axis towards the y axis.</summary>
    public static AffineTransform Rotation(double angle, double x, double y) =>
        About(x, y, Math.Cos(angle), -Math.Sin(angle), Math.Sin(angle), Math.Cos(angle), 0, 0);

    /// <summary>Creates a linear transform about (x, y), followed by a translation.</summary>
    public static AffineTransform About(double x, double y, double xx, double xy, double yx, double yy, double dx, double dy) =>
        new(xx, xy, x + dx - (xx * x) - (xy * y), yx, yy, y + dy - (yx * x) - (yy * y));

    /// <summary>Maps a source position to a target position.</summary>
    public (double X, double Y) Apply(double x, double y) => ((Xx * x) + (Xy * y) + X0, (Yx * x) + (Yy * y) + Y0);

    /// <summary>Composes transforms: <paramref name="first"/>, then this one.</summary>
    public AffineTransform After(AffineTransform first)
    {
        (double x0, double y0) = Apply(first.X0, first.Y0);
        return new((Xx * first.Xx) + (Xy * first.Yx), (Xx * first.Xy) + (Xy * first.Yy), x0,
            (Yx * first.Xx) + (Yy * first.Yx), (Yx * first.Xy) + (Yy * first.Yy), y0);
    }

    /// <summary>Inverts the transform.</summary>
    /// <exception cref="InvalidOperationException">The transform is singular.</exception>
    public AffineTransform Inverse()
    {
        double d = Determinant;
        if (Math.Abs(d) < 1e-12) throw new InvalidOperationException("the transform is singular");
        return new(Yy / d, -Xy / d, ((Xy * Y0) - (Yy * X0)) / d, -Yx / d, Xx / d, ((Yx * X0) - (Xx * Y0)) / d);
    }

    /// <summary>Determinant of the linear part: ratio of areas, negative for a reflection.</summary>
    public double Determinant => (Xx * Yy) - (Xy * Yx);

    /// <summary>Gets the largest distance in pixels between the positions of an image's corners under two transforms.</summary>
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

    /// <summary>
    /// Creates the transform from the pixels of an image to those of the same image resized; the images' corners coincide.
    /// </summary>
    public static AffineTransform Scaling(double across, double down) => new(across, 0, (across - 1) / 2, 0, down, (down - 1) / 2);

    /// <summary>Converts the transform to images that were reduced by averaging blocks of factor x factor pixels.</summary>
    internal AffineTransform Reduced(int factor) => Rescaled(Scaling(1.0 / factor, 1.0 / factor), Scaling(1.0 / factor, 1.0 / factor));

    /// <summary>Reverts <see cref="Reduced"/>.</summary>
    internal AffineTransform Enlarged(int factor) => Rescaled(Scaling(factor, factor), Scaling(factor, factor));

    /// <summary>
    /// Converts the transform to other pixel grids of the source and of the target, given as transforms from the old to the new pixels.
    /// </summary>
    internal AffineTransform Rescaled(AffineTransform source, AffineTransform target) => target.After(this).After(source.Inverse());

    /// <summary>Gets the median of each parameter of transforms about a common centre; robust while most of them are right.</summary>
    internal static AffineTransform Median(IReadOnlyList<AffineTransform> transforms, double x, double y)
    {
        double MedianOf(Func<AffineTransform, double> parameter) => SampleStatistics.Median(transforms.Select(parameter));
        return About(x, y, MedianOf(m => m.Xx), MedianOf(m => m.Xy), MedianOf(m => m.Yx), MedianOf(m => m.Yy),
            MedianOf(m => m.Apply(x, y).X - x), MedianOf(m => m.Apply(x, y).Y - y));
    }
}
