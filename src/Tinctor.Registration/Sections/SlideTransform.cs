using Tinctor.Slides;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Where the pixels of one slide, the source, are in another, the target: an affine map and a displacement beside it, in pixels of level 0
/// of both. Pixel centres are whole numbers.
/// </summary>
/// <param name="Source">The slide that stays.</param>
/// <param name="Target">The slide that is brought onto it.</param>
/// <param name="Affine">From source to target pixels.</param>
/// <param name="Displacement">What is added to the affine map's place, in target pixels, at source places; null where nothing is.</param>
/// <param name="Quality">How good it is.</param>
public sealed record SlideTransform(SlideFrame Source, SlideFrame Target, AffineTransform Affine, DisplacementField? Displacement,
    TransformQuality Quality)
{
    private const int Block = 512; // pixels that are resampled together
    private const int Margin = 3; // reach of the cubic kernel
    private const int Iterations = 200;
    private const double Precise = 1e-4; // pixels

    /// <summary>The place in the target of a place in the source.</summary>
    public (double X, double Y) Apply(double x, double y)
    {
        (double u, double v) = Affine.Apply(x, y);
        (double dx, double dy) = Displacement?.At(x, y) ?? default;
        return (u + dx, v + dy);
    }

    /// <summary>
    /// The place in the source of a place in the target: a fixed point, approached with steps that are halved where they lead away from it.
    /// </summary>
    public (double X, double Y) Invert(double u, double v)
    {
        AffineTransform back = Affine.Inverse();
        (double x, double y) = back.Apply(u, v);
        if (Displacement is null) return (x, y);
        double step = 1;
        (double errorX, double errorY) = Error(x, y);
        for (int i = 0; i < Iterations && double.Hypot(errorX, errorY) > Precise; i++)
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

    /// <summary>The way back, from target to source: the displacement is inverted at the nodes of a grid as fine as this one's.</summary>
    public SlideTransform Inverse()
    {
        AffineTransform back = Affine.Inverse();
        return this with { Source = Target, Target = Source, Affine = back, Displacement = Sampled(Target, back, Invert) };
    }

    /// <summary>This transform after one whose target is this one's source: from the first slide of a stack to its third, say.</summary>
    public SlideTransform After(SlideTransform first)
    {
        AffineTransform affine = Affine.After(first.Affine);
        SlideTransform finer = (first.Displacement?.Grid.Columns ?? 0) >= (Displacement?.Grid.Columns ?? 0) ? first : this;
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
        };
    }

    /// <summary>The same transform for slides of another resolution that show the same.</summary>
    public SlideTransform Between(SlideFrame source, SlideFrame target, AffineTransform sourceScaling, AffineTransform targetScaling) =>
        this with
        {
            Source = source,
            Target = target,
            Affine = Affine.Between(sourceScaling, targetScaling),
            Displacement = Displacement?.Between(sourceScaling, targetScaling),
        };

    /// <summary>
    /// A region of the source's plane with what the target shows there: bicubic, from the target's level of about that resolution; what
    /// lies outside of the target is its background. Safe for several threads.
    /// </summary>
    /// <param name="target">The target's slide.</param>
    /// <param name="downsample">Pixels of the source's level 0 to a pixel of the region.</param>
    /// <param name="x">Left edge in pixels of that resolution.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="width">Pixels across, at least 1.</param>
    /// <param name="height">Pixels down, at least 1.</param>
    /// <exception cref="TinctorException">The target's file is damaged there, or another slide.</exception>
    public Image Read(Slide target, double downsample, int x, int y, int width, int height)
    {
        if ((target.Width, target.Height) != (Target.Width, Target.Height))
            throw new TinctorException($"{target.Path}: is {target.Width}x{target.Height}, the transform is for a slide of "
                + $"{Target.Width}x{Target.Height}; give the slide that was registered");
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
        (double U, double V)[] places = Places(downsample, finest, x, y, width, height);
        int left = (int)Math.Floor(places.Min(place => place.U)) - Margin, right = (int)Math.Ceiling(places.Max(place => place.U)) + Margin;
        int top = (int)Math.Floor(places.Min(place => place.V)) - Margin, bottom = (int)Math.Ceiling(places.Max(place => place.V)) + Margin;
        var sampler = new CubicSampler(target.ReadAt(finest, left, top, right - left + 1, bottom - top + 1));
        var block = new Image(width, height, target.Channels, target.SampleType);
        for (int i = 0; i < places.Length; i++) sampler.Sample(places[i].U - left, places[i].V - top, block, i);
        return block;
    }

    // Where the pixels of a region are, in pixels of the target at a resolution.
    private (double U, double V)[] Places(double downsample, double finest, int x, int y, int width, int height)
    {
        double At(int pixel) => ((pixel + 0.5) * downsample) - 0.5;
        var places = new (double U, double V)[width * height];
        var columns = Displacement?.Columns(At(x), downsample, width);
        var shifts = new (double X, double Y)[width];
        for (int row = 0; row < height; row++)
        {
            Displacement?.Along(At(y + row), columns, shifts);
            for (int column = 0; column < width; column++)
            {
                (double u, double v) = Affine.Apply(At(x + column), At(y + row));
                (u, v) = (u + shifts[column].X, v + shifts[column].Y);
                places[(row * width) + column] = (((u + 0.5) / finest) - 0.5, ((v + 0.5) / finest) - 0.5);
            }
        }
        return places;
    }

    // The displacement of a map beside an affine one, on a grid as fine as this transform's.
    private DisplacementField? Sampled(SlideFrame frame, AffineTransform affine, Func<double, double, (double X, double Y)> map)
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
