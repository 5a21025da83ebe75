using Tinctor.Slides;

namespace Tinctor.Transforms;

/// <summary>
/// Result of a registration: transform from the pixels of a source to those of a target, slides (level 0) or images. It is an affine
/// transform plus a displacement. Pixel centres are whole numbers.
/// </summary>
/// <param name="Source">Frame of the source, which stays fixed.</param>
/// <param name="Target">Frame of the target.</param>
/// <param name="Affine">Affine part, from source to target pixels.</param>
/// <param name="Displacement">
/// Displacement that is added to the affine position, in target pixels, at source positions; null for none.
/// </param>
/// <param name="Quality">Quality of the registration.</param>
public sealed record RegistrationTransform(ImageFrame Source, ImageFrame Target, AffineTransform Affine, DisplacementField? Displacement,
    RegistrationQuality Quality)
{
    private const int Block = 512; // side of the blocks that are resampled, in pixels
    private const int Margin = 3; // radius of the cubic kernel, rounded up
    private const int Iterations = 200;
    private const double Tolerance = 1e-4; // pixels

    /// <summary>Review by a person; null if there was none.</summary>
    public RegistrationReview? Review { get; init; }

    /// <summary>Whether the transform may be used: by the review, or by the quality check if there was no review.</summary>
    public bool IsUsable => Review is { } review ? review.State != ReviewState.Rejected : Quality.Passed;

    /// <summary>Reasons not to use the transform, one line each; empty if it may be used.</summary>
    public IReadOnlyList<string> Refusals => IsUsable ? []
        : Review is null ? Quality.Reasons : ["it was rejected in a review", .. Quality.Reasons];

    /// <summary>
    /// Creates the transform that maps the centre of the source to that of the target, with the scale of the pixel sizes and without
    /// rotation.
    /// </summary>
    public static RegistrationTransform FromPixelSizes(ImageFrame source, ImageFrame target)
    {
        double scale = source.ExpectedScale(target), x = (source.Width - 1) / 2.0, y = (source.Height - 1) / 2.0;
        var affine = AffineTransform.About(x, y, scale, 0, 0, scale, ((target.Width - 1) / 2.0) - x, ((target.Height - 1) / 2.0) - y);
        var transform = new RegistrationTransform(source, target, affine, null,
            new() { Metric = SimilarityMetric.LocalNcc, Similarity = double.NaN });
        return transform with { Quality = GeometryCheck.Measure(transform) };
    }

    /// <summary>Maps a source position to a target position.</summary>
    public (double X, double Y) Apply(double x, double y)
    {
        (double u, double v) = Affine.Apply(x, y);
        (double dx, double dy) = Displacement?.At(x, y) ?? default;
        return (u + dx, v + dy);
    }

    /// <summary>
    /// Maps a target position to a source position by fixed-point iteration with adaptive step size, to 0.0001 pixels.
    /// </summary>
    public (double X, double Y) Invert(double u, double v)
    {
        AffineTransform back = Affine.Inverse();
        (double x, double y) = back.Apply(u, v);
        if (Displacement is null) return (x, y);
        double step = 1;
        (double errorX, double errorY) = Error(x, y);
        for (int i = 0; i < Iterations && double.Hypot(errorX, errorY) > Tolerance; i++)
        {
            double nextX = x - (step * ((back.Xx * errorX) + (back.Xy * errorY)));
            double nextY = y - (step * ((back.Yx * errorX) + (back.Yy * errorY)));
            (double restX, double restY) = Error(nextX, nextY);
            if (double.Hypot(restX, restY) < double.Hypot(errorX, errorY))
                (x, y, errorX, errorY, step) = (nextX, nextY, restX, restY, Math.Min(1, step * 1.5));
            else
                step /= 2;
        }
        return (x, y);

        (double X, double Y) Error(double atX, double atY)
        {
            (double toU, double toV) = Apply(atX, atY);
            return (toU - u, toV - v);
        }
    }

    /// <summary>Inverts the transform; the displacement is sampled at the nodes of a grid with the spacing of this one's.</summary>
    public RegistrationTransform Inverse()
    {
        AffineTransform back = Affine.Inverse();
        return this with { Source = Target, Target = Source, Affine = back, Displacement = Sampled(Target, back, Invert) };
    }

    /// <summary>Composes transforms: <paramref name="first"/>, whose target is this one's source, then this one.</summary>
    public RegistrationTransform After(RegistrationTransform first)
    {
        AffineTransform affine = Affine.After(first.Affine);
        RegistrationTransform finer = (first.Displacement?.Grid.Columns ?? 0) >= (Displacement?.Grid.Columns ?? 0) ? first : this;
        return this with
        {
            Source = first.Source,
            Affine = affine,
            Displacement = finer.Sampled(first.Source, affine, (x, y) =>
            {
                (double u, double v) = first.Apply(x, y);
                return Apply(u, v);
            }),
            Quality = Quality.After(first.Quality),
            Review = null,
        };
    }

    /// <summary>
    /// Converts the transform to other resolutions of the same slides, given as transforms from the old to the new pixels.
    /// </summary>
    public RegistrationTransform Rescaled(ImageFrame source, ImageFrame target, AffineTransform sourceScaling,
        AffineTransform targetScaling) =>
        this with
        {
            Source = source,
            Target = target,
            Affine = Affine.Rescaled(sourceScaling, targetScaling),
            Displacement = Displacement?.Rescaled(sourceScaling, targetScaling),
        };

    /// <summary>
    /// Reads a region of the target warped onto the source: bicubic, from the target's level of about that resolution; background outside
    /// of the target. Thread-safe.
    /// </summary>
    /// <param name="target">Target slide.</param>
    /// <param name="downsample">Pixels of the source's level 0 per pixel of the region.</param>
    /// <param name="x">Left edge in pixels of that resolution.</param>
    /// <param name="y">Upper edge in pixels of that resolution.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <exception cref="TinctorException">The target is damaged there, or is not the registered slide.</exception>
    public Image Read(Slide target, double downsample, int x, int y, int width, int height)
    {
        if ((target.Width, target.Height) != (Target.Width, Target.Height))
            throw new TinctorException(target.Path,
                $"the slide has {target.Width}x{target.Height} pixels, but the transform is for a target of "
                + $"{Target.Width}x{Target.Height}", "Give the slide that was registered");
        double finest = Math.Max(1, downsample * Math.Sqrt(Math.Abs(Affine.Determinant)));
        var region = new Image(width, height, target.Channels, target.SampleType);
        int across = (width + Block - 1) / Block, down = (height + Block - 1) / Block;
        Parallel.For(0, across * down, block =>
        {
            (int left, int top) = (block % across * Block, block / across * Block);
            (int w, int h) = (Math.Min(Block, width - left), Math.Min(Block, height - top));
            region.Paste(ReadBlock(target, downsample, finest, x + left, y + top, w, h), left, top);
        });
        return region;
    }

    private Image ReadBlock(Slide target, double downsample, double finest, int x, int y, int width, int height)
    {
        (double U, double V)[] positions = Positions(downsample, finest, x, y, width, height);
        int left = (int)Math.Floor(positions.Min(position => position.U)) - Margin,
            right = (int)Math.Ceiling(positions.Max(position => position.U)) + Margin;
        int top = (int)Math.Floor(positions.Min(position => position.V)) - Margin,
            bottom = (int)Math.Ceiling(positions.Max(position => position.V)) + Margin;
        var sampler = new CubicSampler(target.ReadAt(finest, left, top, right - left + 1, bottom - top + 1));
        var block = new Image(width, height, target.Channels, target.SampleType);
        for (int i = 0; i < positions.Length; i++) sampler.Sample(positions[i].U - left, positions[i].V - top, block, i);
        return block;
    }

    /// <summary>Gets the target positions of the pixels of a region, in pixels of the target at a resolution, row by row.</summary>
    internal (double U, double V)[] Positions(double downsample, double finest, int x, int y, int width, int height)
    {
        double At(int pixel) => ((pixel + 0.5) * downsample) - 0.5;
        var positions = new (double U, double V)[width * height];
        var columns = Displacement?.Columns(At(x), downsample, width);
        var shifts = new (double X, double Y)[width];
        for (int row = 0; row < height; row++)
        {
            Displacement?.Along(At(y + row), columns, shifts);
            for (int column = 0; column < width; column++)
            {
                (double u, double v) = Affine.Apply(At(x + column), At(y + row));
                (u, v) = (u + shifts[column].X, v + shifts[column].Y);
                positions[(row * width) + column] = (((u + 0.5) / finest) - 0.5, ((v + 0.5) / finest) - 0.5);
            }
        }
        return positions;
    }

    // Difference of a map and an affine transform, on a grid with the spacing of this transform's.
    private DisplacementField? Sampled(ImageFrame frame, AffineTransform affine, Func<double, double, (double X, double Y)> map)
    {
        if (Displacement is null) return null;
        (int columns, int rows) = Displacement.Grid;
        double cell = (double)Source.Width * Source.Height / columns / rows;
        double spacing = Math.Sqrt(cell * Math.Abs(frame == Target ? Affine.Determinant : 1));
        return DisplacementField.Covering(frame.Width, frame.Height, (int)Math.Max(2, Math.Ceiling(frame.Width / spacing)),
            (int)Math.Max(2, Math.Ceiling(frame.Height / spacing)), (x, y) =>
            {
                (double u, double v) = map(x, y);
                (double au, double av) = affine.Apply(x, y);
                return (u - au, v - av);
            });
    }
}
