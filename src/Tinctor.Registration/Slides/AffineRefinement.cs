using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Torch.Optim;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Refinement of a rigid or affine transform by gradient ascent (Adam) on a similarity metric.</summary>
internal static class AffineRefinement
{
    /// <summary>Refines transforms together. Returns the most similar transform of all steps, the starts included.</summary>
    /// <param name="source">Source, [1, 1, H, W].</param>
    /// <param name="target">Target, [1, 1, h, w].</param>
    /// <param name="starts">Initial transforms from source to target pixels.</param>
    /// <param name="model">Parameters that are refined: rigid, or affine for all others.</param>
    /// <param name="metric">Metric that is maximised.</param>
    /// <param name="window">Side of the windows of local correlation, in pixels.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="rate">Initial learning rate, in quarters of the source's diagonal; decays to 0.</param>
    public static (AffineTransform Transform, double Similarity) Refine(Tensor source, Tensor target, IReadOnlyList<AffineTransform> starts,
        TransformModel model, SimilarityMetric metric, int window, int steps, double rate)
    {
        using var scope = torch.NewDisposeScope();
        AffineTransform toGrid = Warp.ToGrid(target);
        var motion = new Motion(source, [.. starts.Select(toGrid.After)], model);
        using var optimizer = new Adam([motion.Parameters], lr: rate);
        var schedule = new LambdaLR(optimizer, step => (1 + Math.Cos(Math.PI * step / (steps + 1))) / 2);
        (double[] Matrix, double Similarity) best = (Values(motion.Transforms()[0]), double.NegativeInfinity);
        for (int step = 0; step <= steps; step++)
        {
            using var temporaries = torch.NewDisposeScope();
            Tensor transforms = motion.Transforms();
            Tensor found = Similarity(source, target, transforms, metric, window);
            (double similarity, int at) = Values(found).Select((value, i) => (value, i)).Max();
            if (similarity > best.Similarity) best = (Values(transforms[at]), similarity);
            optimizer.zero_grad();
            (-found).sum().backward();
            optimizer.step();
            schedule.step();
        }
        double[] m = best.Matrix;
        return (toGrid.Inverse().After(new(m[0], m[1], m[2], m[3], m[4], m[5])), best.Similarity);
    }

    /// <summary>Measures the similarity of the source and the warped target, times the square root of their overlap.</summary>
    public static double Measure(Tensor source, Tensor target, AffineTransform transform, SimilarityMetric metric, int window)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        return Similarity(source, target, Warp.Matrices(Warp.ToGrid(target).After(transform)), metric, window).item();
    }

    private static double[] Values(Tensor tensor) => tensor.detach().to(ScalarType.Float64).contiguous().ToArray<double>();

    // Small overlaps are similar by chance, so they count less.
    private static Tensor Similarity(Tensor source, Tensor target, Tensor transforms, SimilarityMetric metric, int window)
    {
        (Tensor warped, Tensor inside) = Warp.Sample(target, Warp.Positions(transforms, source.size(3), source.size(2)));
        return SimilarityMetrics.Compute(metric, source, warped, inside, window) * inside.mean([1, 2, 3]).sqrt();
    }

    /// <summary>Motions in the source's plane, applied before the start transforms; parameters are scaled to similar effects.</summary>
    private sealed class Motion
    {
        private readonly bool rigid;
        private readonly Tensor fromPixels, linear, constant;

        public Motion(Tensor source, AffineTransform[] starts, TransformModel model)
        {
            (double width, double height) = (source.size(3), source.size(2));
            double unit = double.Hypot(width, height) / 4;
            var units = new AffineTransform(unit, 0, (width - 1) / 2, 0, unit, (height - 1) / 2); // about the centre
            rigid = model == TransformModel.Rigid;
            fromPixels = torch.cat([Warp.Matrices(units.Inverse())[0], torch.tensor([0.0, 0, 1], 1, 3)]);
            Tensor toTarget = Warp.Matrices([.. starts.Select(start => start.After(units))]);
            linear = toTarget.narrow(2, 0, 2);
            constant = F.pad(toTarget.narrow(2, 2, 1), [2, 0]);
            Parameters = torch.zeros([starts.Length, rigid ? 3 : 6], ScalarType.Float64, requires_grad: true);
        }

        /// <summary>For each start the translation across and down; then the angle, or the change of the matrix.</summary>
        public Tensor Parameters { get; }

        /// <summary>Computes the compositions of the motions and the starts, [N, 2, 3].</summary>
        public Tensor Transforms()
        {
            Tensor[] p = Parameters.unbind(1);
            Tensor[] rows = rigid ? [p[2].cos(), -p[2].sin(), p[0], p[2].sin(), p[2].cos(), p[1]]
                : [p[2] + 1, p[3], p[0], p[4], p[5] + 1, p[1]];
            return constant + linear.matmul(torch.stack(rows, 1).view(-1, 2, 3).matmul(fromPixels));
        }
    }
}
