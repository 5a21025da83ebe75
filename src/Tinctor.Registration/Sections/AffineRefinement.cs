using Tinctor.Torch;
using Tinctor.Torch.Optim;

namespace Tinctor.Registration.Sections;

/// <summary>Refines a rigid or affine transform by gradient ascent (Adam) on a similarity.</summary>
public static class AffineRefinement
{
    /// <summary>The best transform on the way, and its similarity; never worse than the start.</summary>
    /// <param name="source">What stays, [1, 1, H, W].</param>
    /// <param name="target">What is moved, [1, 1, h, w].</param>
    /// <param name="start">From source to target pixels.</param>
    /// <param name="kind">What may change.</param>
    /// <param name="similarity">What is maximised.</param>
    /// <param name="window">The window's side of local correlation, in pixels.</param>
    /// <param name="steps">How many steps.</param>
    /// <param name="rate">The largest step, as a share of a quarter of the source's diagonal; falls to 0.</param>
    public static (AffineTransform Transform, double Similarity) Refine(Tensor source, Tensor target, AffineTransform start,
        TransformKind kind, Similarity similarity, int window, int steps, double rate)
    {
        using var scope = torch.NewDisposeScope();
        var motion = new Motion(source, kind);
        using var optimizer = new Adam([motion.Parameters], lr: rate);
        var schedule = new LambdaLR(optimizer, step => (1 + Math.Cos(Math.PI * step / (steps + 1))) / 2);
        (double[] Parameters, double Similarity) best = (motion.Parameters.ToArray<double>(), double.NegativeInfinity);
        for (int step = 0; step <= steps; step++)
        {
            using var temporaries = torch.NewDisposeScope();
            Tensor found = Of(source, target, motion.Positions(start), similarity, window);
            if (found.item() > best.Similarity) best = (motion.Parameters.ToArray<double>(), found.item());
            optimizer.zero_grad();
            (-found).backward();
            optimizer.step();
            schedule.step();
        }
        return (motion.After(start, best.Parameters), best.Similarity);
    }

    /// <summary>How alike the source and the target seen through a transform are, times the root of their overlap.</summary>
    public static double Measure(Tensor source, Tensor target, AffineTransform transform, Similarity similarity, int window)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        return Of(source, target, Warp.Positions(transform, (int)source.size(3), (int)source.size(2)), similarity, window).item();
    }

    // The less the sections overlap, the more alike they are by chance.
    private static Tensor Of(Tensor source, Tensor target, (Tensor U, Tensor V) positions, Similarity similarity, int window)
    {
        (Tensor warped, Tensor inside) = Warp.Sample(target, positions.U, positions.V);
        return Similarities.Of(similarity, source, warped, inside, window) * inside.mean().sqrt();
    }

    /// <summary>A motion within the source's plane, before the start transform; in units that make all parameters alike in effect.</summary>
    private sealed class Motion
    {
        private readonly TransformKind kind;
        private readonly double cx, cy, unit;
        private readonly Tensor x, y; // in units, about the centre

        public Motion(Tensor source, TransformKind kind)
        {
            (double width, double height) = (source.size(3), source.size(2));
            (this.kind, cx, cy, unit) = (kind, (width - 1) / 2, (height - 1) / 2, double.Hypot(width, height) / 4);
            x = ((torch.arange(0, source.size(3), dtype: ScalarType.Float32) - cx) * (1 / unit)).unsqueeze(0);
            y = ((torch.arange(0, source.size(2), dtype: ScalarType.Float32) - cy) * (1 / unit)).unsqueeze(1);
            int count = kind switch { TransformKind.Translation => 2, TransformKind.Rigid => 3, _ => 6 };
            Parameters = torch.zeros([count], ScalarType.Float64, requires_grad: true);
        }

        /// <summary>Shift across and down; then the angle, or what is added to the matrix.</summary>
        public Tensor Parameters { get; }

        /// <summary>Where the source's pixels are in the target.</summary>
        public (Tensor U, Tensor V) Positions(AffineTransform start)
        {
            Tensor[] p = Parameters.to(ScalarType.Float32).unbind();
            (Tensor mx, Tensor my) = kind switch
            {
                TransformKind.Translation => (x + p[0], y + p[1]),
                TransformKind.Rigid => ((x * p[2].cos()) - (y * p[2].sin()) + p[0], (x * p[2].sin()) + (y * p[2].cos()) + p[1]),
                _ => (x + (x * p[2]) + (y * p[3]) + p[0], y + (x * p[4]) + (y * p[5]) + p[1]),
            };
            (double u, double v) = start.Apply(cx, cy);
            return ((mx * (unit * start.Xx)) + (my * (unit * start.Xy)) + u, (mx * (unit * start.Yx)) + (my * (unit * start.Yy)) + v);
        }

        /// <summary>The whole transform.</summary>
        public AffineTransform After(AffineTransform start, double[] p)
        {
            (double xx, double xy, double yx, double yy) = kind switch
            {
                TransformKind.Translation => (1, 0, 0, 1),
                TransformKind.Rigid => (Math.Cos(p[2]), -Math.Sin(p[2]), Math.Sin(p[2]), Math.Cos(p[2])),
                _ => (1 + p[2], p[3], p[4], 1 + p[5]),
            };
            return start.After(AffineTransform.About(cx, cy, xx, xy, yx, yy, unit * p[0], unit * p[1]));
        }
    }
}
