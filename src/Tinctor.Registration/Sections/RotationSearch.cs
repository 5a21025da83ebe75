using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>A rotation, perhaps with a mirror, and a shift that may align two sections.</summary>
/// <param name="Transform">From source to target pixels.</param>
/// <param name="Angle">Degrees by which the target is turned, clockwise as seen.</param>
/// <param name="Mirrored">Whether the target lies face down.</param>
/// <param name="Score">Correlation where both are, less where they overlap little.</param>
public sealed record CoarseAlignment(AffineTransform Transform, double Angle, bool Mirrored, double Score);

/// <summary>
/// All rotations and shifts of one section against another: normalised cross-correlation over the overlap, by Fourier transforms
/// (Padfield 2012), of images reduced to 128 pixels.
/// </summary>
public static class RotationSearch
{
    private const int Side = 128, Step = 5, Apart = 10; // pixels, degrees, degrees
    private const double LeastOverlap = 0.3; // of the smaller section

    /// <summary>The best alignments, the best first, no two within a few degrees.</summary>
    /// <param name="source">What stays, [1, 1, H, W].</param>
    /// <param name="target">What is turned and shifted, [1, 1, h, w]; pixels of the same size.</param>
    /// <param name="mirror">Whether it may lie face down.</param>
    /// <param name="count">How many are wanted.</param>
    public static IReadOnlyList<CoarseAlignment> Find(Tensor source, Tensor target, bool mirror, int count)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        double scale = Math.Min(1, (double)Side / Math.Max(Longest(source), Longest(target)));
        Tensor a = Levels.Resize(source, scale), b = Levels.Resize(target, scale);
        var canvas = new Canvas(a - a.mean(), b - b.mean());
        var all = new List<CoarseAlignment>();
        foreach (bool mirrored in mirror ? (bool[])[false, true] : [false])
            for (int angle = 0; angle < 360; angle += Step)
                all.Add(canvas.Best(angle, mirrored));
        var best = new List<CoarseAlignment>();
        foreach (CoarseAlignment one in all.OrderByDescending(one => one.Score))
            if (best.Count < count && !best.Exists(other => other.Mirrored == one.Mirrored && Between(other.Angle, one.Angle) <= Apart))
                best.Add(one);
        return [.. best.Select(one => one with { Transform = one.Transform.Between(Levels.Scaling(a, source), Levels.Scaling(b, target)) })];
    }

    private static long Longest(Tensor image) => Math.Max(image.size(2), image.size(3));

    private static double Between(double angle, double other)
    {
        double apart = Math.Abs(angle - other);
        return Math.Min(apart, 360 - apart);
    }

    /// <summary>The source, against which the target is laid at all angles: the target turns about its centre within a square.</summary>
    private sealed class Canvas
    {
        private readonly Tensor target;
        private readonly int side, width, height;
        private readonly long[] size;
        private readonly double smaller;
        private readonly Tensor spectrum, mask, squares;

        public Canvas(Tensor source, Tensor target)
        {
            this.target = target;
            (long w, long h) = (target.size(3), target.size(2));
            side = (int)Math.Ceiling(double.Hypot(w, h));
            (width, height) = (Even(source.size(3) + side), Even(source.size(2) + side));
            size = [height, width];
            smaller = Math.Min(source.size(2) * source.size(3), w * h);
            (spectrum, mask, squares) = Spectra(source, torch.ones_like(source));
            (spectrum, mask, squares) = (spectrum.conj(), mask.conj(), squares.conj());
        }

        public CoarseAlignment Best(int angle, bool mirrored)
        {
            using var scope = torch.NewDisposeScope();
            AffineTransform turn = Turned(angle, mirrored);
            (Tensor u, Tensor v) = Warp.Positions(turn, side, side);
            (Tensor turned, Tensor inside) = Warp.Sample(target, u, v);
            (Tensor b, Tensor m, Tensor bb) = Spectra(turned * inside, inside);
            Tensor n = Back(mask * m).clamp(min: 1e-3), sumA = Back(spectrum * m), sumB = Back(mask * b);
            Tensor varianceA = (Back(squares * m) - (sumA * sumA / n)).clamp(min: 1e-6);
            Tensor varianceB = (Back(mask * bb) - (sumB * sumB / n)).clamp(min: 1e-6);
            Tensor ncc = (Back(spectrum * b) - (sumA * sumB / n)) / (varianceA * varianceB).sqrt(), overlap = n * (1 / smaller);
            Tensor score = torch.where(overlap > LeastOverlap, ncc * overlap.sqrt(), torch.full_like(ncc, -1));
            long at = score.argmax().item<long>();
            (int x, int y) = ((int)(at % width), (int)(at / width));
            var shift = AffineTransform.Translation(x >= side ? x - width : x, y >= side ? y - height : y);
            return new(turn.After(shift), angle, mirrored, score.max().item());
        }

        // From the square to the target.
        private AffineTransform Turned(double angle, bool mirrored)
        {
            double radians = angle * Math.PI / 180, cos = Math.Cos(radians), sin = Math.Sin(radians), flip = mirrored ? -1 : 1;
            double centre = (side - 1) / 2.0;
            return AffineTransform.About(centre, centre, flip * cos, flip * -sin, sin, cos,
                ((target.size(3) - 1) / 2.0) - centre, ((target.size(2) - 1) / 2.0) - centre);
        }

        private (Tensor Values, Tensor Mask, Tensor Squares) Spectra(Tensor image, Tensor mask) =>
            (torch.fft.rfft2(image, size), torch.fft.rfft2(mask, size), torch.fft.rfft2(image * image, size));

        private Tensor Back(Tensor spectrum) => torch.fft.irfft2(spectrum, size);

        private static int Even(long length) => (int)(length + (length & 1));
    }
}
