using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Torch.Optim;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Refinement of a rigid or affine transform by gradient ascent (Adam) on a similarity metric.</summary>
internal static class AffineRefinement
{
    /// <summary>Refines a transform. Returns the best transform of all steps, the start included, and its similarity.</summary>
    /// <param name="source">Source, [1, 1, H, W].</param>
    /// <param name="target">Target, [1, 1, h, w].</param>
    /// <param name="start">Initial transform from source to target pixels.</param>
    /// <param name="model">Parameters that are refined; nonrigid counts as affine.</param>
    /// <param name="metric">Metric that is maximised.</param>
    /// <param name="window">Side of the windows of local correlation, in pixels.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="rate">Initial learning rate, in quarters of the source's diagonal; decays to 0.</param>
    public static (AffineTransform Transform, double Similarity) Refine(Tensor source, Tensor target, AffineTransform start,
        TransformModel model, SimilarityMetric metric, int window, int steps, double rate)
    {
        using var scope = torch.NewDisposeScope();
        var motion = new Motion(source, model);
        using var optimizer = new Adam([motion.Parameters], lr: rate);
        var schedule = new LambdaLR(optimizer, step => (1 + Math.Cos(Math.PI * step / (steps + 1))) / 2);
        (double[] Parameters, double Similarity) best = (motion.Parameters.ToArray<double>(), double.NegativeInfinity);
        for (int step = 0; step <= steps; step++)
        {
            using var temporaries = torch.NewDisposeScope();
            Tensor found = Similarity(source, target, motion.Positions(start), metric, window);
            if (found.item() > best.Similarity) best = (motion.Parameters.ToArray<double>(), found.item());
            optimizer.zero_grad();
            (-found).backward();
            optimizer.step();
            schedule.step();
        }
        return (motion.After(start, best.Parameters), best.Similarity);
    }

    /// <summary>Measures the similarity of the source and the warped target, times the square root of their overlap.</summary>
    public static double Measure(Tensor source, Tensor target, AffineTransform transform, SimilarityMetric metric, int window)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        return Similarity(source, target, Warp.Positions(transform, (int)source.size(3), (int)source.size(2)), metric, window).item();
    }

    // Small overlaps are similar by chance, so they count less.
    private static Tensor Similarity(Tensor source, Tensor target, (Tensor U, Tensor V) positions, SimilarityMetric metric, int window)
    {
        (Tensor warped, Tensor inside) = Warp.Sample(target, positions.U, positions.V);
        return SimilarityMetrics.Compute(metric, source, warped, inside, window) * inside.mean().sqrt();
    }

    /// <summary>Motion in the source's plane, applied before the start transform; parameters are scaled to similar effects.</summary>
    private sealed class Motion
    {
        private readonly TransformModel kind;
        private readonly double cx, cy, unit;
        private readonly Tensor x, y; // relative to the centre, in units

        public Motion(Tensor source, TransformModel kind)
        {
            (double width, double height) = (source.size(3), source.size(2));
            (this.kind, cx, cy, unit) = (kind, (width - 1) / 2, (height - 1) / 2, double.Hypot(width, height) / 4);
            x = ((torch.arange(0, source.size(3), dtype: ScalarType.Float32) - cx) * (1 / unit)).unsqueeze(0);
            y = ((torch.arange(0, source.size(2), dtype: ScalarType.Float32) - cy) * (1 / unit)).unsqueeze(1);
            int count = kind switch { TransformModel.Translation => 2, TransformModel.Rigid => 3, _ => 6 };
            Parameters = torch.zeros([count], ScalarType.Float64, requires_grad: true);
        }

        /// <summary>Translation across and down; then the angle, or the change of the matrix.</summary>
        public Tensor Parameters { get; }

        /// <summary>Computes the target positions of the source's pixels.</summary>
        public (Tensor U, Tensor V) Positions(AffineTransform start)
        {
            Tensor[] p = Parameters.to(ScalarType.Float32).unbind();
            (Tensor mx, Tensor my) = kind switch
            {
                TransformModel.Translation => (x + p[0], y + p[1]),
                TransformModel.Rigid => ((x * p[2].cos()) - (y * p[2].sin()) + p[0], (x * p[2].sin()) + (y * p[2].cos()) + p[1]),
                _ => (x + (x * p[2]) + (y * p[3]) + p[0], y + (x * p[4]) + (y * p[5]) + p[1]),
            };
            (double u, double v) = start.Apply(cx, cy);
            return ((mx * (unit * start.Xx)) + (my * (unit * start.Xy)) + u, (mx * (unit * start.Yx)) + (my * (unit * start.Yy)) + v);
        }

        /// <summary>Gets the composition of the motion and the start transform.</summary>
        public AffineTransform After(AffineTransform start, double[] p)
        {
            (double xx, double xy, double yx, double yy) = kind switch
            {
                TransformModel.Translation => (1, 0, 0, 1),
                TransformModel.Rigid => (Math.Cos(p[2]), -Math.Sin(p[2]), Math.Sin(p[2]), Math.Cos(p[2])),
                _ => (1 + p[2], p[3], p[4], 1 + p[5]),
            };
            return start.After(AffineTransform.About(cx, cy, xx, xy, yx, yy, unit * p[0], unit * p[1]));
        }
    }
}
