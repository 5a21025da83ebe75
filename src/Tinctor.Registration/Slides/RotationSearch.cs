using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Candidate alignment of two sections: a rotation, optionally a reflection, and a translation.</summary>
/// <param name="Transform">Transform from source to target pixels.</param>
/// <param name="Angle">Rotation of the target in degrees, clockwise on screen.</param>
/// <param name="Mirrored">Whether the target is mirrored.</param>
/// <param name="Score">Correlation over the overlap, times the square root of the overlap.</param>
internal sealed record CoarseAlignment(AffineTransform Transform, double Angle, bool Mirrored, double Score);

/// <summary>
/// Search of all rotations and translations of one section relative to another by normalised cross-correlation over the overlap, computed
/// by Fourier transforms (Padfield 2012) on images of 128 pixels.
/// </summary>
internal static class RotationSearch
{
    private const int Side = 128, Step = 5, Apart = 10; // pixels, degrees, degrees
    private const int Batch = 4; // rotations that are scored together
    private const double MinOverlap = 0.3; // of the smaller section

    /// <summary>Finds the best alignments, in descending order of their scores; their angles differ by more than 10 degrees.</summary>
    /// <param name="source">Source, [1, 1, H, W].</param>
    /// <param name="target">Target, [1, 1, h, w], with pixels of the same size.</param>
    /// <param name="mirror">Whether mirrored alignments are searched too.</param>
    /// <param name="count">Largest number of alignments.</param>
    public static IReadOnlyList<CoarseAlignment> Find(Tensor source, Tensor target, bool mirror, int count)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        double scale = Math.Min(1, (double)Side / Math.Max(Longest(source), Longest(target)));
        Tensor a = Resolutions.Resize(source, scale), b = Resolutions.Resize(target, scale);
        var canvas = new Canvas(a - a.mean(), b - b.mean());
        var all = new List<CoarseAlignment>();
        foreach (bool mirrored in mirror ? (bool[])[false, true] : [false])
            foreach (int[] angles in Enumerable.Range(0, 360 / Step).Select(i => i * Step).Chunk(Batch))
                all.AddRange(canvas.Best(angles, mirrored));
        var best = new List<CoarseAlignment>();
        foreach (CoarseAlignment candidate in all.OrderByDescending(candidate => candidate.Score))
            if (best.Count < count && !best.Exists(other => other.Mirrored == candidate.Mirrored
                && AngleBetween(other.Angle, candidate.Angle) <= Apart))
                best.Add(candidate);
        AffineTransform up = Resolutions.Scaling(a, source), upTarget = Resolutions.Scaling(b, target);
        return [.. best.Select(one => one with { Transform = one.Transform.Rescaled(up, upTarget) })];
    }

    private static long Longest(Tensor image) => Math.Max(image.size(2), image.size(3));

    private static double AngleBetween(double angle, double other)
    {
        double apart = Math.Abs(angle - other);
        return Math.Min(apart, 360 - apart);
    }

    /// <summary>Spectra of the source, and the target rotated about its centre within a square.</summary>
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
            (width, height) = (FastLength(source.size(3) + side), FastLength(source.size(2) + side));
            size = [height, width];
            smaller = Math.Min(source.size(2) * source.size(3), w * h);
            (spectrum, mask, squares) = Spectra(source, torch.ones_like(source));
            (spectrum, mask, squares) = (spectrum.conj(), mask.conj(), squares.conj());
        }

        public IEnumerable<CoarseAlignment> Best(int[] angles, bool mirrored)
        {
            using var scope = torch.NewDisposeScope();
            AffineTransform[] rotations = [.. angles.Select(angle => Rotation(angle, mirrored))];
            Tensor positions = Warp.Positions(Warp.Matrices([.. rotations.Select(Warp.ToGrid(target).After)]), side, side);
            (Tensor rotated, Tensor inside) = Warp.Sample(target, positions);
            (Tensor b, Tensor m, Tensor bb) = Spectra(rotated * inside, inside);
            Tensor n = Back(mask * m).clamp(min: 1e-3), sumA = Back(spectrum * m), sumB = Back(mask * b);
            Tensor varianceA = (Back(squares * m) - (sumA * sumA / n)).clamp(min: 1e-6);
            Tensor varianceB = (Back(mask * bb) - (sumB * sumB / n)).clamp(min: 1e-6);
            Tensor ncc = (Back(spectrum * b) - (sumA * sumB / n)) / (varianceA * varianceB).sqrt(), overlap = n * (1 / smaller);
            Tensor score = torch.where(overlap > MinOverlap, ncc * overlap.sqrt(), torch.full_like(ncc, -1));
            (Tensor values, Tensor indices) = score.flatten(1).max(1);
            (float[] best, long[] places) = (values.ToArray<float>(), indices.ToArray<long>());
            return angles.Select((angle, i) => new CoarseAlignment(rotations[i].After(Shift((int)places[i])), angle, mirrored, best[i]));
        }

        // Shifts to the left or up are at the end of a row or column.
        private AffineTransform Shift(int place)
        {
            (int x, int y) = (place % width, place / width);
            return AffineTransform.Translation(x >= side ? x - width : x, y >= side ? y - height : y);
        }

        // From the pixels of the square to those of the target.
        private AffineTransform Rotation(double angle, bool mirrored)
        {
            double radians = angle * Math.PI / 180, cos = Math.Cos(radians), sin = Math.Sin(radians), flip = mirrored ? -1 : 1;
            double centre = (side - 1) / 2.0;
            return AffineTransform.About(centre, centre, flip * cos, flip * -sin, sin, cos,
                ((target.size(3) - 1) / 2.0) - centre, ((target.size(2) - 1) / 2.0) - centre);
        }

        private (Tensor Values, Tensor Mask, Tensor Squares) Spectra(Tensor image, Tensor mask) =>
            (torch.fft.rfft2(image, size), torch.fft.rfft2(mask, size), torch.fft.rfft2(image * image, size));

        private Tensor Back(Tensor spectrum) => torch.fft.irfft2(spectrum, size);

        // Fourier transforms are fast for lengths of small prime factors.
        private static int FastLength(long least)
        {
            int length = (int)(least + (least & 1));
            while (!HasSmallFactors(length)) length += 2;
            return length;
        }

        private static bool HasSmallFactors(int length)
        {
            foreach (int factor in (int[])[2, 3, 5])
                while (length % factor == 0) length /= factor;
            return length == 1;
        }
    }
}
